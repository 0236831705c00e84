public import EventLog

/// Reads the ledger by position: in the same process, or by long poll over REST.
public struct LedgerCarrier: EventCarrier {
    private let client: any LogClient

    /// - Parameter client: the log, near or far.
    public init(_ client: any LogClient) { self.client = client }

    /// Events from `next` on, in order, without holes.
    public func deliver(from next: UInt64, limit: Int, wait: Duration) async throws -> LogBatch {
        try await client.read(from: next, limit: limit, wait: wait)
    }

    /// Nothing to let go of.
    public func close() async {}
}
