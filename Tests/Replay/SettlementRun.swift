import AttributionDomain
import BillingDomain
import Crypto
import Decisions
import EventLog
import Events
import EVM
import Identity
import JSON
import Money
import Testing

/// Many answers, attributed and settled by the domains' own rules, as the log would have them.
struct SettlementRun {
    private(set) var events: [[UInt8]] = []
    private(set) var evidence: [Digest: [UInt8]] = [:]
    /// Where each settlement stands, each capture of a fee, and each closed epoch.
    private(set) var settlements: [Int] = []
    private(set) var captures: [Int] = []
    private(set) var epochs: [Int] = []
    private var billing = BillingState()
    private var time = Timestamp(microseconds: 1_790_000_000_000_000)
    private let asset: Asset
    private var table: CreditTable?
    /// What the methods found, by the two owners whose texts an answer is made of.
    private var findings: [Int: AttributionEvidence] = [:]
    private let owners = (0..<12).map { "owner-\($0)" }

    private static let words = [
        "harbour", "tide", "ledger", "ferry", "quay", "lantern", "moon", "rain", "record", "oven", "crust", "linen", "queen", "swarm",
        "frame",
        "orchard", "branch", "miller", "oats", "stone", "cloth", "sieve", "market", "anchor",
    ]

    /// Two epochs are closed over them: in the middle, a wallet being paid by its claim, and at the end.
    /// - Parameters:
    ///   - count: how many answers.
    init(_ count: Int, _ random: inout some RandomNumberGenerator) throws {
        asset = try Asset("USDC/6")
        try open()
        let texts = owners.indices.map { owner in
            (0..<10).map { Self.words[(owner * 7 + $0 * 5) % Self.words.count] }.joined(separator: " ")
        }
        let list = owners.indices.map { index in
            AdmittedItem(
                item: "ct.\(index + 1)", contribution: "ct", owner: owners[index], commitment: SHA256.hash(utf8: texts[index]),
                tokens: 10 + index, licence: "CC0-1.0", language: "en", cluster: "ct.\(index + 1)")
        }
        let policy = Events.AttributionPolicy(
            rules: "attribution/1", spans: 0, influence: 0, retrieval: 10_000, threshold: 50_000_000, cap: 1_000_000_000,
            fallback: "tokens",
            minimumSpan: 8)
        let snapshot = try publish(list, policy)
        for number in 0..<count {
            try answer(number, texts, list, snapshot, policy, &random)
            if number == count / 2 { try close(claims: true) }
        }
        try close(claims: false)
    }

    // MARK: The log

    @discardableResult
    private mutating func append(_ new: [(type: String, stream: String, data: JSONValue)], cause: Cause, actor: String) throws -> [EventID]
    {
        var ids: [EventID] = []
        for (ordinal, part) in new.enumerated() {
            let event = Event(
                type: part.type, stream: try #require(StreamName(part.stream)), time: time, actor: actor, cause: cause, ordinal: ordinal,
                correlation: "run", data: part.data)
            let bytes = try event.encoded()
            let fact = try Fact(LoggedEvent(position: UInt64(events.count), version: 0, bytes: bytes))
            if BillingState.concerns(part.type) { try billing.apply(BillingEvent.types.contains(part.type) ? fact.own : fact) }
            switch part.type {
            case SettlementPosted.type: settlements.append(events.count)
            case JournalPosted.type: captures.append(events.count)
            case PayoutEpochClosed.type: epochs.append(events.count)
            default: break
            }
            events.append(bytes)
            ids.append(event.id)
        }
        return ids
    }

    @discardableResult
    private mutating func tell(_ data: some EventData, _ stream: String, by actor: String = "upstream") throws -> EventID {
        let cause = Cause.command(id: "c-\(events.count)", digest: SHA256.hash(try JSON.canonical(data.json)))
        return try #require(try append([(type(of: data).type, stream, data.json)], cause: cause, actor: actor).first)
    }

