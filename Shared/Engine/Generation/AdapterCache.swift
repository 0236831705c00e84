internal import Synchronization
internal import Threads

/// Adapters kept in memory under a byte budget, by name: the one used longest ago leaves first, never one that is pinned. Two
/// who ask for the same at once share one load. Who holds an adapter keeps it whatever the cache does.
public final class AdapterCache: Sendable {
    private struct Entry {
        var adapter: Adapter
        var used: Int
        var isPinned: Bool
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var loading: [String: Task<Adapter, any Error>] = [:]
        var bytes = 0
        var clock = 0
    }

    /// Bytes that resident adapters may take together.
    public let budget: Int
    private let state = Lock(State())
    private let load: @Sendable (String) async throws -> Adapter

    /// - Parameter load: gets an adapter that is not resident; runs once however many ask.
    public init(budget: Int, load: @escaping @Sendable (String) async throws -> Adapter) {
        self.budget = budget
        self.load = load
    }

    /// The adapter of that name, loaded if need be.
    public func adapter(_ name: String) async throws -> Adapter {
        enum Found {
            case resident(Adapter)
            case coming(Task<Adapter, any Error>)
        }
        let found: Found = state.withLock { state in
            if let entry = state.entries[name] {
                state.clock += 1
                state.entries[name]?.used = state.clock
                return .resident(entry.adapter)
            }
            if let task = state.loading[name] { return .coming(task) }
            let task = Task { [load] in
                do {
                    let adapter = try await load(name)
                    try self.store(name, adapter)
                    return adapter
                } catch {
                    self.state.withLock { $0.loading[name] = nil }
                    throw error
                }
            }
            state.loading[name] = task
            return .coming(task)
        }
        switch found {
        case .resident(let adapter): return adapter
        case .coming(let task): return try await task.value
        }
    }

    /// Keeps a resident adapter from leaving, or lets it.
    public func pin(_ name: String, _ isPinned: Bool = true) { state.withLock { $0.entries[name]?.isPinned = isPinned } }

    /// Takes an adapter out.
    public func remove(_ name: String) {
        state.withLock { state in
            if let entry = state.entries.removeValue(forKey: name) { state.bytes -= entry.adapter.byteCount }
        }
    }

    /// The names that are resident, sorted, and the bytes that they take.
    public var resident: (names: [String], bytes: Int) { state.withLock { ($0.entries.keys.sorted(), $0.bytes) } }

    private func store(_ name: String, _ adapter: Adapter) throws(EngineError) {
        let fits: Bool = state.withLock { state in
            state.loading[name] = nil
            let pinned = state.entries.values.reduce(0) { $0 + ($1.isPinned ? $1.adapter.byteCount : 0) }
            guard pinned + adapter.byteCount <= budget else { return false }
            while state.bytes + adapter.byteCount > budget,
                let oldest = state.entries.filter({ !$0.value.isPinned }).min(by: { $0.value.used < $1.value.used })
            {
                state.entries[oldest.key] = nil
                state.bytes -= oldest.value.adapter.byteCount
            }
            state.clock += 1
            state.entries[name] = Entry(adapter: adapter, used: state.clock, isPinned: false)
            state.bytes += adapter.byteCount
            return true
        }
        guard fits else {
            throw .outOfMemory(needed: adapter.byteCount, limit: budget, what: "adapter \(name) beside those that are pinned")
        }
    }
}
