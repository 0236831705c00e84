public import Crypto

/// Somebody who looks at every event while a log is audited.
public protocol LogFollower: Sendable {
    /// What is made of the events of one tile.
    associatedtype Page: Sendable

    /// Whether it looks at events at all; where it does not, they are not taken apart for it.
    var looksAtEvents: Bool { get }

    /// Reads the events of a tile, several tiles side by side, each on a thread that may compute. Their versions are not known.
    /// - Parameter leaves: the hash of each.
    func read(_ events: [LoggedEvent], leaves: [Digest]) -> Page

    /// Takes what was read, in the log's order.
    func take(_ page: Page) async throws

    /// So far everything is sound; called now and then, and after the last event.
    func reached(_ tree: LogAudit.KnownTree) async throws
}

/// An audit that nobody follows.
struct NobodyFollows: LogFollower {
    var looksAtEvents: Bool { false }
    func read(_ events: [LoggedEvent], leaves: [Digest]) {}
    func take(_ page: Void) async throws {}
    func reached(_ tree: LogAudit.KnownTree) async throws {}
}
