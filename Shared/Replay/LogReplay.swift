public import Crypto
internal import Decisions
public import EventLog
internal import Events
internal import Threads

/// Replays the events of all services while the log is audited: each service on a thread of its own, side by side.
///
/// Memory grows with what the services have to remember to decide, not with the log's length, but for 16 bytes for each append.
public actor LogReplay: LogFollower {
    private let services: [any ServiceReplaying]
    private let rooted: Set<String>
    private let from: UInt64
    private let whenReached: (@Sendable (LogAudit.KnownTree) async throws -> Void)?
    private var tree = TileBuilder()
    private var facts: [ReplayFact] = []

    /// - Parameters:
    ///   - services: who replays.
    ///   - rooted: types whose events others refer to by the root of the tree that ends with them.
    ///   - from: the first position whose decisions are made again.
    ///   - whenReached: called when all events of a tree have been replayed and nothing was found.
    public init(
        _ services: [any ServiceReplaying], rooted: Set<String> = [], from: UInt64 = 0,
        whenReached: (@Sendable (LogAudit.KnownTree) async throws -> Void)? = nil
    ) {
        self.services = services
        self.rooted = rooted
        self.from = from
        self.whenReached = whenReached
    }

    /// At all of them.
    nonisolated public var looksAtEvents: Bool { true }

    /// A tile's events.
    public struct Page: Sendable {
        let facts: [Fact]
        let leaves: [Digest]
    }

    /// Parses events that have been checked.
    nonisolated public func read(_ events: [LoggedEvent], leaves: [Digest]) -> Page {
        // Their form was checked a moment ago.
        Page(facts: events.compactMap { try? Fact($0) }, leaves: leaves)
    }

    /// Keeps them until there are enough to hand on.
    public func take(_ page: Page) throws {
        guard page.facts.count == page.leaves.count else {
            throw LogSourceError.malformed(path: "position \(tree.size)", reason: "has events that cannot be parsed")
        }
        for (fact, leaf) in zip(page.facts, page.leaves) {
            let position = tree.size
            tree.append(leaf)
            facts.append(ReplayFact(fact, position: position, root: rooted.contains(fact.type) ? tree.root : nil))
        }
        _ = tree.takeCompleted()
    }

    /// Hands them on to all services, and waits for the slowest.
    public func reached(_ known: LogAudit.KnownTree) async throws {
        await handOn()
        for service in services where !(await service.isSound) { return }
        try await whenReached?(known)
    }

    private func handOn() async {
        let batch = facts
        facts = []
        await withTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { await service.take(batch) } }
            await group.waitForAll()
        }
    }

    /// What came of it. Call it once, when the audit has ended.
    /// - Parameter isWhole: whether the log was read to its end; where it was not, nothing can be said to be missing at it.
    public func report(isWhole: Bool = true) async -> ReplayReport {
        await handOn()
        var reports: [ServiceReport] = []
        for service in services { reports.append(await service.finish(isWhole: isWhole)) }
        return ReplayReport(services: reports, from: from)
    }
}
