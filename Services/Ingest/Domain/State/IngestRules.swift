public import Decisions
public import Events

/// The rules by which ingest's commands become events. Pure.
public enum IngestRules {
    /// The most items that one command names.
    public static let mostItems = 200
    /// The most items of a contribution: their list is one piece of evidence, and a Datanet takes no more at once.
    public static let mostItemsOfContribution = 150_000

    /// The most items of a Datanet, which takes no more.
    public static let mostItemsOfDatanet = 150_000

    /// Whether there is room for anything more: asked before anything is uploaded.
    public static func checkRoom(_ state: IngestState, datanet id: String) throws {
        guard state.held(by: id) < mostItemsOfDatanet else { throw IngestRefusal.full(id) }
    }

    /// Whether a contribution may be brought: asked when it is begun and again when it is put on the log.
    /// - Parameter signer: who signs the manifest; nil where that is not known yet.
    public static func checkSubmission(
        _ state: IngestState, datanet id: String, contributor: String, signer: String?, supersedes: String?
    ) throws {
        guard let datanet = state.datanets[id] else { throw IngestRefusal.noDatanet(id) }
        // To a closed Datanet of one's own a service that one uses may sign in one's stead, as fine-tuning by API key does.
        let isAtHome = datanet.owner == contributor && datanet.policy.access != "open"
        if let signer, state.keys[contributor]?.contains(signer) != true, !isAtHome {
            throw IngestRefusal.notTheirKey(signer: signer, contributor: contributor)
        }
        guard datanet.takes(from: contributor) else { throw IngestRefusal.notTaken(datanet: id, contributor: contributor) }
        guard let supersedes else { return }
        guard let old = state.contributions[supersedes], old.submitted.contributor == contributor, old.submitted.datanet == id else {
            throw IngestRefusal.badSupersedes(supersedes)
        }
    }

    /// A contribution that has come in whole and went through screening.
    public static func submit(
        _ state: IngestState, _ submitted: ContributionSubmitted, _ screened: ContributionScreened
    ) throws -> [NewEvent] {
        try checkSubmission(
            state, datanet: submitted.datanet, contributor: submitted.contributor,
            signer: submitted.signer, supersedes: submitted.supersedes)
        let stream = try stream(submitted.contribution)
        return [NewEvent(submitted, stream: stream), NewEvent(screened, stream: stream)]
    }

    /// Takes consent back: who submitted it of anything in it, a named author of items of theirs.
    /// - Parameter owners: whose the named items are.
    public static func withdraw(
        _ state: IngestState, _ id: String, items: [String], owners: [String], actor: String
    ) throws -> [NewEvent] {
        guard let contribution = state.contributions[id] else { throw IngestRefusal.noContribution(id) }
        try check(items, of: contribution)
        let isTheirs = !items.isEmpty && owners.count == items.count && owners.allSatisfy { state.disposes(actor, of: $0) }
        guard isTheirs || contribution.submitted.contributor == actor else { throw IngestRefusal.notYours(id) }
        // What an author has asked to be taken back with everything else is about to be: it needs no event besides.
        let isUnderWay = { (owner: String) in state.authoredToWithdraw[AuthoredWork(contribution: id, author: owner)] != nil }
        let open = owners.count == items.count ? zip(items, owners).filter { !isUnderWay($1) }.map(\.0) : items
        let new = items.isEmpty ? (contribution.withdrawn == .all ? nil : []) : open.filter { !contribution.withdrawn.contains($0) }
        guard let new, items.isEmpty || !new.isEmpty else { return [] }
        return [NewEvent(ContributionWithdrawn(contribution: id, contributor: actor, items: new), stream: try stream(id))]
    }

    /// Takes consent back to all that somebody has contributed. What is taken back already asks for nothing.
    public static func withdraw(_ state: IngestState, _ order: ContributorWithdrawn, actor: String) throws -> [NewEvent] {
        guard order.contributor == actor else { throw IngestRefusal.notYours(order.contributor) }
        if let datanet = order.datanet, state.datanets[datanet] == nil { throw IngestRefusal.noDatanet(datanet) }
        guard state.consented(to: order).contains(where: { state.toWithdraw[$0] == nil }) else { return [] }
        guard let stream = StreamName(kind: "contributor", id: order.contributor) else {
            throw IngestRefusal.badItems("\(order.contributor) cannot name a stream")
        }
        return [NewEvent(order, stream: stream)]
    }

    /// Erases items or a whole contribution.
    public static func erase(_ state: IngestState, _ erased: ContentErased, actor: String) throws -> [NewEvent] {
        if let id = erased.contribution {
            let contribution = try own(state, id, actor)
            try check(erased.items, of: contribution)
            return [NewEvent(erased, stream: try stream(id))]
        }
        guard state.disposes(actor, of: erased.owner) else { throw IngestRefusal.notYours(erased.owner) }
        // Who asks a second time may have written elsewhere in the house meanwhile: the event tells the others once more.
        return [NewEvent(erased, stream: try contentStream(erased.owner))]
    }

    /// A contribution that somebody may dispose of.
    public static func own(_ state: IngestState, _ id: String, _ actor: String) throws -> ContributionState {
        guard let contribution = state.contributions[id] else { throw IngestRefusal.noContribution(id) }
        guard contribution.submitted.contributor == actor else { throw IngestRefusal.notYours(id) }
        return contribution
    }

    private static func check(_ items: [String], of contribution: ContributionState) throws {
        guard items.count <= mostItems, Set(items).count == items.count else {
            throw IngestRefusal.badItems("at most \(mostItems) items may be named, each once; none means all")
        }
        for item in items {
            guard let parts = ItemID.parts(item), parts.contribution == contribution.submitted.contribution,
                parts.number <= contribution.submitted.items
            else { throw IngestRefusal.noItem(item) }
        }
    }

    private static func stream(_ contribution: String) throws -> StreamName {
        guard let name = StreamName(kind: "contribution", id: contribution) else { throw IngestRefusal.noContribution(contribution) }
        return name
    }

    private static func contentStream(_ owner: String) throws -> StreamName {
        guard let name = StreamName(kind: "content", id: owner) else { throw IngestRefusal.badItems("\(owner) cannot name a stream") }
        return name
    }
}
