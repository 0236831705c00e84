internal import Crypto
internal import Events
internal import JSON

/// An event that can't follow what came before: the log, or this program, is at fault.
public struct UnfitEvent: Error, Sendable, Hashable, CustomStringConvertible {
    /// What does not fit.
    public let description: String

    init(_ description: String) { self.description = description }
}

extension DatanetState {
    private static let own: Set<String> = [
        DatanetCreated.type, DatanetPolicyChanged.type, DatanetDescribed.type, MemberGranted.type, MemberRevoked.type, ReviewOpened.type,
        ReviewDrawn.type, ReviewVoted.type, ReviewClosed.type, ReviewTrapCommitted.type, ReviewTrapRevealed.type, AdmissionGranted.type,
        AdmissionRefused.type, SnapshotPublished.type, AccessRequested.type, AccessGranted.type, AccessRevoked.type, ProposalOpened.type,
        ProposalVoted.type, ProposalClosed.type, RulingMade.type, AccessUsed.type,
    ]
    private static let others: Set<String> = [
        ContributionScreened.type, ContributionWithdrawn.type, ContentErased.type, ContributorClaimed.type, "stake.bonded",
        "stake.unbonded",
        "stake.slashed",
    ]

    /// Whether ``apply(_:)`` looks at events of this type.
    public static func concerns(_ type: String) -> Bool { own.contains(type) || others.contains(type) }

    /// Folds one event.
    /// - Throws: ``UnfitEvent``, or `JSONFieldError` for data that is not what the type has.
    public mutating func apply(_ event: Occurrence) throws {
        let data = try event.data.object()
        if Self.own.contains(event.type) { sequence += 1 }
        switch event.type {
        case DatanetCreated.type: try applyCreated(DatanetCreated(data), event)
        case DatanetPolicyChanged.type: try applyPolicy(DatanetPolicyChanged(data))
        case DatanetDescribed.type:
            let described = try DatanetDescribed(data)
            try change(described.datanet) {
                $0.page = described.page
                $0.pageAuthor = event.actor
            }
        case MemberGranted.type: try applyMember(MemberGranted(data), by: event.actor)
        case MemberRevoked.type: try applyMember(MemberRevoked(data), by: event.actor)
        case ContributionScreened.type: try applyScreened(ContributionScreened(data), event)
        case ContributionWithdrawn.type: try applyWithdrawn(ContributionWithdrawn(data))
        case ContributorClaimed.type: try applyClaimed(ContributorClaimed(data))
        case ContentErased.type: try applyErased(ContentErased(data), event)
        case "stake.bonded", "stake.unbonded", "stake.slashed": try applyStake(data, event.type)
        case AdmissionGranted.type: try applyAdmission(AdmissionGranted(data), event)
        case AdmissionRefused.type: try applyAdmission(AdmissionRefused(data), event)
        case ReviewOpened.type, ReviewDrawn.type, ReviewVoted.type, ReviewClosed.type, ReviewTrapCommitted.type, ReviewTrapRevealed.type:
            try applyReview(event, data)
        case ProposalOpened.type, ProposalVoted.type, ProposalClosed.type: try applyProposal(event, data)
        default: try applyRest(event, data)
        }
    }

    private mutating func applyRest(_ event: Occurrence, _ data: JSONFields) throws {
        switch event.type {
        case SnapshotPublished.type:
            let published = try SnapshotPublished(data)
            try change(published.datanet) { $0.snapshots.append(published.snapshot) }
            snapshots[published.snapshot] = Snapshot(published: published, publisher: event.actor, time: event.time)
        case AccessRequested.type:
            let requested = try AccessRequested(data)
            requests[requested.request] = requested
        case AccessGranted.type:
            let granted = try AccessGranted(data)
            grants[granted.grant] = Grant(terms: granted, since: event.time)
        case AccessRevoked.type:
            let revoked = try AccessRevoked(data)
            guard grants[revoked.grant] != nil else { throw UnfitEvent("there is no grant \(revoked.grant)") }
            grants[revoked.grant]?.isRevoked = true
            paid = paid.filter { $0.key.grant != revoked.grant }
        case AccessUsed.type:
            let used = try AccessUsed(data)
            if used.price != nil, let grant = used.grant, let snapshot = used.snapshot {
                paid[Paid(grant: grant, snapshot: snapshot)] = event.time
            }
        case RulingMade.type:
            let ruling = try RulingMade(data)
            rulings[ruling.ruling] = ruling
        default: break
        }
    }

    mutating func change(_ id: String, _ body: (inout Datanet) -> Void) throws(UnfitEvent) {
        guard datanets[id] != nil else { throw UnfitEvent("there is no datanet \(id)") }
        // In place: a copy would make every event as costly as the Datanet is large.
        if datanets[id] != nil { body(&datanets[id, default: Datanet.none]) }
    }

    private mutating func applyCreated(_ created: DatanetCreated, _ event: Occurrence) throws(UnfitEvent) {
        guard datanets[created.datanet] == nil else { throw UnfitEvent("datanet \(created.datanet) exists already") }
        var datanet = Datanet(
            id: created.datanet, domain: created.domain, media: created.media, created: event.time, policy: created.policy)
        datanet.members[created.owner] = [.owner]
        datanets[created.datanet] = datanet
    }

    private mutating func applyPolicy(_ changed: DatanetPolicyChanged) throws(UnfitEvent) {
        try change(changed.datanet) { $0.policy = changed.policy }
        guard let proposal = changed.proposal else { return }
        proposals[proposal]?.isEnacted = true
        openProposals.remove(proposal)
    }

    private mutating func applyMember(_ granted: MemberGranted, by actor: String) throws {
        guard let role = Role(rawValue: granted.role) else { throw UnfitEvent("there is no role \(granted.role)") }
        try change(granted.datanet) {
            $0.members[granted.principal, default: []].insert(role)
            if role == .contributor { $0.barred.remove(granted.principal) }
            guard role == .consumer else { return }
            $0.expelled.remove(granted.principal)
            if actor == granted.principal { $0.guests.insert(actor) } else { $0.guests.remove(granted.principal) }
        }
    }

    private mutating func applyMember(_ revoked: MemberRevoked, by actor: String) throws {
        guard let role = Role(rawValue: revoked.role) else { throw UnfitEvent("there is no role \(revoked.role)") }
        try change(revoked.datanet) {
            $0.members[revoked.principal]?.remove(role)
            if $0.members[revoked.principal]?.isEmpty == true { $0.members[revoked.principal] = nil }
            // Who leaves may come back; who was put out may not, until somebody grants the role again.
            if role == .contributor, actor != revoked.principal { $0.barred.insert(revoked.principal) }
            guard role == .consumer else { return }
            $0.guests.remove(revoked.principal)
            if actor != revoked.principal { $0.expelled.insert(revoked.principal) }
        }
    }
}

extension Datanet {
    /// Never kept: stands behind a subscript whose key is known to be there.
    static var none: Datanet {
        Datanet(
            id: "", domain: "", media: "", created: Timestamp(microseconds: 0),
            policy: DatanetPolicy(
                access: "", licences: [], treasuryPoints: 0, curatorPoints: 0, contributorPoints: 0, admission: "", minimumQuality: 0,
                panel: 0, quorum: 0, voting: ""))
    }
}
