import AdapterRouter

/// The router that the gateway ships.
struct ShippedRouter: Policy {
    private var router: AdapterRouter
    private let names: [AdapterName]
    private var numbers: [AdapterName: Int] = [:]

    init(_ world: World) {
        var options = RouterOptions()
        options.mostWaiting = 100_000
        options.mostWaitingOfOne = 100_000
        options.longestWait = .max / 4
        router = AdapterRouter(
            (0..<world.backends).map {
                BackendProfile(
                    name: "b\($0)", bases: ["base"], slots: world.slots, concurrency: world.concurrency, loads: world.loads)
            }, options: options)
        names = world.loadTimes.indices.map { AdapterName(base: "base", adapter: "\($0)") }
        for (number, name) in names.enumerated() { numbers[name] = number }
    }

    mutating func submit(_ request: Int, adapter: Int, at now: Int64) -> [Act] {
        acts(router.submit(RoutedRequest(id: UInt64(request), name: names[adapter], principal: "all"), at: now))
    }

    mutating func finished(_ request: Int, at now: Int64) -> [Act] { acts(router.finished(UInt64(request), .served, at: now)) }

    mutating func loaded(_ adapter: Int, backend: Int, at now: Int64) -> [Act] { acts(router.loaded(names[adapter], on: backend, at: now)) }

    mutating func tick(at now: Int64) -> [Act] { acts(router.tick(at: now)) }

    private func acts(_ actions: [RouterAction]) -> [Act] {
        actions.compactMap { action in
            switch action {
            case .start(let request, _, let isCold): .start(request: Int(request), isCold: isCold)
            case .load(let name, let backend): .load(adapter: numbers[name] ?? 0, backend: backend)
            case .unload: nil
            case .refuse(let request, _): .refuse(request: Int(request))
            }
        }
    }
}

/// What is usual: each backend keeps what it used last (LRU) and has a queue of its own; a request goes where its adapter is, to the
/// shortest queue of those; or to the shortest of all. Or by consistent hashing with bounded loads (Mirrokni, Thorup and
/// Zadimoghaddam, 2018).
struct UsualRouting: Policy {
    private struct Backend {
        var queue: [(request: Int, adapter: Int, isCold: Bool)] = []
        var running = 0
        var loading: Set<Int> = []
        /// Adapters, with when each was used last.
        var used: [Int: Int] = [:]
        var users: [Int: Int] = [:]
        /// Adapters that requests in the queue wait for.
        var awaited: [Int: Int] = [:]
    }

    private static func less(_ counts: inout [Int: Int], _ adapter: Int) {
        guard let count = counts[adapter] else { return }
        counts[adapter] = count > 1 ? count - 1 : nil
    }

    private let world: World
    private let ring: [(point: UInt64, backend: Int)]?
    private var backends: [Backend]
    private var homes: [Int: Set<Int>] = [:]
    private var places: [Int: (backend: Int, adapter: Int)] = [:]
    private var clock = 0

    init(_ world: World, hashes: Bool) {
        self.world = world
        backends = Array(repeating: Backend(), count: world.backends)
        guard hashes else {
            ring = nil
            return
        }
        ring = (0..<world.backends * 100).map { number in
            var random = Random(UInt64(number) &* 0x9E37_79B9)
            return (random.next(), number / 100)
        }.sorted { $0.point < $1.point }
    }

    mutating func submit(_ request: Int, adapter: Int, at now: Int64) -> [Act] {
        let backend = choose(adapter)
        backends[backend].queue.append((request, adapter, !isReady(adapter, backend)))
        backends[backend].awaited[adapter, default: 0] += 1
        return serve(backend)
    }

    mutating func finished(_ request: Int, at now: Int64) -> [Act] {
        guard let place = places.removeValue(forKey: request) else { return [] }
        backends[place.backend].running -= 1
        Self.less(&backends[place.backend].users, place.adapter)
        return serve(place.backend)
    }

    mutating func loaded(_ adapter: Int, backend: Int, at now: Int64) -> [Act] {
        backends[backend].loading.remove(adapter)
        return serve(backend)
    }

    mutating func tick(at now: Int64) -> [Act] { [] }

    private func isReady(_ adapter: Int, _ backend: Int) -> Bool {
        backends[backend].used[adapter] != nil && !backends[backend].loading.contains(adapter)
    }

    private func load(_ backend: Int) -> Int { backends[backend].running + backends[backend].queue.count }

    private func choose(_ adapter: Int) -> Int {
        if let ring {
            let total = backends.reduce(0) { $0 + $1.running + $1.queue.count } + 1
            let most = (total * 5 + 4 * backends.count - 1) / (4 * backends.count)
            var random = Random(UInt64(adapter) &+ 0x5851_F42D)
            let point = random.next()
            var (low, high) = (0, ring.count)
            while low < high {
                let middle = (low + high) / 2
                if ring[middle].point < point { low = middle + 1 } else { high = middle }
            }
            for step in 0..<ring.count {
                let backend = ring[(low + step) % ring.count].backend
                if load(backend) < max(most, world.concurrency) { return backend }
            }
            return ring[low % ring.count].backend
        }
        let able = homes[adapter].map { $0.isEmpty ? Array(backends.indices) : $0.sorted() } ?? Array(backends.indices)
        return able.min { (load($0), $0) < (load($1), $1) } ?? 0
    }

    private mutating func serve(_ backend: Int) -> [Act] {
        var acts: [Act] = []
        var index = 0
        while index < min(256, backends[backend].queue.count), backends[backend].running < world.concurrency {
            let (request, adapter, isCold) = backends[backend].queue[index]
            if isReady(adapter, backend) {
                backends[backend].queue.remove(at: index)
                Self.less(&backends[backend].awaited, adapter)
                clock += 1
                backends[backend].used[adapter] = clock
                backends[backend].users[adapter, default: 0] += 1
                backends[backend].running += 1
                places[request] = (backend, adapter)
                acts.append(.start(request: request, isCold: isCold))
                continue
            }
            if !backends[backend].loading.contains(adapter), backends[backend].loading.count < world.loads, makeRoom(backend) {
                clock += 1
                backends[backend].used[adapter] = clock
                backends[backend].loading.insert(adapter)
                homes[adapter, default: []].insert(backend)
                backends[backend].queue[index].isCold = true
                acts.append(.load(adapter: adapter, backend: backend))
            }
            index += 1
        }
        return acts
    }

    private mutating func makeRoom(_ backend: Int) -> Bool {
        guard backends[backend].used.count >= world.slots else { return true }
        var oldest = -1
        var use = Int.max
        for (adapter, last) in backends[backend].used where last < use {
            guard backends[backend].users[adapter] == nil, !backends[backend].loading.contains(adapter),
                backends[backend].awaited[adapter] == nil
            else { continue }
            (oldest, use) = (adapter, last)
        }
        guard oldest >= 0 else { return false }
        backends[backend].used[oldest] = nil
        homes[oldest]?.remove(backend)
        return true
    }
}
