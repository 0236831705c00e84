internal import Crypto
public import Decisions
public import Events
internal import Identity
internal import JSON
public import Replay

/// Decides everything that ingest did again: who may contribute where, what each contribution's list says, and what was taken back.
public struct IngestLaw: ReplayLaw {
    /// Ingest's.
    public static let service = Service.ingest

    private let evidence: EvidenceShelf
    /// Where the last withdrawal of a whole contributor stands.
    private var orders: [String: UInt64] = [:]

    /// The latest time of an event of ingest's own: it ran then.
    private var lastOwn = Timestamp(microseconds: 0)

    /// Reads evidence there.
    public init(_ evidence: EvidenceShelf) { self.evidence = evidence }

    /// Nothing yet.
    public func makeState() -> IngestState { IngestState() }

    /// Remembers where withdrawals of whole contributors stand.
    public mutating func hear(_ fact: ReplayFact) {
        if Self.nouns.contains(String(fact.fact.type.prefix { $0 != "." })) { lastOwn = max(lastOwn, fact.fact.time) }
        guard fact.fact.type == ContributorWithdrawn.type, let contributor = fact.fact.data["contributor"]?.stringValue else { return }
        orders[contributor] = fact.position
    }

    /// A contribution that its contributor took back with all others, and that was passed over, is missing.
    public func finish(_ state: IngestState, logTime: Timestamp) -> Ending {
        var ending = Ending()
        let own = state.toWithdraw.map {
            (id: $0.key, contributor: state.contributions[$0.key]?.submitted.contributor ?? "", time: $0.value)
        }
        let authored = state.authoredToWithdraw.map { (id: $0.key.contribution, contributor: $0.key.author, time: $0.value) }
        for (id, contributor, time) in (own + authored).sorted(by: { ($0.id, $0.contributor) < ($1.id, $1.contributor) }) {
            if time.microseconds + Self.patience < lastOwn.microseconds, let position = orders[contributor] {
                ending.missing.append((position, ContributorWithdrawn.type, "\(contributor) took back all, and \(id) was passed over"))
            } else {
                ending.gaps.append(
                    ReplayGap("contributions that are about to be withdrawn", why: "their contributor asked for it just now"))
            }
        }
        return ending
    }

    /// How long a whole contributor's withdrawal may take, in microseconds of the times at which ingest decided: while it is down
    /// nothing is passed over.
    private static let patience: Int64 = 3_600_000_000

    /// What the rules make of the same.
    public func judge(_ append: ReplayedAppend, _ state: IngestState, _ moment: DecisionContext) throws -> Verdict {
        switch append.first.type {
        case ContributionSubmitted.type: return try submitted(append, state, moment)
        case ContributionWithdrawn.type:
            let data: ContributionWithdrawn = try append.data(ContributionWithdrawn.self)
            if let author = data.author {
                let work = AuthoredWork(contribution: data.contribution, author: author)
                return Verdict(
                    try AuthorRules.withdraw(
                        state, work, items: try items(of: author, in: state.contributions[data.contribution]), actor: moment.actor))
            }
            let owners = try owners(of: data.items, in: state.contributions[data.contribution])
            return Verdict(
                try IngestRules.withdraw(state, data.contribution, items: data.items, owners: owners, actor: moment.actor))
        case ContributorWithdrawn.type:
            let data: ContributorWithdrawn = try append.data(ContributorWithdrawn.self)
            let isAuthor = state.claimedBy[data.contributor] != nil
            return Verdict(
                try isAuthor ? ofAuthor(data, state, moment) : IngestRules.withdraw(state, data, actor: moment.actor),
                checked: ["withdrawals of whole contributors": 1])
        case ContentErased.type:
            let data: ContentErased = try append.data(ContentErased.self)
            return Verdict(
                try IngestRules.erase(state, data, actor: moment.actor), checked: ["erasures": 1],
                gaps: [
                    data.contribution == nil
                        ? ReplayGap("content of whole owners that was erased", why: "its key was destroyed, as its owner asked")
                        : ReplayGap("content of items that was erased", why: "it was removed, as its contributor asked; the key stays")
                ])
        case ContributorClaimRequested.type:
            let data: ContributorClaimRequested = try append.data(ContributorClaimRequested.self)
            let items = try state.contributions[data.contribution]?.screened.map { try evidence.entries($0.items) } ?? []
            return Verdict(
                try AuthorRules.request(
                    state, author: data.author, contribution: data.contribution, owners: Set(items.map(\.owner)), moment),
                gaps: [
                    ReplayGap("names of claimed authors", why: "an author's account is a keyed hash of the name, which is personal data")
                ])
        case ContributorClaimed.type:
            let data: ContributorClaimed = try append.data(ContributorClaimed.self)
            return Verdict(try AuthorRules.grant(state, data.claim, proof: data.proof, moment), checked: ["claims of authors": 1])
        default: return .unknown
        }
    }

    /// Everything of an author is looked for anew: an order that leaves a contribution out is none that the rules make.
    private func ofAuthor(_ order: ContributorWithdrawn, _ state: IngestState, _ moment: DecisionContext) throws -> [NewEvent] {
        let looked = state.onBehalf(of: order.contributor)
        let works = try looked.map { (contribution: $0, items: try items(of: order.contributor, in: state.contributions[$0])) }
        return try AuthorRules.withdraw(
            state, ContributorWithdrawn(contributor: order.contributor, datanet: order.datanet), looked: looked, works: works,
            actor: moment.actor)
    }

    /// The items of a contribution that are somebody's.
    private func items(of owner: String, in contribution: ContributionState?) throws -> [String] {
        guard let screened = contribution?.screened else { return [] }
        return try evidence.entries(screened.items).filter { $0.owner == owner }.map(\.item)
    }

