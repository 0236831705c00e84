internal import Crypto
public import Decisions
public import Events
internal import JSON
public import Replay

/// Decides again what the gateway did: who was registered by whom, which keys count, and what answers cost.
public struct GatewayLaw: ReplayLaw {
    /// The gateway's.
    public static let service = Service.agentGateway
    /// Mandates, services, tasks, wallets and payments are the economy's.
    public static let nouns = Service.agentGateway.nouns.subtracting(["mandate", "service", "task", "wallet", "payment"])

    private let evidence: EvidenceShelf
    /// Terms by model, the first being version 1; a retired version's terms stay those of the answers that it gave.
    private var terms: [String: [ModelPublished]] = [:]
    private var retired: [String: [Int: Timestamp]] = [:]
    /// How long payers chose that texts are kept, and since when: their last choices of ``hearing``, and the one before them.
    private var chosen: [String: [(days: Int?, at: Timestamp)]] = [:]
    /// When the gateway last decided anything.
    private var lastOwn = Timestamp(microseconds: 0)

    /// Reads evidence there.
    public init(_ evidence: EvidenceShelf) { self.evidence = evidence }

    /// Nothing yet.
    public func makeState() -> GatewayState { GatewayState() }

    /// Keeps models' terms.
    public mutating func hear(_ fact: ReplayFact) {
        if Self.nouns.contains(String(fact.fact.type.prefix { $0 != "." })) { lastOwn = max(lastOwn, fact.fact.time) }
        guard let fields = try? fact.fact.data.object() else { return }
        if fact.fact.type == PrincipalConfigured.type, let choice = try? PrincipalConfigured(fields) {
            // Before the first of them there was none.
            var choices = chosen[choice.principal] ?? [(nil, Timestamp(microseconds: 0))]
            choices.append((choice.retentionDays, fact.fact.time))
            let heard = choices.lastIndex { $0.at.microseconds + Self.hearing < fact.fact.time.microseconds } ?? 0
            chosen[choice.principal] = Array(choices[heard...])
        } else if fact.fact.type == ModelPublished.type, let model = try? ModelPublished(fields) {
            terms[model.model, default: []].append(model)
        } else if fact.fact.type == ModelRetired.type, let over = try? ModelRetired(fields) {
            for version in over.version.map({ [$0] }) ?? Array(1...max(1, terms[over.model]?.count ?? 1))
            where retired[over.model]?[version] == nil { retired[over.model, default: [:]][version] = fact.fact.time }
        }
    }

    /// How long an answer may take that was begun before its model was retired, in microseconds: it is talked, and then recorded.
    private static let longestAnswer =
        (InferenceBounds.answer + InferenceBounds.recording + InferenceBounds.clocks).components.seconds * 1_000_000

