import BillingDomain
import Crypto
import Events
import JSON
import Money
import Synchronization
import Testing

/// A billing state that is driven by rules alone: what is decided is written as JSON, read back, and applied, as the log would do it.
struct House {
    static let usdc = try? Asset("USDC/6")
    static let start = Timestamp("2026-11-01T00:00:00.000000Z") ?? Timestamp(microseconds: 0)

    let asset: Asset
    var state: BillingState
    /// The same events with every settlement computed again.
    var auditor: BillingState
    let shelf = Shelf()
    var now = House.start
    var position: UInt64 = 0
    var events: [BillingEvent] = []
    var keepsEvents = true
    /// The id of the last event of another service.
    var lastTold = ""

    init() throws {
        asset = try #require(House.usdc)
        let shelf = shelf
        state = BillingState { shelf.bytes($0) }
        auditor = BillingState(recomputes: true) { shelf.bytes($0) }
    }

    func amount(_ units: Int128) -> Amount { Amount(units, asset) }
    func account(_ text: String) throws -> AccountID { try #require(AccountID(text)) }
    func balance(_ text: String) -> Int128 { AccountID(text).flatMap { state.journal.account($0, asset)?.balance } ?? 0 }

    mutating func pass(seconds: Int64) { now = Timestamp(microseconds: now.microseconds + seconds * 1_000_000) }

    /// Decides and applies.
    @discardableResult
    mutating func run(cause: EventID? = nil, at time: Timestamp? = nil, _ rule: (BillingState) throws -> Decision) throws -> [BillingEvent]
    {
        let decision = try rule(state)
        for (digest, bytes) in decision.evidence { shelf.put(digest, bytes) }
        for event in decision.events { try apply(event, cause: cause, at: time) }
        return decision.events
    }

    mutating func apply(_ event: BillingEvent, cause: EventID? = nil, at time: Timestamp? = nil) throws {
        let text = try JSON.canonical(event.data.json, allowFractions: false)
        let type = type(of: event.data).type
        let read = try #require(try BillingEvent(type: type, try JSON.parse(text).object()))
        #expect(read == event)
        try state.evolve(read, cause: cause, time: time ?? now)
        try auditor.evolve(read, cause: cause, time: time ?? now)
        if keepsEvents { events.append(read) }
        position += 1
    }

    /// Another service's event.
    @discardableResult
    mutating func tell(_ data: some EventData) throws -> EventID {
        let id = EventID(cause: "test", type: type(of: data).type, ordinal: Int(position))
        let fields = try JSON.parse(try JSON.canonical(data.json)).object()
        try state.learn(type: type(of: data).type, fields, id: id, position: position, time: now)
        try auditor.learn(type: type(of: data).type, fields, id: id, position: position, time: now)
        position += 1
        lastTold = id.text
        return id
    }

    mutating func openPayer(_ name: String, deposit: Int128) throws {
        let id = try account("payer:" + name)
        let asset = asset
        let amount = amount(deposit)
        try run { try $0.openAccount(id, asset, overdraft: nil, ceiling: nil) }
        try run { try $0.deposit(id: "dep-" + name, to: id, amount, rail: "bank", reference: "ref-" + name) }
    }

    /// A model with a Datanet, its curator and its validator.
    mutating func publishModel(
        split: ModelSplit = ModelSplit(owner: 2_000, datanets: 3_000, contributors: 3_000, validators: 1_000, compute: 1_000)
    ) throws {
        try tell(
            DatanetCreated(
                datanet: "dn_1", owner: "olga", domain: "finance", media: "text",
                policy: DatanetPolicy(
                    access: "open", licences: ["CC0-1.0"], treasuryPoints: 5_000, curatorPoints: 2_000, contributorPoints: 3_000,
                    admission: "automatic", minimumQuality: 0, panel: 3, quorum: 2, voting: "role")))
        try tell(MemberGranted(datanet: "dn_1", principal: "cora", role: "curator"))
        try tell(MemberGranted(datanet: "dn_1", principal: "vera", role: "validator"))
        try tell(
            ModelPublished(
                model: "acme/defi", version: 1, owner: "acme", base: "base", snapshots: [], retrieval: [],
                price: ModelPrice(request: amount(0), input: amount(1_000_000), output: amount(2_000_000)), split: split,
                attribution: AttributionPolicy(
                    rules: "attribution/1", spans: 4_000, influence: 3_000, retrieval: 3_000, threshold: 0, cap: 1_000_000_000,
                    fallback: "tokens", minimumSpan: 4)))
    }

    func inference(_ id: String, payer: String, fee: Int128, hold: String?) throws -> InferenceCompleted {
        InferenceCompleted(
            inference: id, payer: payer, actor: payer, model: "acme/defi", version: 1, base: "base", prompt: SHA256.hash(utf8: "p"),
            answer: SHA256.hash(utf8: "a"), inputTokens: 10, outputTokens: 20, fee: amount(fee), hold: hold, runner: "runner-1",
            passages: .entries([]))
    }

    func attribution(of inference: String, _ shares: [(String, Int)]) throws -> AttributionComputed {
        let (list, bytes) = try EvidenceList.of(shares.map { AttributionShare(owner: $0.0, datanet: "dn_1", share: $0.1) })
        if let bytes { shelf.put(SHA256.hash(bytes), bytes) }
        return AttributionComputed(
            attribution: "at-" + inference, inference: inference, model: "acme/defi", version: 1, rules: "attribution/1", methods: [],
            fallback: false, shares: list, evidence: SHA256.hash(utf8: "e"))
    }

    /// A corrected attribution, and what follows from it; its event's id.
    @discardableResult
    mutating func correct(_ attribution: String, _ shares: [(String, Int)]) throws -> EventID {
        let told = lastTold
        let (list, bytes) = try EvidenceList.of(shares.map { AttributionShare(owner: $0.0, datanet: "dn_1", share: $0.1) })
        if let bytes { shelf.put(SHA256.hash(bytes), bytes) }
        let event = try tell(
            AttributionCorrected(attribution: attribution, ruling: "ru-\(position)", shares: list, evidence: SHA256.hash(utf8: "e")))
        try react()
        lastTold = told
        return event
    }

    /// Reacts to what waits.
    mutating func react() throws {
        // A reaction may have nothing to do; then it goes when what it is about is settled.
        var idle: Set<EventID> = []
        while let pending = state.pendingReactions(limit: 100).first(where: { !idle.contains($0.event) }) {
            idle.insert(pending.event)
            let now = now
            try run(cause: pending.event, at: pending.time) { try $0.answer(to: pending, now: max(now, pending.time)) }
        }
    }

    /// A charged answer, settled; its settlement's id.
    @discardableResult
    mutating func answer(_ id: String, payer: String, fee: Int128, shares: [(String, Int)]) throws -> String {
        try tell(try inference(id, payer: payer, fee: fee, hold: nil))
        let event = try tell(try attribution(of: id, shares))
        try react()
        return event.text
    }

    func checkInvariants(_ comment: Comment = "") throws {
        for (_, total) in try state.journal.totals() { #expect(total.isZero, comment) }
        for account in state.journal.accounts where account.id.accountKind != .external {
            #expect(account.balance >= account.held + (account.floor ?? 0), "\(account.id): \(comment)")
        }
    }
}

/// An evidence store in memory.
final class Shelf: Sendable {
    private let kept = Mutex<[Digest: [UInt8]]>([:])

    func put(_ digest: Digest, _ bytes: [UInt8]) { kept.withLock { $0[digest] = bytes } }
    func bytes(_ digest: Digest) -> [UInt8]? { kept.withLock { $0[digest] } }
}