    /// Whose the named items of a contribution are.
    private func owners(of named: [String], in contribution: ContributionState?) throws -> [String] {
        guard !named.isEmpty, let screened = contribution?.screened else { return [] }
        let owners = Dictionary(uniqueKeysWithValues: try evidence.entries(screened.items).map { ($0.item, $0.owner) })
        return named.compactMap { owners[$0] }
    }

    private func submitted(_ append: ReplayedAppend, _ state: IngestState, _ moment: DecisionContext) throws -> Verdict {
        let submitted: ContributionSubmitted = try append.data(ContributionSubmitted.self)
        guard let screened = try append.find(ContributionScreened.self) else { throw Unlawful("was not screened in the same append") }
        guard state.contributions[submitted.contribution] == nil else {
            throw Unlawful("the contribution \(submitted.contribution) is there already")
        }
        guard submitted.contributor == moment.actor else {
            throw Unlawful("/contributor is \(submitted.contributor), and \(moment.actor) submitted it")
        }
        guard ["own", "on-behalf"].contains(submitted.kind) else { throw Unlawful("/kind is neither own nor on-behalf") }
        guard let key = DIDKey.publicKey(in: submitted.signer), let signature = Base64URL.decode(submitted.signature),
            key.isValid(signature: signature, for: submitted.signedBytes)
        else { throw Unlawful("/signature is not the signer's over what the event says") }
        let items = try evidence.entries(screened.items)
        try check(items, of: submitted, screened)
        try check(corrections: items, of: submitted, state)
        let accepted = items.count { $0.verdict == "accepted" }
        var (first, second) = (submitted, screened)
        first.items = items.count
        second.contribution = submitted.contribution
        second.datanet = submitted.datanet
        second.contributor = submitted.contributor
        second.rules = ScreeningRules.version
        second.accepted = accepted
        second.rejected = items.count - accepted
        var verdict = Verdict(
            try IngestRules.submit(state, first, second), checked: ["screened items": items.count, "contributors' signatures": 1],
            gaps: [ReplayGap("screening of items", why: "items are content, sealed under their owners' keys")])
        if try hasManifest(submitted) {
            verdict.checked["manifests"] = 1
        } else {
            verdict.gaps.append(ReplayGap("manifests", why: "a manifest names its files, and is content of who signed it"))
        }
        return verdict
    }

    /// Checks the manifest where it is at hand: who may have it, which is its contributor, the Datanet's officers and whom they gave it to,
    /// lays it beside the evidence.
    /// - Returns: false where it is not.
    private func hasManifest(_ submitted: ContributionSubmitted) throws -> Bool {
        let bytes: [UInt8]
        do { bytes = try evidence.bytes(submitted.manifest) } catch EvidenceTrouble.absent { return false }
        let manifest: Manifest
        do { manifest = try Manifest(try JSON.parse(bytes).object()) } catch { throw Unlawful("/manifest is no manifest: \(error)") }
        guard manifest.datanet == submitted.datanet, manifest.contributor == submitted.contributor, manifest.signer == submitted.signer,
            manifest.kind.rawValue == submitted.kind, manifest.supersedes == submitted.supersedes, manifest.bytes == submitted.bytes
        else { throw Unlawful("/manifest says something else than the event") }
        return true
    }

    /// A new version names an item that was refused in the contribution that is corrected, and no two name the same.
    private func check(corrections items: [ScreenedItem], of submitted: ContributionSubmitted, _ state: IngestState) throws {
        let named = items.enumerated().compactMap { number, item in item.supersedes.map { (number: number, old: $0) } }
        guard !named.isEmpty else { return }
        var refused: Set<String> = []
        if let old = submitted.supersedes, let list = state.contributions[old]?.screened?.items {
            refused = Set(try evidence.entries(list).filter { $0.verdict == "rejected" }.map(\.item))
        }
        for (number, old) in named where refused.remove(old) == nil {
            throw Unlawful(
                "/items/\(number) corrects \(old), which was not refused in \(submitted.supersedes ?? "any contribution that it names")",
                in: 1)
        }
    }

    private func check(_ items: [ScreenedItem], of submitted: ContributionSubmitted, _ screened: ContributionScreened) throws {
        var commitments: Set<Digest> = []
        for (number, item) in items.enumerated() {
            func fault(_ reason: String) -> Unlawful { Unlawful("/items/\(number) \(reason)", in: 1) }
            guard item.item == ItemID.make(submitted.contribution, number + 1) else {
                throw fault("is \(item.item), and item \(number + 1) of \(submitted.contribution) belongs there")
            }
            guard item.verdict == "accepted" || item.verdict == "rejected" else { throw fault("has the verdict \(item.verdict)") }
            let refuses = item.reasons.contains { ReasonCode(rawValue: $0)?.isRefusal == true }
            guard refuses == (item.verdict == "rejected") else { throw fault("is \(item.verdict), which its reasons do not make it") }
            guard item.quality <= 1_000 else { throw fault("has a quality above 1,000") }
            guard submitted.kind == "on-behalf" || item.owner == submitted.contributor else {
                throw fault("is \(item.owner)'s, in a contribution of \(submitted.contributor)'s own")
            }
            let (contributor, datanet) = (submitted.contributor, submitted.datanet)
            guard AuthorRules.mayOwn(item.owner, contributor: contributor, datanet: datanet) else {
                throw fault("is \(item.owner)'s, who is neither \(contributor) nor an author in \(datanet)")
            }
            guard commitments.insert(item.commitment).inserted else { throw fault("has the commitment of another item") }
        }
    }
}
