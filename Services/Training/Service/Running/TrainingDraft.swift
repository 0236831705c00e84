internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// What a caller asks for in the body of a job's order, before the state has been asked.
struct TrainingDraft: Sendable {
    let owner: String
    let base: String
    let snapshots: [(datanet: String, number: Int)]
    let settings: JSONFields?
    let hold: String?
    let price: TrainingPrice

    /// Reads the body.
    init(_ context: RequestContext, price: TrainingPrice) throws {
        let owner = try context.caller.subject
        self = try context.decode { json in
            let fields = try json.object()
            let snapshots = try fields.array("snapshots").map { entry in
                let snapshot = try entry.object()
                return (datanet: try snapshot.id("datanet"), number: try snapshot.int("number"))
            }
            let settings = try fields.optionalObject("settings")
            // Bad settings are said before anything else.
            if let settings { _ = try TrainingSettings(settings, rows: 0, tokens: 0) }
            return TrainingDraft(
                owner: owner, base: try fields.id("base"), snapshots: snapshots, settings: settings, hold: try fields.optionalID("hold"),
                price: price)
        }
    }

    private init(
        owner: String, base: String, snapshots: [(datanet: String, number: Int)], settings: JSONFields?, hold: String?, price: TrainingPrice
    ) {
        self.owner = owner
        self.base = base
        self.snapshots = snapshots
        self.settings = settings
        self.hold = hold
        self.price = price
    }

    /// Items and tokens of the snapshots together.
    func size(_ maker: DecisionMaker<TrainingState>) async throws -> (items: Int, tokens: Int) {
        let wanted = snapshots
        return try await maker.query { state in
            wanted.compactMap { state.snapshot($0.datanet, $0.number) }.reduce((0, 0)) { ($0.0 + $1.items, $0.1 + $1.tokens) }
        }
    }

    /// Whether it is left to the house which layers get an adapter.
    var leavesTargets: Bool {
        guard let targets = settings?.object["targets"] else { return true }
        return targets == "auto"
    }

    /// The request, with what was left to the house fitted to the snapshots.
    func request(_ maker: DecisionMaker<TrainingState>) async throws -> TrainingRules.Request {
        let (rows, tokens) = try await size(maker)
        let settings = try self.settings.map { try TrainingSettings($0, rows: rows, tokens: tokens) } ?? TrainingSettings()
        return TrainingRules.Request(
            owner: owner, base: base, snapshots: snapshots, settings: settings,
            settingsDigest: SHA256.hash(try JSON.canonical(settings.json)), price: price.perMillion, hold: hold)
    }
}
