public import Events
public import JSON
internal import Money

extension BillingState {
    /// The types of other services' events that billing learns from.
    public static let foreignTypes: Set<String> = [
        ModelPublished.type, DatanetCreated.type, DatanetPolicyChanged.type, MemberGranted.type, MemberRevoked.type,
        PrincipalRegistered.type, KeyRotated.type, ContributorClaimed.type,
        InferenceCompleted.type, AttributionComputed.type, AttributionCorrected.type, JobRequested.type, JobCompleted.type, JobFailed.type,
        JobCancelled.type,
        RulingMade.type, JobChecked.type, AccessUsed.type, SnapshotPublished.type, TaskCompleted.type, TaskRejected.type, TaskExpired.type,
    ]

    /// Takes in what another service's event says.
    public mutating func learn(type: String, _ fields: JSONFields, id: EventID, position: UInt64, time: Timestamp) throws {
        switch type {
        case ModelPublished.type:
            let model = try ModelPublished(fields)
            known.models[model.model, default: [:]][model.version] = KnownFacts.Model(owner: model.owner, split: model.split)
        case DatanetCreated.type:
            let datanet = try DatanetCreated(fields)
            known.datanets[datanet.datanet, default: .init()].set(datanet.policy, at: position)
        case DatanetPolicyChanged.type:
            let change = try DatanetPolicyChanged(fields)
            known.datanets[change.datanet, default: .init()].set(change.policy, at: position)
        case MemberGranted.type:
            let member = try MemberGranted(fields)
            known.datanets[member.datanet, default: .init()].change(
                .init(position: position, principal: member.principal, role: member.role, isIn: true))
        case MemberRevoked.type:
            let member = try MemberRevoked(fields)
            known.datanets[member.datanet, default: .init()].change(
                .init(position: position, principal: member.principal, role: member.role, isIn: false))
        case SnapshotPublished.type:
            let snapshot = try SnapshotPublished(fields)
            if let shares = snapshot.shares { known.datanets[snapshot.datanet, default: .init()].publish(shares, at: position) }
        case KeyRotated.type:
            let change = try KeyRotated(fields)
            if change.verified != nil { verify(change.principal, at: time) }
            if let added = change.added { known.keys[change.principal, default: .init()].link(added) }
            if let removed = change.removed { known.keys[change.principal, default: .init()].unlink(removed) }
        case PrincipalRegistered.type:
            let principal = try PrincipalRegistered(fields)
            known.keys[principal.principal, default: .init()].link(principal.key)
        case ContributorClaimed.type:
            // An owner of a Datanet has seen a proof of who the author is.
            let claimed = try ContributorClaimed(fields)
            known.authors[claimed.author] = claimed.principal
            verify(claimed.author, at: time)
        case InferenceCompleted.type:
            let inference = try InferenceCompleted(fields)
            // Told a second time it changes nothing, be the first one settled or not.
            guard known.inferences[inference.inference] == nil, !isSettled(inference.inference) else { return }
            known.inferences[inference.inference] = KnownFacts.Told(event: id.text, inference)
            if inference.fee.isPositive { wait(for: .charge(inference), id, position, time) }
        case AttributionComputed.type:
            let attribution = try AttributionComputed(fields)
            known.attributions[UInt128(short: attribution.attribution)] = UInt128(short: attribution.inference)
            if !isSettled(attribution.inference) { wait(for: .settle(attribution), id, position, time) }
        case AttributionCorrected.type: wait(for: .correct(try AttributionCorrected(fields)), id, position, time)
        case JobRequested.type:
            let job = try JobRequested(fields)
            if job.hold != nil { known.orders[job.job] = job.owner }
        case JobCompleted.type:
            let job = try JobCompleted(fields)
            known.orders[job.job] = nil
            if !isSettled(job.job) { wait(for: .job(job), id, position, time) }
        case AccessUsed.type:
            let used = try AccessUsed(fields)
            if used.price != nil, !isSettled(used.access) { wait(for: .access(used), id, position, time) }
        case JobFailed.type:
            let job = try JobFailed(fields)
            if let hold = job.hold { wait(for: .release(hold: hold, of: try orderer(of: job.job)), id, position, time) }
        case JobCancelled.type:
            let job = try JobCancelled(fields)
            if let hold = job.hold { wait(for: .release(hold: hold, of: try orderer(of: job.job)), id, position, time) }
        case TaskCompleted.type:
            let task = try TaskCompleted(fields)
            if !isSettled(Self.reference(task)) { wait(for: .task(task), id, position, time) }
        case TaskRejected.type: if let hold = try TaskRejected(fields).hold { wait(for: .release(hold: hold, of: nil), id, position, time) }
        case TaskExpired.type: if let hold = try TaskExpired(fields).hold { wait(for: .release(hold: hold, of: nil), id, position, time) }
        case RulingMade.type:
            let ruling = try RulingMade(fields)
            if ruling.about == "dispute" || !ruling.penalties.isEmpty { wait(for: .ruling(ruling), id, position, time) }
        case JobChecked.type:
            let checked = try JobChecked(fields)
            if checked.isLie { wait(for: .refuted(checked), id, position, time) }
        default: break
        }
    }

    /// Whose hold an order that came to nothing may set free. Holds are named by their orders: without this one could name anybody's.
    private mutating func orderer(of job: String) throws -> AccountID {
        try AccountID(.payer, known.orders.removeValue(forKey: job) ?? "nobody")
    }

    /// The events that billing has yet to react to, in the log's order.
    /// - Parameter others: leaves these out.
    public func pendingReactions(limit: Int = .max, without others: Set<EventID> = []) -> [PendingReaction] {
        var pending: [PendingReaction] = []
        for place in known.reactionQueue.inOrder {
            guard pending.count < limit else { break }
            if let reaction = known.reactions[place.id], !others.contains(reaction.event) { pending.append(reaction) }
        }
        return pending
    }

    /// Whether an answer or training has been settled.
    public func isSettled(_ reference: String) -> Bool { settlementOf[UInt128(short: reference)] != nil }

    private mutating func wait(for reaction: Reaction, _ id: EventID, _ position: UInt64, _ time: Timestamp) {
        known.reactions[id.text] = PendingReaction(event: id, position: position, reaction: reaction, time: time)
        known.reactionQueue.insert(KnownFacts.Place(position: position, id: id.text))
        if let reference = reaction.reference { known.waitingFor[reference, default: []].insert(id.text) }
    }

    /// An event of another service has been answered.
    mutating func reacted(to event: String) {
        guard let pending = known.reactions.removeValue(forKey: event) else { return }
        known.reactionQueue.remove(KnownFacts.Place(position: pending.position, id: event))
        guard let reference = pending.reaction.reference else { return }
        known.waitingFor[reference]?.remove(event)
        if known.waitingFor[reference]?.isEmpty == true { known.waitingFor[reference] = nil }
    }

    /// Something has been settled: whatever asked for that has its answer, however often it was told.
    mutating func settledOnce(_ reference: String, as settlement: UInt128) {
        settlementOf[UInt128(short: reference)] = settlement
        for event in known.waitingFor[reference] ?? [] { reacted(to: event) }
    }

    /// Whether what an owner has is somebody's: it is their own, or that of an author whose account they claimed.
    public func disposes(_ principal: String, of owner: String) -> Bool { owner == principal || known.authors[owner] == principal }

    /// An owner is verified: what waits for it can be paid.
    mutating func verify(_ owner: String, at time: Timestamp) {
        if verified[owner] == nil { verified[owner] = time }
        if waitingPlaces[owner] != nil, readyOwners[owner] == nil { readyOwners[owner] = time }
    }
}