    /// Billing decides a command.
    private mutating func command(_ kind: String = "b-", _ rule: (BillingState, DecisionContext) throws -> Decision) throws {
        let cause = Cause.command(id: "\(kind)\(events.count)", digest: SHA256.hash([]))
        let decision = try rule(billing, DecisionContext(time: time, logTime: time, cause: cause, actor: "root"))
        try append(decision.newEvents.map { ($0.type, $0.stream.text, $0.data) }, cause: cause, actor: "root")
    }

    /// Billing reacts to what waits.
    private mutating func react() throws {
        while let pending = billing.pendingReactions(limit: 1).first {
            let decision = try billing.answer(to: pending, now: time)
            try append(decision.newEvents.map { ($0.type, $0.stream.text, $0.data) }, cause: .event(id: pending.event), actor: "billing")
        }
    }

    // MARK: What happens

    private mutating func open() throws {
        let account = try #require(AccountID("payer:pia")), asset = asset
        try command { state, _ in try state.openAccount(account, asset, overdraft: nil, ceiling: nil) }
        try command { state, context in
            try state.deposit(id: context.newID("dp"), to: account, Amount(1_000_000_000_000, asset), rail: "bank", reference: "wire")
        }
        for (number, owner) in owners.enumerated() {
            try command { state, _ in try state.verifyOwner(owner, claim: "mail") }
            let key = try Ed25519PrivateKey(seed: [UInt8](repeating: UInt8(number + 1), count: 32))
            let (did, address) = (DIDKey.text(for: key.publicKey), Self.address(number))
            let message = WalletSet.message(owner: owner, sequence: 0, address: address, key: did, recovery: nil)
            let request = WalletRequest(
                owner: owner, address: address, sequence: 0, key: did, recovery: nil, signature: Base64URL.encode(try key.sign(message)))
            try command { state, _ in try state.setWallet(request) }
        }
    }

    private static func address(_ number: Int) -> String { "0x" + String(repeating: String(10 + number), count: 20) }

    /// The holdback passes, what is due is paid, and the epoch is closed.
    private mutating func close(claims: Bool) throws {
        let asset = asset
        time = Timestamp(microseconds: time.microseconds + 300_000_000_000)
        while billing.isDue(at: time) { try command("sweep:") { state, context in try state.sweep(now: context.logTime) } }
        try command { state, _ in try state.closeEpoch(asset) }
        guard claims, let leaf = billing.epoch(asset)?.leaves.first else { return }
        let cumulative = Amount(Int128(leaf.cumulative), asset)
        try command { state, _ in
            try state.claim(asset, address: leaf.address.description, cumulative: cumulative, transaction: "t")
        }
    }

    /// What the last epoch owed to accounts, as billing has it.
    var liabilities: [Liability] { billing.epoch(asset)?.liabilities ?? [] }

    private mutating func publish(_ list: [AdmittedItem], _ policy: Events.AttributionPolicy) throws -> SnapshotPublished {
        try tell(
            DatanetCreated(
                datanet: "dn", owner: "olga", domain: "tides", media: "text",
                policy: DatanetPolicy(
                    access: "open", licences: ["CC0-1.0"], treasuryPoints: 1_000, curatorPoints: 0, contributorPoints: 9_000,
                    admission: "automatic", minimumQuality: 0, panel: 0, quorum: 0, voting: "role")), "datanet/dn")
        try tell(AdmissionGranted(datanet: "dn", contribution: "ct", items: .entries(list)), "admission/ct")
        let bytes = try EvidenceList<AdmittedItem>.encode(list)
        evidence[SHA256.hash(bytes)] = bytes
        let snapshot = SnapshotPublished(
            datanet: "dn", snapshot: "sn", number: 1, root: SHA256.hash(utf8: "root"), manifest: SHA256.hash(utf8: "m"), items: list.count,
            tokens: list.reduce(0) { $0 + $1.tokens }, owners: list.count, list: SHA256.hash(bytes))
        try tell(snapshot, "snapshot/sn")
        try tell(
            ModelPublished(
                model: "olga/tides", version: 1, owner: "olga", base: "tiny", snapshots: [SnapshotReference(snapshot)], retrieval: [],
                price: ModelPrice(request: Amount(0, asset), input: Amount(0, asset), output: Amount(0, asset)),
                split: ModelSplit(owner: 2_000, datanets: 1_000, contributors: 6_000, validators: 0, compute: 1_000), attribution: policy),
            "model/olga-tides")
        return snapshot
    }

