public import EventLog

/// Brings events from the log to a projection.
///
/// A carrier promises little: what it brings may be repeated, in any order, or have holes. The projection ignores what it has
/// seen and fetches from the ledger what is missing. What a carrier must do is bring something in the end: an event of the log
/// that no later event follows must still come by.
public protocol EventCarrier: Sendable {
    /// Events, if possible from `next` on, as soon as there are any; none after `wait`.
    /// - Parameter limit: about how many at most.
    /// - Throws: when it can bring nothing now. The caller tries again after a pause.
    func deliver(from next: UInt64, limit: Int, wait: Duration) async throws -> LogBatch

    /// Lets go of connections. Not to be used afterwards.
    func close() async
}