    /// What the rules make of the same.
    public func judge(_ append: ReplayedAppend, _ state: GatewayState, _ moment: DecisionContext) throws -> Verdict {
        if append.first.cause.id.hasPrefix(PrincipalRules.restStep) {
            guard !state.keysToEnd.isEmpty, moment.actor == Self.service.rawValue else {
                throw Unlawful("ends keys of which no recovery has left any, or by \(moment.actor)")
            }
            return Verdict(try PrincipalRules.endRest()(state, moment), checked: ["parts of recoveries": 1])
        }
        switch append.first.type {
        case PrincipalRegistered.type:
            let data: PrincipalRegistered = try append.data(PrincipalRegistered.self)
            guard ["person", "organisation", "agent"].contains(data.kind) else { throw Unlawful("/kind is \(data.kind)") }
            let proof = KeyProof(
                signature: try Self.given(data.signature), ownerKey: data.ownerKey, ownerSignature: data.ownerSignature)
            try proof.check(kind: data.kind, key: data.key, owner: data.owner)
            return Self.proven(
                try PrincipalRules.register(kind: data.kind, key: moment.actor, owner: data.owner, proof: proof)(state, moment))
        case PrincipalConfigured.type:
            let data: PrincipalConfigured = try append.data(PrincipalConfigured.self)
            guard data.principal == moment.actor else { throw Unlawful("\(moment.actor) chooses for \(data.principal)") }
            return Verdict(try PrincipalRules.configure(data.principal, retentionDays: data.retentionDays)(state, moment))
        case PrincipalErased.type:
            let data: PrincipalErased = try append.data(PrincipalErased.self)
            guard data.principal == moment.actor else { throw Unlawful("\(moment.actor) erases what is \(data.principal)'s") }
            return Verdict(
                try PrincipalRules.erase(data.principal, keys: data.keys)(state, moment),
                gaps: [ReplayGap("keys that principals had destroyed", why: "nobody can see that there is no copy")])
        case KeyRotated.type:
            let data: KeyRotated = try append.data(KeyRotated.self)
            if let claim = data.verified {
                return Verdict(
                    try PrincipalRules.verify(data.principal, claim: claim)(state, moment),
                    gaps: [ReplayGap("who may vouch for a principal's claim", why: "tokens and scopes are not on the log")])
            }
            if data.recovered == true {
                guard let added = data.added else { throw Unlawful("/added is missing in a recovery") }
                try ProofMessages.check(
                    try Self.given(data.signature), by: added, over: ProofMessages.recovery(principal: data.principal, key: added))
                var verdict = Self.proven(
                    try PrincipalRules.recover(data.principal, adding: added, signature: data.signature)(state, moment))
                verdict.gaps.append(ReplayGap("what who recovered a principal may do", why: "tokens are not on the log"))
                return verdict
            }
            guard data.principal == moment.actor else { throw Unlawful("\(moment.actor) changes a key of \(data.principal)") }
            let rotate = PrincipalRules.rotate(
                data.principal, adding: data.added, removing: data.removed, signature: data.signature)
            guard let added = data.added else { return Verdict(try rotate(state, moment)) }
            try ProofMessages.check(
                try Self.given(data.signature), by: added, over: ProofMessages.linking(principal: data.principal, key: added))
            return Self.proven(try rotate(state, moment))
        case KeyIssued.type:
            let data: KeyIssued = try append.data(KeyIssued.self)
            guard append.first.cause.id == "api-key-" + data.hash.hex else { throw Unlawful("/hash is not that of its command") }
            return Verdict(
                try PrincipalRules.issue(
                    data.hash, to: data.principal, scopes: Set(data.scopes), allowed: Set(data.scopes), expires: data.expires,
                    limits: data.limits)(
                        state, moment),
                gaps: [ReplayGap("what who issued an API key may do", why: "tokens are not on the log")])
        case KeyRevoked.type:
            let data: KeyRevoked = try append.data(KeyRevoked.self)
            return Verdict(try PrincipalRules.revoke(data.key, by: moment.actor)(state, moment))
        case InferenceCompleted.type: return try answer(append, state, moment)
        default: return .unknown
        }
    }

    /// What a recovery has ended is told part by part; a part that never came leaves keys that count elsewhere.
    public func finish(_ state: GatewayState, logTime: Timestamp) -> Ending {
        var ending = Ending()
        guard let first = state.keysToEnd.first else { return ending }
        if first.since.microseconds + Self.patience < lastOwn.microseconds {
            ending.missing.append(
                (0, KeyRotated.type, "\(state.keysToEnd.count) keys that a recovery of \(first.since) has ended were never told of"))
        } else {
            ending.gaps.append(ReplayGap("keys that a recovery has yet to end", why: "it is the newest"))
        }
        return ending
    }

    /// So long may the parts of a recovery take, and come after what was asked meanwhile, in microseconds.
    private static let patience: Int64 = 600_000_000

    /// A verdict on a key that its holder has proven.
    private static func proven(_ events: [NewEvent]) -> Verdict { Verdict(events, checked: ["proofs of keys": 1]) }