    private mutating func answer(
        _ number: Int, _ texts: [String], _ list: [AdmittedItem], _ snapshot: SnapshotPublished, _ policy: Events.AttributionPolicy,
        _ random: inout some RandomNumberGenerator
    ) throws {
        time = Timestamp(microseconds: time.microseconds + 1_000_000)
        let (one, two) = (Int.random(in: 0..<12, using: &random), Int.random(in: 0..<12, using: &random))
        let passages = (one == two ? [one] : [one, two]).map { index in
            Events.RetrievedPassage(datanet: "dn", item: list[index].item, owner: owners[index], offset: 0, length: 10, cited: true)
        }
        let fee = Amount(Int128.random(in: 1...5_000_000, using: &random), asset)
        let inference = InferenceCompleted(
            inference: "inf-\(number)", payer: "pia", actor: "pia", model: "olga/tides", version: 1, base: "tiny",
            prompt: SHA256.hash(utf8: "p"), answer: SHA256.hash(utf8: "a"), inputTokens: 1, outputTokens: 1, fee: fee, runner: "runner",
            passages: .entries(passages))
        let position = UInt64(events.count)
        let event = try tell(inference, "inference/inf-\(number)", by: "pia")
        try react()
        // Attributed as the service does it: findings from the texts, a statement from the findings, shares from the statement.
        let table = table ?? Self.table(list, snapshot)
        self.table = table
        let found =
            try findings[one * 12 + two]
            ?? Attribution.compute(
                answer: WordSequence(texts[one] + " and " + texts[two]), prompt: WordSequence("question"), index: nil,
                retrieval: try passages.map { passage in
                    AttributionDomain.RetrievedPassage(
                        item: passage.item, text: try WordSequence(texts[owners.firstIndex(of: passage.owner) ?? 0]), isCited: true)
                }, items: table.items, policy: try AttributionDomain.AttributionPolicy(policy)
            ).evidence
        findings[one * 12 + two] = found
        let model = ModelPublished(
            model: "olga/tides", version: 1, owner: "olga", base: "tiny", snapshots: [SnapshotReference(snapshot)], retrieval: [],
            price: ModelPrice(request: Amount(0, asset), input: Amount(0, asset), output: Amount(0, asset)),
            split: ModelSplit(owner: 2_000, datanets: 1_000, contributors: 6_000, validators: 0, compute: 1_000), attribution: policy)
        let id = EntityID.make("at", cause: .event(id: event))
        let statement = try table.statement(
            id, of: inference, at: position, model: model, missing: ["no-index"], computed: found, names: OwnerNames())
        let bytes = try statement.bytes()
        evidence[SHA256.hash(bytes)] = bytes
        let computed = AttributionComputed(
            attribution: id, inference: inference.inference, model: inference.model, version: 1, rules: statement.rules,
            methods: try statement.methods(), fallback: try statement.isFallback(),
            shares: try EvidenceList.of(try statement.shares()).list,
            evidence: SHA256.hash(bytes), missing: statement.missing)
        try append([(AttributionComputed.type, "attribution/" + id, computed.json)], cause: .event(id: event), actor: "attribution")
        try react()
    }

    private static func table(_ list: [AdmittedItem], _ snapshot: SnapshotPublished) -> CreditTable {
        let source = AttributionStatement.Source(snapshot: SnapshotReference(snapshot), index: nil, isRetrieval: false)
        let items = KnownItem.of(list, datanet: "dn", measures: []) { _ in 3 }
        return CreditTable(
            [SearchedSnapshot(source, items: items)], withdrawals: Withdrawals(), before: .max, rules: 1, names: OwnerNames())
    }
}
