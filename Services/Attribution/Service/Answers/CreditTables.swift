internal import AttributionDomain
internal import Events
internal import Synchronization
internal import Threads

/// Tables of who may be credited, which answers of one model share until something is taken back or claimed. They are as long as their
/// snapshots: made once and not for each answer, and only some are kept.
final class CreditTables: Sendable {
    /// What a table follows from.
    struct Key: Hashable, Sendable {
        let sources: [AttributionStatement.Source]
        let withdrawn: UInt64?
        let renamed: UInt64?
        let rules: Int

        init(_ task: AttributionTask, _ sources: [AttributionStatement.Source]) {
            let position = task.trigger.position
            self.sources = sources
            withdrawn = task.withdrawals.last(before: position)
            rules = CreditTable.rules(of: task.model?.attribution)
            renamed = task.owners.lastChange(before: position, rules: rules)
        }
    }

    private let kept = Lock(SizedCache<Key, CreditTable>(limit: 256 << 20))
    private let turns = Turns<Key>()

    /// The table of this key; made where it is not kept, by one at a time.
    func table(_ key: Key, _ make: @escaping @Sendable () async throws -> CreditTable) async throws -> CreditTable {
        if let known = find(key) { return known }
        return try await turns.take(key) {
            if let known = self.find(key) { return known }
            let table = try await make()
            self.kept.withLock { $0.keep(table, for: key, bytes: 512 * table.items.facts.count) }
            return table
        }
    }

    private func find(_ key: Key) -> CreditTable? { kept.withLock { $0[key] } }
}
