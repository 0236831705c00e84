internal import Crypto
internal import DatanetDomain
internal import Events
internal import JSON
public import Postgres
public import Projections

/// The rows that lists, searches and histories read.
public struct DatanetProjection: Projection {
    /// `datanets`.
    public let name = "datanets"
    /// `datanet`.
    public let schema = "datanet"
    /// 2: answers' passages are among the accesses.
    public let version = 2
    /// All but the cache of texts, which is no fold.
    public let tables = [
        "datanets", "members", "contributions", "items", "withdrawals", "erasures", "snapshots", "reviews", "proposals", "accesses",
        "rulings",
    ]
    private let lists: ItemLists
    /// Accesses that nothing is decided by.
    private static let accesses: Set<String> = [InferenceCompleted.type, AccessSearched.type]

    init(lists: ItemLists) { self.lists = lists }

    /// Applies events of this service, of ingest what concerns items, and of the gateway which passages answers were given.
    public func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
        for event in events where DatanetState.concerns(event.header.type) || Self.accesses.contains(event.header.type) {
            var writer = RowWriter(event: event, session: session, tables: tables, lists: lists)
            try writer.write()
        }
    }
}
