import AdapterRouter
import Testing

/// Does what the router says, and checks with every action that it could be done.
struct RouterHouse {
    var router: AdapterRouter
    let profiles: [BackendProfile]
    var now: Int64 = 0
    private(set) var running: [UInt64: (backend: Int, name: AdapterName)] = [:]
    private(set) var loading: [(name: AdapterName, backend: Int)] = []
    private(set) var resident: [Set<AdapterName>]
    private(set) var refused: [UInt64: RouterRefusal] = [:]
    private(set) var began: [UInt64] = []
    private(set) var cold: Set<UInt64> = []
    private(set) var unloaded: [AdapterName] = []
    private(set) var loads = 0
    private var names: [UInt64: AdapterName] = [:]
    var draining: Set<Int> = []
    private var next: UInt64 = 0

    init(_ profiles: [BackendProfile], _ change: (inout RouterOptions) -> Void = { _ in }) {
        var options = RouterOptions()
        change(&options)
        router = AdapterRouter(profiles, options: options)
        self.profiles = profiles
        resident = profiles.map { Set($0.fixed) }
    }

    @discardableResult
    mutating func ask(_ base: String, _ adapter: String? = nil, by principal: String = "ann", work: Int = 1) -> UInt64 {
        submit(AdapterName(base: base, adapter: adapter), principal, work)
    }

    @discardableResult
    mutating func embed(_ base: String, by principal: String = "ann") -> UInt64 { submit(AdapterName(embedding: base), principal, 1) }

    private mutating func submit(_ name: AdapterName, _ principal: String, _ work: Int) -> UInt64 {
        next += 1
        names[next] = name
        perform(router.submit(RoutedRequest(id: next, name: name, principal: principal, work: work), at: now))
        return next
    }

    mutating func finish(_ id: UInt64, _ outcome: RouterOutcome = .served) {
        let place = running.removeValue(forKey: id)
        if outcome == .missing, let place { resident[place.backend].remove(place.name) }
        perform(router.finished(id, outcome, at: now))
    }

    mutating func hear(_ id: UInt64) { perform(router.heard(id, at: now)) }

    mutating func cancel(_ id: UInt64) { perform(router.cancel(id, at: now)) }

    /// The oldest load ends.
    mutating func load(fails: Bool? = nil) {
        guard !loading.isEmpty else { return }
        let (name, backend) = loading.removeFirst()
        if let fails {
            perform(router.loadFailed(name, on: backend, isFault: fails, at: now))
        } else {
            resident[backend].insert(name)
            perform(router.loaded(name, on: backend, at: now))
        }
    }

    mutating func drain(_ backend: Int, _ isDraining: Bool = true) {
        if isDraining { draining.insert(backend) } else { draining.remove(backend) }
        perform(router.drain(backend, isDraining, at: now))
    }

    mutating func pass(_ microseconds: Int64) {
        now += microseconds
        perform(router.tick(at: now))
    }

    private mutating func perform(_ actions: [RouterAction]) {
        for action in actions {
            switch action {
            case .start(let id, let backend, let isCold):
                let name = names[id] ?? AdapterName(base: "?")
                #expect(running[id] == nil && refused[id] == nil)
                let profile = profiles[backend]
                #expect(name.embeds ? profile.embeds.contains(name.base) : profile.bases?.contains(name.base) ?? true)
                #expect(!draining.contains(backend))
                #expect(name.adapter == nil || resident[backend].contains(name), "\(name) is not on \(backend)")
                running[id] = (backend, name)
                began.append(id)
                if isCold { cold.insert(id) }
                let beside = running.values.filter { $0.backend == backend }
                #expect(beside.count <= profiles[backend].concurrency)
                #expect(profiles[backend].mixesBases || Set(beside.map(\.name.base)).count == 1)
            case .load(let name, let backend):
                loads += 1
                #expect(!loading.contains { $0.name == name && $0.backend == backend } && !resident[backend].contains(name))
                loading.append((name, backend))
                let here = loading.count { $0.backend == backend }
                #expect(here <= profiles[backend].loads && here + resident[backend].count <= profiles[backend].slots)
            case .unload(let name, let backend):
                unloaded.append(name)
                #expect(!running.values.contains { $0.backend == backend && $0.name == name }, "\(name) is in use")
                #expect(resident[backend].remove(name) != nil && !profiles[backend].fixed.contains(name))
            case .refuse(let id, let refusal):
                #expect(running[id] == nil && refused[id] == nil)
                refused[id] = refusal
            }
        }
    }
}
