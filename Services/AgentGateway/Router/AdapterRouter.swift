/// Decides which backend answers which request, and which adapters are where.
///
/// A value without clock, input or output: events come in with their time, what shall be done comes out, and the same events give
/// the same actions. So whatever drives it, the gateway or a simulation, drives the same code.
///
/// A request goes to a backend that has its adapter ready and a place free; else its adapter is brought in, once however many ask,
/// in the place of the one that is worth least: popularity times what it costs to bring in. Nothing is fixed to a backend before it
/// begins, so what waits goes elsewhere when a backend fails, closes or drains.
public struct AdapterRouter: Sendable {
    struct Running: Sendable {
        var guest: WaitingRoom.Guest
        let backend: Int
        let began: Int64
        /// Whether it tries if a closed backend is back.
        let isProbe: Bool
    }

    /// Its bounds.
    public let options: RouterOptions
    var backends: [BackendState]
    var room = WaitingRoom()
    var popularity: Popularity
    /// Adapters get a number when they are first seen.
    var numbers: [AdapterName: Int] = [:]
    var names: [AdapterName] = []
    /// Backends on which an adapter is ready or coming.
    var places: [[Int]] = []
    /// What bringing in an adapter took, in microseconds, where it was measured.
    var loadTimes: [Double?] = []
    var running: [UInt64: Running] = [:]
    private let backendsOfBase: [String: [Int]]
    private let backendsOfAnyBase: [Int]
    private let embedding: [String: [Int]]
    /// Whether there are backends in which bases do not mix.
    let hasUnmixed: Bool
    /// What a request takes once it has begun, as a mean that forgets.
    var serviceTime = 500_000.0

    /// A router over these backends, nothing loaded but what is fixed.
    public init(_ profiles: [BackendProfile], options: RouterOptions = RouterOptions()) {
        self.options = options
        backends = profiles.map { BackendState($0, usualLoad: options.usualLoad) }
        popularity = Popularity(options.popularity)
        hasUnmixed = profiles.contains { !$0.mixesBases }
        let ofAny = profiles.indices.filter { profiles[$0].bases == nil }
        var ofBase: [String: [Int]] = [:]
        for profile in profiles {
            for base in profile.bases ?? [] where ofBase[base] == nil {
                ofBase[base] = profiles.indices.filter { profiles[$0].bases?.contains(base) ?? true }
            }
        }
        backendsOfBase = ofBase
        backendsOfAnyBase = ofAny
        var embedding: [String: [Int]] = [:]
        for (index, profile) in profiles.enumerated() {
            for base in profile.embeds { embedding[base, default: []].append(index) }
        }
        self.embedding = embedding
        for (index, profile) in profiles.enumerated() {
            for name in profile.fixed {
                let adapter = number(name, at: 0)
                backends[index].residents[adapter] = BackendState.Residence(phase: .ready, began: 0, isFixed: true)
                places[adapter].append(index)
            }
        }
    }

    // MARK: Requests

    /// A request has come.
    public mutating func submit(_ request: RoutedRequest, at now: Int64) -> [RouterAction] {
        let candidates = candidates(for: request.name)
        guard !candidates.isEmpty else { return [.refuse(request: request.id, .unknown)] }
        let adapter = request.name.adapter == nil ? nil : number(request.name, at: now)
        if let adapter {
            note(adapter, at: now)
            guard candidates.contains(where: { backends[$0].profile.loads > 0 || backends[$0].residents[adapter] != nil }) else {
                return [.refuse(request: request.id, .unknown)]
            }
        }
        room.add(WaitingRoom.Guest(request: request, adapter: adapter, arrived: now, tag: room.tag(request)))
        var actions = dispatch(now)
        if let index = room.count == 0 ? nil : room.index(of: request.id) { bound(index, now, &actions) }
        return actions
    }

    /// A request that waits for its turn is wanted no more. For one that has begun use ``finished(_:_:at:)``.
    public mutating func cancel(_ id: UInt64, at now: Int64) -> [RouterAction] {
        guard let index = room.index(of: id) else { return [] }
        forget(room.remove(at: index))
        return dispatch(now)
    }

    /// A request that had begun is over.
    public mutating func finished(_ id: UInt64, _ outcome: RouterOutcome, at now: Int64) -> [RouterAction] {
        guard let ended = running.removeValue(forKey: id) else { return [] }
        let (backend, guest) = (ended.backend, ended.guest)
        backends[backend].end(guest.request.name.base)
        if ended.isProbe { backends[backend].probes -= 1 }
        if let adapter = guest.adapter { release(adapter, on: backend, now) }
        var actions: [RouterAction] = []
        switch outcome {
        case .served:
            backends[backend].served += 1
            // Embeddings have a door of their own: that it works or not says nothing of the door of answers.
            if !guest.request.name.embeds { recover(backend) }
            serviceTime += (Double(now - ended.began) - serviceTime) / 32
        case .failed:
            if !guest.request.name.embeds { fault(backend, now) }
            again(guest, excluding: backend, &actions)
        case .busy: again(guest, excluding: backend, &actions)
        case .broke: fault(backend, now)
        case .missing:
            if let adapter = guest.adapter { remove(adapter, from: backend) }
            var guest = guest
            guest.isCold = true
            again(guest, excluding: nil, &actions)
        case .ended: break
        }
        return actions + dispatch(now)
    }

