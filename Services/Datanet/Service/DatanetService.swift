internal import Blobs
internal import DatanetDomain
internal import Decisions
internal import EventLog
public import Events
internal import Postgres
internal import Projections
public import ServiceShell
internal import Telemetry
public import Web

/// Datanets: who belongs to them, what comes in, which versions are published, who reads them.
public struct DatanetService: RunnableService {
    /// `datanet`.
    public static let service = Service.datanet
    let core: DatanetCore

    /// Wires it.
    public static func open(_ context: ServiceContext) async throws -> DatanetService {
        let lists = ItemLists(evidence: try context.openEvidence())
        let projection = try ProjectionRunner(
            DatanetProjection(lists: lists), carrier: LedgerCarrier(context.log), client: context.log, database: context.database,
            logger: context.logger, metrics: context.metrics)
        let maker = DecisionMaker(.datanet, log: context.log, clock: context.clock, logger: context.logger) { DatanetState() }
        let pool = PostgresPool(context.database, size: 4)
        pool.addMetrics(to: context.metrics, pool: service.rawValue)
        return DatanetService(
            core: DatanetCore(
                maker: maker, lists: lists, writings: try Writings(blobs: try context.openBlobs(), folder: context.folder),
                pool: pool, projection: projection, log: context.log, peers: context.peers, clock: context.clock, logger: context.logger))
    }

    /// Training and attribution read snapshots; ingest asks for policies, billing and the gateway for rulings and grants.
    public static let grants: [String: Set<String>] = [
        Service.training.rawValue: ["datanets:read", "datanets:content"],
        Service.attribution.rawValue: ["datanets:read", "datanets:content"],
        Service.agentGateway.rawValue: ["datanets:read", "datanets:content", "rulings:write"],
        Service.ingest.rawValue: ["datanets:read"], Service.billing.rawValue: ["datanets:read", "rulings:write"],
    ]

    /// Its routes, and what must hold before it is ready.
    public var mount: Mount {
        Mount(
            "datanet", routes: DatanetRoutes(core: core).all,
            checks: [
                core.maker.readiness,
                ReadinessCheck("datanets") { [core] in core.projection.status.notReady.map { .notReady($0) } ?? .ready },
            ])
    }

    /// The tables of Datanets.
    public static func readModels(_ context: ServiceContext) throws -> [ReadModel] {
        [ReadModel(DatanetProjection(lists: ItemLists(evidence: try context.openEvidence())), log: context.log)]
    }

    /// Follows the log, reacts, and keeps rows and texts up to date until the task is cancelled.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await core.maker.run() }
            group.addTask { await core.projection.run() }
            group.addTask { await Reactor(core).run() }
            group.addTask { await TextCache(core: core, content: ItemContent(peers: core.peers)).run() }
        }
        await core.pool.close()
    }
}
