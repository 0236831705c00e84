internal import Blobs
internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import EventLog
internal import Events
internal import JSON
internal import Postgres
internal import Projections
internal import ServiceShell
internal import Telemetry

/// What the routes and the workers of this service share.
struct DatanetCore: Sendable {
    let maker: DecisionMaker<DatanetState>
    let lists: ItemLists
    let writings: Writings
    let pool: PostgresPool
    let projection: ProjectionRunner
    let log: any LogClient
    let peers: Peers
    let clock: @Sendable () -> Timestamp
    let logger: Logger

    /// Who decides what nobody asked for: reactions and deadlines.
    static let itself = "datanet"
    /// How often something is prepared anew when the Datanet keeps changing.
    static let attempts = 8

    /// Prepares something on a state and decides it; prepared anew while the state has moved on.
    func prepared<Preparation: Sendable>(
        _ prepare: () async throws -> Preparation, decide: (Preparation) async throws -> Outcome
    ) async throws -> Outcome {
        for _ in 1..<Self.attempts {
            do { return try await decide(try await prepare()) } catch let refusal as DatanetRefusal where refusal.kind == .stale {}
        }
        return try await decide(try await prepare())
    }

    /// The root of the log over its first `size` events, as the ledger says. Whoever doubts it computes it from the tiles.
    func root(size: UInt64) async throws -> Digest {
        let answer = try await peers.call("GET", .ledger, "/log/v1/proofs/inclusion?position=\(size - 1)&size=\(size)")
        guard let root = answer["root"]?.stringValue.flatMap({ Digest(prefixed: $0) }) else {
            throw DecisionError.unavailable("the ledger gave no root of \(size) events")
        }
        return root
    }
}
