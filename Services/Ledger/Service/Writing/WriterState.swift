internal import Crypto
internal import EventLog
internal import LedgerDomain
internal import Postgres

/// The state that only the leader has: how long the log is, the right edge of its tree, and the streams it met lately.
struct WriterState: Sendable {
    /// Streams whose length is remembered.
    static let rememberedStreams = 200_000
    /// After a surprise (a command or stream that was there already) so many batches look before they write.
    static let carefulBatches = 64

    var tree: TileBuilder
    var heads = RecentCache<Key128, UInt64>(capacity: rememberedStreams)
    var careful = 0
    /// Of runs that came in several batches, the streams that their later appends may not rest on.
    var broken = RecentCache<UInt64, Set<Key128>>(capacity: 4_096)
    /// How often a surprise has made what was decided before it void.
    var surprises = 0
    /// Buffers that no batch is in, kept for their memory.
    var buffers: [CopyBuffers] = []
}

/// A batch's rows and the tiles that they fill, as they go to the server.
struct CopyBuffers: Sendable {
    var rows = BinaryCopy(columns: 6)
    var tiles = BinaryCopy(columns: 4)
}

/// A batch that is decided and not stored yet. The state has gone on as if it were stored.
struct DraftBatch: Sendable {
    let plan: BatchPlan
    let outcomes: [Result<Appended, LogError>]
    /// Streams that were taken for new without a look.
    let guessed: Set<Key128>
    /// The tree without it, and with it.
    let before: TileBuilder
    var after: TileBuilder
    let tiles: [FullTile]
    /// Of a batch that is worth a COPY.
    var buffers: CopyBuffers?
    /// ``WriterState/surprises`` when it was decided.
    let surprises: Int
}

/// What a written batch means to the rest of the process.
struct WrittenBatch: Sendable {
    let outcomes: [Result<Appended, LogError>]
    let size: UInt64
    var events: [LoggedEvent] = []
    var root = Merkle.emptyRoot
    /// Whether the commit has waited for the disk, or there was nothing to commit.
    var isOnDisk: Bool
}
