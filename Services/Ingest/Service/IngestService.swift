internal import Blobs
internal import Decisions
public import Events
internal import HTTPClient
internal import IngestDomain
internal import IngestParsing
internal import Postgres
public import ServiceShell
internal import Telemetry
internal import Threads
public import Web

/// Contributions: taken in, signed for, screened by public rules, withdrawn and erased.
public struct IngestService: RunnableService {
    let core: IngestCore

    /// Which service it is.
    public static let service = Service.ingest

    /// Wires it. Content lies in the service's folder, or in S3 where `S3_ENDPOINT` and its kin say so; the keys always lie in
    /// `KEYS`, a folder, and the master key in the file `MASTER_KEY_FILE`.
    public static func open(_ context: ServiceContext) async throws -> IngestService {
        let settings = context.settings
        let folder = settings.string("INGEST_KEYS", default: context.folder + "/keys")
        let path = settings.string("INGEST_MASTER_KEY_FILE", default: context.folder + "/master.key")
        let master = try await OSThread.run(name: "master-key") { try MasterKey.loadOrCreate(path) }
        let keys = try OwnerKeys(masters: [master], records: try FolderKeyRecords(root: folder))
        let blobs: any BlobStore
        if let endpoint = settings.string("INGEST_S3_ENDPOINT") {
            let s3 = try S3Settings(
                endpoint: endpoint, region: settings.string("INGEST_S3_REGION", default: "us-east-1"),
                bucket: try settings.required("INGEST_S3_BUCKET", "the bucket for contents"),
                prefix: settings.string("INGEST_S3_PREFIX", default: ""),
                accessKey: try settings.required("INGEST_S3_ACCESS_KEY", "the id of the S3 access key"),
                secretKey: try settings.secret("INGEST_S3_SECRET_KEY") ?? "")
            blobs = S3BlobStore(s3, transport: try CurlTransport())
        } else {
            blobs = try FolderBlobStore(root: context.folder + "/blobs")
        }
        let evidence = try context.openEvidence()
        let days = try settings.integer("INGEST_UPLOAD_DAYS", in: 1...3_650, default: 30)
        let maker = DecisionMaker(.ingest, log: context.log, clock: context.clock, logger: context.logger) { IngestState() }
        let places = ItemPlaces(evidence)
        let pool = PostgresPool(context.database, options: PoolOptions(size: 4))
        pool.addMetrics(to: context.metrics, pool: service.rawValue)
        return IngestService(
            core: IngestCore(
                maker: maker, drafts: Drafts(pool: pool),
                content: try SealedStore(blobs: blobs, keys: keys, space: "content", domain: .item),
                uploads: try SealedStore(blobs: blobs, keys: keys, space: "uploads", domain: .upload),
                evidence: evidence, keys: keys,
                reader: DocumentReader(confined: ConfinedReader(launcher: settings.string("CONFINE"))), clock: context.clock,
                logger: context.logger,
                screener: Screener(), withdrawals: Withdrawals(maker: maker, places: places, logger: context.logger),
                log: context.log, peers: context.peers, places: places, lists: ScreenedLists(evidence), folder: context.folder,
                uploadAge: .seconds(86_400 * days)))
    }

    /// Who works on contents reads them.
    public static let grants: [String: Set<String>] = [
        Service.datanet.rawValue: ["contributions:read", "content:read"],
        Service.training.rawValue: ["contributions:read", "content:read"],
        Service.attribution.rawValue: ["contributions:read", "content:read"],
        Service.agentGateway.rawValue: ["contributions:read", "content:read"],
    ]

    /// Its routes, and what must hold before it is ready.
    public var mount: Mount { Mount("ingest", routes: IngestRoutes(core: core).all, checks: [core.maker.readiness]) }

    /// Follows the log and screens uploads until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await core.maker.run() }
            group.addTask { await core.screener.run(core) }
            group.addTask { await core.withdrawals.run() }
        }
        await core.drafts.pool.close()
    }
}