    /// The signature by which a key is proven: without one anybody could put their own key in another's name.
    private static func given(_ signature: String?) throws -> String {
        guard let signature else { throw Unlawful("/signature is missing: nobody has proven the key") }
        return signature
    }

    /// An answer's texts are kept as long as its payer wishes. A choice that was made a moment before may not have come to who recorded the
    /// answer: another gateway, or the decider of mandates beside this one. Those before it count for that moment.
    private func checkKept(_ answer: InferenceCompleted, _ state: GatewayState, at time: Timestamp) throws {
        do { try InferenceRules.check(answer, days: state.principals[answer.payer]?.retentionDays, at: time) } catch {
            let choices = chosen[answer.payer] ?? []
            let mayHold = zip(choices, choices.dropFirst()).filter { _, next in time.microseconds < next.at.microseconds + Self.hearing }
            guard mayHold.contains(where: { (try? InferenceRules.check(answer, days: $0.0.days, at: time)) != nil }) else { throw error }
        }
    }

    /// So long after it was made a choice may yet be unheard of, in microseconds.
    private static let hearing: Int64 = 2_000_000

    private static let ranks = ReplayGap(
        "ranks by which passages were found",
        why: "they come of questions and texts that are sealed; that the order follows from them is checked")

    private func answer(_ append: ReplayedAppend, _ state: GatewayState, _ moment: DecisionContext) throws -> Verdict {
        let data: InferenceCompleted = try append.data(InferenceCompleted.self)
        guard append.first.cause.id == data.inference, case .command(_, let digest) = append.first.cause,
            digest == SHA256.hash(try JSON.canonical(data.json))
        else { throw Unlawful("is not what its command says: the command's digest is another answer's") }
        guard data.actor == moment.actor else { throw Unlawful("/actor is \(data.actor), and \(moment.actor) asked") }
        if data.payer != data.actor, data.mandate == nil, let asker = state.principals[data.actor] {
            guard asker.owner == data.payer else { throw Unlawful("\(data.payer) pays for \(data.actor), whom it does not own") }
        }
        if let cut = data.cut {
            guard cut else { throw Unlawful("/cut is false, and is said of what broke off alone") }
            guard data.row == nil else { throw Unlawful("/row is there, and the answer broke off before its model could make one") }
        }
        let expectedHold = InferenceRules.hold(of: data.attempt ?? data.inference)
        if let hold = data.hold, hold != expectedHold {
            throw Unlawful("/hold is \(hold), and the hold that the gateway asks for is \(expectedHold)")
        }
        guard let versions = terms[data.model], data.version >= 1, data.version <= versions.count else {
            throw Unlawful("is by version \(data.version) of \(data.model), which was never published")
        }
        let model = versions[data.version - 1]
        if let end = retired[data.model]?[data.version], moment.time.microseconds > end.microseconds + Self.longestAnswer {
            throw Unlawful("is by version \(data.version) of \(data.model), which was retired at \(end)")
        }
        var expected = data
        expected.base = model.base
        expected.adapter = model.adapter
        expected.fee = try InferencePrice.fee(model.price, input: data.inputTokens, output: data.outputTokens)
        let passages = try evidence.entries(data.passages)
        for passage in passages where !model.retrieval.contains(passage.datanet) {
            throw Unlawful("was given a passage of \(passage.datanet), which the model does not retrieve from")
        }
        if let fault = PassageFusion.fault(in: passages, ranking: data.retrieval, datanets: model.retrieval) { throw Unlawful(fault) }
        try checkKept(expected, state, at: moment.time)
        return Verdict(
            try InferenceRules.given(expected), checked: ["answers' fees": 1],
            gaps: [
                ReplayGap("prompts and answers", why: "they are sealed under their payers' keys"),
                ReplayGap(
                    "counts of tokens",
                    why: "a backend counts them in prompts and answers, which are sealed; the gateway holds them to what it heard"),
            ] + (data.retrieval == nil ? [] : [Self.ranks]))
    }
}