    /// A request that has begun is being answered: its backend is well.
    public mutating func heard(_ id: UInt64, at now: Int64) -> [RouterAction] {
        guard let backend = running[id]?.backend, backends[backend].failures > 0 else { return [] }
        recover(backend)
        return dispatch(now)
    }

    private mutating func recover(_ backend: Int) {
        backends[backend].failures = 0
        backends[backend].closures = 0
        backends[backend].reopens = nil
    }

    // MARK: Adapters

    /// A backend has brought an adapter in.
    public mutating func loaded(_ name: AdapterName, on backend: Int, at now: Int64) -> [RouterAction] {
        guard let adapter = numbers[name], let residence = backends[backend].residents[adapter], residence.phase == .loading else {
            return []
        }
        let took = Double(max(1, now - residence.began))
        backends[backend].residents[adapter]?.phase = .ready
        backends[backend].loading -= 1
        backends[backend].loadTime += (took - backends[backend].loadTime) / 8
        loadTimes[adapter] = loadTimes[adapter].map { $0 + (took - $0) / 4 } ?? took
        return dispatch(now)
    }

    /// A backend could not bring an adapter in.
    /// - Parameter isFault: whether that speaks against the backend, rather than the adapter.
    public mutating func loadFailed(_ name: AdapterName, on backend: Int, isFault: Bool, at now: Int64) -> [RouterAction] {
        guard let adapter = numbers[name], backends[backend].residents[adapter]?.phase == .loading else { return [] }
        let claim = backends[backend].residents[adapter]?.claim
        backends[backend].loading -= 1
        remove(adapter, from: backend)
        if isFault { fault(backend, now) }
        var actions: [RouterAction] = []
        var index = 0
        while index < room.count {
            guard room.guests[index].adapter == adapter else {
                index += 1
                continue
            }
            room.change(index) { guest in
                guest.excluded.insert(backend)
                if guest.request.id == claim { guest.tries += 1 }
            }
            if room.guests[index].tries >= options.attempts {
                let guest = room.remove(at: index)
                forget(guest)
                actions.append(.refuse(request: guest.request.id, .failed))
            } else {
                index += 1
            }
        }
        return actions + dispatch(now)
    }

    // MARK: Backends

    /// Sends nothing new to a backend, or sends again. What runs there runs to its end.
    public mutating func drain(_ backend: Int, _ isDraining: Bool, at now: Int64) -> [RouterAction] {
        backends[backend].isDraining = isDraining
        return dispatch(now)
    }

    /// Time has passed: refuses what waited for too long, tries again what may go now. To be called now and then while anything waits.
    public mutating func tick(at now: Int64) -> [RouterAction] {
        var actions: [RouterAction] = []
        var index = 0
        while index < room.count {
            guard now - room.guests[index].arrived >= options.longestWait else {
                index += 1
                continue
            }
            let guest = room.remove(at: index)
            forget(guest)
            actions.append(.refuse(request: guest.request.id, .tooLate(retryAfter: expectedWait)))
        }
        return actions + dispatch(now)
    }

    // MARK: Reading

    /// Requests that wait.
    public var waiting: Int { room.count }

    /// Requests that have begun and are not over.
    public var runningCount: Int { running.count }

    /// Why a request of this principal could not even wait now; nil when it could. To ask before anything costly is done for it.
    public func refusal(for principal: String) -> RouterRefusal? {
        if room.ofPrincipal[principal] ?? 0 >= options.mostWaitingOfOne { return .tooManyOfOne(retryAfter: expectedWait) }
        if room.count >= options.mostWaiting, room.lastOfGreediest(above: (room.ofPrincipal[principal] ?? 0) + 1) == nil {
            return .full(retryAfter: expectedWait)
        }
        return nil
    }

    /// Backends that answer with this base, or embed with it, by their numbers.
    func candidates(for name: AdapterName) -> [Int] {
        name.embeds ? embedding[name.base] ?? [] : backendsOfBase[name.base] ?? backendsOfAnyBase
    }

    /// The number of a backend.
    public func backend(named name: String) -> Int? { backends.firstIndex { $0.profile.name == name } }

    /// How all backends are doing, in their order.
    public var figures: [BackendFigures] {
        backends.map { backend in
            BackendFigures(
                name: backend.profile.name, isOpen: !backend.isDraining && backend.reopens == nil, isDraining: backend.isDraining,
                running: backend.running, resident: backend.residents.count - backend.loading, loading: backend.loading,
                served: backend.served, hits: backend.hits, misses: backend.misses, evictions: backend.evictions,
                loadTime: Int64(backend.loadTime))
        }
    }

    /// The adapters that are ready on a backend, sorted.
    public func residents(of backend: Int) -> [AdapterName] {
        backends[backend].residents.filter { $0.value.phase == .ready }.map { names[$0.key] }.sorted { $0.description < $1.description }
    }

    /// Microseconds until what waits now has begun, by what requests took lately; from one second to a minute.
    var expectedWait: Int64 {
        let places = backends.reduce(0) { $0 + ($1.isDraining || $1.reopens != nil ? 0 : $1.profile.concurrency) }
        let wait = Double(room.count + 1) * serviceTime / Double(max(1, places))
        return Int64(min(60_000_000, max(1_000_000, wait)))
    }
}
