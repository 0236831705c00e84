import AgentEconomyDomain
import Events
import Money
import TestSupport
import Testing

/// The rules against a model that counts every payment anew, by the definition: what a mandate has committed is what it spent itself in the
/// period, the budgets of the live mandates carved out of it, and what all others below it have committed.
@Suite struct MandateModelTests {
    struct Model {
        struct Node {
            let parent: String?
            let agent: String
            let budget: Int
            let isCarved: Bool
            var isLive = true
        }
        struct Payment {
            let mandate: String
            let window: Int64
            let amount: Int
            var counted: Int
            var isRunning = true
        }
        var nodes: [String: Node] = [:]
        var order: [String] = []
        var payments: [String: Payment] = [:]

        func committed(_ id: String, _ window: Int64) -> Int {
            let own = payments.values.filter { $0.mandate == id && $0.window == window }.reduce(0) { $0 + $1.counted }
            return nodes.filter { $0.value.parent == id }.reduce(own) { sum, child in
                sum + (child.value.isCarved && child.value.isLive ? child.value.budget : committed(child.key, window))
            }
        }

        /// Whether so much more fits at a mandate, and at all above it whose budget does not count above already.
        func fits(_ units: Int, at id: String, _ window: Int64) -> Bool {
            var next: String? = id
            while let place = next, let node = nodes[place] {
                if committed(place, window) + units > node.budget { return false }
                if node.isCarved, node.isLive { return true }
                next = node.parent
            }
            return true
        }

        func chain(_ id: String) -> [String] {
            var chain: [String] = []
            var next: String? = id
            while let place = next {
                chain.append(place)
                next = nodes[place]?.parent
            }
            return chain
        }

        mutating func revoke(_ id: String) {
            for place in order where chain(place).contains(id) {
                // Answers that are being given are cut, and come to what they come to.
                nodes[place]?.isLive = false
            }
        }
    }

    #if DEBUG
        static let steps = 3_000
    #else
        static let steps = 30_000
    #endif

    @Test func randomTreesSpendCarveAndEndAsTheModelSays() throws {
        var random = Seed.generator()
        var world = try World(agents: 40)
        var model = Model()
        var (accepted, refused) = (0, 0)
        var length = 0
        for step in 0..<Self.steps {
            // A new tree now and then: old ones are dead by then.
            if model.order.isEmpty || length > 300 {
                length = 0
                model = Model()
                let budget = Int.random(in: 1...1_000, using: &random)
                let root = try world.grant("ann", "a0", world.terms(budget, expires: 1 << 36))
                model.nodes[root] = .init(parent: nil, agent: "a0", budget: budget, isCarved: false)
                model.order = [root]
            }
            length += 1
            let window = MandatePeriod.number(of: world.time(world.now), "day")
            let place = try #require(model.order.randomElement(using: &random))
            let node = try #require(model.nodes[place])
            var expected = false
            var happened = false
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<20:
                let budget = Int.random(in: 1...max(1, node.budget), using: &random)
                let isCarved = Bool.random(using: &random)
                let free: [String] = (0..<40).map { "a\($0)" }.filter { agent in
                    !model.chain(place).contains { model.nodes[$0]?.agent == agent }
                }
                guard model.chain(place).count < GrantRules.maximumDepth, let agent = free.randomElement(using: &random) else { continue }
                expected = node.isLive && (!isCarved || model.fits(budget, at: place, window))
                if let child = try? world.grant(node.agent, agent, parent: place, world.terms(budget, expires: 1 << 36, carved: isCarved)) {
                    happened = true
                    model.nodes[child] = .init(parent: place, agent: agent, budget: budget, isCarved: isCarved)
                    model.order.append(child)
                }
            case 20..<70:
                let units = Int.random(in: 1...max(1, node.budget / 2), using: &random)
                expected = node.isLive && model.fits(units, at: place, window)
                if let id = try? world.spend(node.agent, place, units) {
                    happened = true
                    model.payments[id] = .init(mandate: place, window: window, amount: units, counted: units)
                }
            case 70..<85:
                guard let id = model.payments.keys.sorted().randomElement(using: &random), let payment = model.payments[id] else {
                    continue
                }
                let units = Int.random(in: 0...payment.amount, using: &random)
                expected = payment.isRunning
                if (try? world.decide(payment.mandate, SpendingRules.settle(id, World.amount(units)))) != nil {
                    happened = true
                    model.payments[id]?.counted = units
                    model.payments[id]?.isRunning = false
                }
            case 85..<90:
                guard let id = model.payments.keys.sorted().randomElement(using: &random), let payment = model.payments[id] else {
                    continue
                }
                expected = true
                happened = (try? world.decide(payment.mandate, SpendingRules.free(id))) != nil
                if payment.isRunning {
                    model.payments[id]?.counted = 0
                    model.payments[id]?.isRunning = false
                }
            case 90..<94:
                guard place != model.order[0] || Int.random(in: 0..<20, using: &random) == 0 else { continue }
                expected = true
                happened = (try? world.decide("ann", GrantRules.revoke(place))) != nil
                model.revoke(place)
            default:
                world.now += Int64.random(in: 1...40_000, using: &random)
                continue
            }
            try #require(expected == happened, "step \(step) of seed \(random.seed)")
            if happened { accepted += 1 } else { refused += 1 }
            for id in model.order {
                guard let known = model.nodes[id], known.isLive else { continue }
                let free = try #require(world.state.mandates[id]).free(in: window)
                try #require(
                    free == Int128(known.budget - model.committed(id, window)), "free of \(id) at step \(step), seed \(random.seed)")
                try #require(free >= 0)
            }
        }
        print("mandates, seed \(random.seed): \(accepted) accepted, \(refused) refused")
        #expect(accepted > Self.steps / 4 && refused > Self.steps / 20)
    }
}
