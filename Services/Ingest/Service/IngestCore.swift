internal import Blobs
internal import Decisions
internal import EventLog
internal import Events
internal import IngestDomain
internal import IngestParsing
internal import Postgres
internal import ServiceShell
internal import Telemetry

/// What the routes and the screener of ingest share.
struct IngestCore: Sendable {
    let maker: DecisionMaker<IngestState>
    let drafts: Drafts
    let content: SealedStore
    let uploads: SealedStore
    let evidence: EvidenceStore
    let keys: OwnerKeys
    let reader: DocumentReader
    let clock: @Sendable () -> Timestamp
    let logger: Logger
    let screener: Screener
    let withdrawals: Withdrawals
    let log: any LogClient
    let peers: Peers
    let places: ItemPlaces
    let lists: ScreenedLists
    /// The most items of a contribution.
    var mostItems = IngestRules.mostItemsOfContribution
    /// Where sketches are kept while they are needed.
    let folder: String
    /// How long an upload is kept that nobody goes on with.
    var uploadAge: Duration
    let exports = Exports()
    let scanner = SecretScanner()

    /// The items of a contribution as they were screened.
    func items(of contribution: ContributionState) async throws -> [ScreenedItem] {
        switch contribution.screened?.items {
        case .entries(let entries): entries
        case .evidence(let hash, let count): try await lists.list(hash, count)
        case nil: []
        }
    }
}
