/// What a simulated house looks like.
struct World {
    var backends = 1
    /// Adapters that one backend holds.
    var slots = 64
    /// Requests that one backend works on at once.
    var concurrency = 16
    /// Adapters that one backend brings in at once.
    var loads = 2
    /// Microseconds that bringing in each adapter takes.
    var loadTimes: [Int64] = []
}

/// Something that decides where requests go.
protocol Policy {
    mutating func submit(_ request: Int, adapter: Int, at now: Int64) -> [Act]
    mutating func finished(_ request: Int, at now: Int64) -> [Act]
    mutating func loaded(_ adapter: Int, backend: Int, at now: Int64) -> [Act]
    mutating func tick(at now: Int64) -> [Act]
}

/// What a policy wants to be done.
enum Act {
    case start(request: Int, isCold: Bool)
    case load(adapter: Int, backend: Int)
    case refuse(request: Int)
}

/// What came of a run, its first fifth left out, in which everything is cold.
struct Result {
    var hits = 0
    var counted = 0
    var loads = 0
    var refused = 0
    /// Microseconds from a request to its begin.
    var waits: [Int64] = []

    var hitRate: Double { Double(hits) / Double(max(1, counted)) }

    /// In milliseconds.
    func wait(_ share: Double) -> Double {
        guard !waits.isEmpty else { return 0 }
        let sorted = waits.sorted()
        return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]) / 1_000
    }
}

/// Runs a trace against a policy, event by event.
struct Simulation<Rule: Policy> {
    private enum Event {
        case finish(Int)
        case loaded(adapter: Int, backend: Int)
    }

    private let trace: [Trace.Request]
    private let world: World
    private var policy: Rule
    private var events = Heap<(time: Int64, number: Int, event: Event)> { ($0.time, $0.number) < ($1.time, $1.number) }
    private var number = 0
    private var result = Result()
    private var waiting = 0

    init(_ trace: Trace, _ world: World, _ policy: Rule) {
        self.trace = trace.requests
        self.world = world
        self.policy = policy
    }

    mutating func run() -> Result {
        var next = 0
        var tick: Int64 = 0
        while next < trace.count || events.first != nil {
            let arrival = next < trace.count ? trace[next].time : .max
            let event = events.first?.time ?? .max
            // A policy may act on time alone, while something waits.
            while waiting > 0, tick + 100_000 < min(arrival, event) {
                tick += 100_000
                perform(policy.tick(at: tick), tick)
            }
            if arrival <= event {
                tick = max(tick, arrival)
                waiting += 1
                perform(policy.submit(next, adapter: trace[next].adapter, at: arrival), arrival)
                next += 1
            } else if let top = events.pop() {
                tick = max(tick, top.time)
                switch top.event {
                case .finish(let request): perform(policy.finished(request, at: top.time), top.time)
                case .loaded(let adapter, let backend): perform(policy.loaded(adapter, backend: backend, at: top.time), top.time)
                }
            }
        }
        return result
    }

    private mutating func perform(_ acts: [Act], _ now: Int64) {
        for act in acts {
            switch act {
            case .start(let request, let isCold):
                waiting -= 1
                push(now + trace[request].service, .finish(request))
                guard request >= trace.count / 5 else { continue }
                result.counted += 1
                if !isCold { result.hits += 1 }
                result.waits.append(now - trace[request].time)
            case .load(let adapter, let backend):
                result.loads += 1
                push(now + world.loadTimes[adapter], .loaded(adapter: adapter, backend: backend))
            case .refuse:
                waiting -= 1
                result.refused += 1
            }
        }
    }

    private mutating func push(_ time: Int64, _ event: Event) {
        number += 1
        events.push((time, number, event))
    }
}

/// A binary heap.
struct Heap<Element> {
    private var elements: [Element] = []
    private let precedes: (Element, Element) -> Bool

    init(_ precedes: @escaping (Element, Element) -> Bool) { self.precedes = precedes }

    var first: Element? { elements.first }

    mutating func push(_ element: Element) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0, precedes(elements[child], elements[(child - 1) / 2]) {
            elements.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Element? {
        guard let top = elements.first else { return nil }
        let last = elements.removeLast()
        guard !elements.isEmpty else { return top }
        elements[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < elements.count && precedes(elements[child], elements[least]) {
                least = child
            }
            if least == parent { return top }
            elements.swapAt(parent, least)
            parent = least
        }
    }
}
