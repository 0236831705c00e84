import Crypto
import Decisions
import Events
import Identity
import JSON
import ServiceShell
import Web

/// What a service that runs apart from the gateway knows of tokens: whose keys were given up or taken away, and when. It follows the log, so
/// a token that was made before such a moment is refused here as soon as the log has told of it.
struct TokenWatch: RunnableService {
    /// It decides nothing; the ledger's own events are the fewest to remember.
    static let service = Service.ledger
    static let name = "token-watch"
    static let grants: [String: Set<String>] = [:]

    let mount: Mount
    let apiKeys: (any APIKeyStore)?
    private let maker: DecisionMaker<EndedKeys>

    static func open(_ context: ServiceContext) async throws -> TokenWatch {
        let maker = DecisionMaker(service, log: context.log, clock: context.clock, logger: context.logger) { EndedKeys() }
        return TokenWatch(mount: Mount(name, routes: [], checks: [maker.readiness]), apiKeys: Store(maker: maker), maker: maker)
    }

    func run() async { await maker.run() }

    private struct Store: APIKeyStore {
        let maker: DecisionMaker<EndedKeys>

        func record(for hash: Digest) async throws -> APIKeyRecord? { nil }
        func add(_ record: APIKeyRecord) async throws {}
        func revoke(_ hash: Digest) async throws {}
        func tokensEnd(of subject: String) async throws -> Int64? { try await maker.glance { $0.ends[subject] } }
    }
}

/// The last second whose tokens count no more, by principal.
struct EndedKeys: ServiceState {
    private(set) var ends: [String: Int64] = [:]

    static func concerns(_ type: String) -> Bool { type == KeyRotated.type }

    mutating func apply(_ fact: Fact) throws {
        let change = try KeyRotated(fact.data.object())
        guard change.removed != nil || change.recovered == true else { return }
        ends[change.principal] = max(ends[change.principal] ?? .min, fact.time.microseconds / 1_000_000)
    }
}
