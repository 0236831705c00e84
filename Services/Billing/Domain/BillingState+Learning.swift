public import Events
public import JSON
internal import Money

extension BillingState {
    /// The types of other services' events that billing learns from.
    public static let foreignTypes: Set<String> = [
        ModelPublished.type, DatanetCreated.type, DatanetPolicyChanged.type, MemberGranted.type, MemberRevoked.type, KeyRotated.type,
        InferenceCompleted.type, AttributionComputed.type, JobCompleted.type, JobFailed.type, JobCancelled.type, RulingMade.type,
        TaskCompleted.type, TaskRejected.type, TaskExpired.type,
    ]

    /// Takes in what another service's event says.
    public mutating func learn(type: String, _ fields: JSONFields, id: EventID, position: UInt64, time: Timestamp) throws {
        switch type {
        case ModelPublished.type:
            let model = try ModelPublished(fields)
            known.models[model.model, default: [:]][model.version] = KnownFacts.Model(owner: model.owner, split: model.split)
        case DatanetCreated.type:
            let datanet = try DatanetCreated(fields)
            known.datanets[datanet.datanet, default: .init()].policies.append((position, datanet.policy))
        case DatanetPolicyChanged.type:
            let change = try DatanetPolicyChanged(fields)
            known.datanets[change.datanet, default: .init()].policies.append((position, change.policy))
        case MemberGranted.type:
            let member = try MemberGranted(fields)
            known.datanets[member.datanet, default: .init()].changes.append(
                .init(position: position, principal: member.principal, role: member.role, isIn: true))
        case MemberRevoked.type:
            let member = try MemberRevoked(fields)
            known.datanets[member.datanet, default: .init()].changes.append(
                .init(position: position, principal: member.principal, role: member.role, isIn: false))
        case KeyRotated.type:
            let change = try KeyRotated(fields)
            if change.verified != nil { verify(change.principal) }
        case InferenceCompleted.type:
            let inference = try InferenceCompleted(fields)
            known.inferences[inference.inference] = (id.text, inference)
            if inference.fee.isPositive { wait(for: .charge(inference), id, position, time) }
        case AttributionComputed.type: wait(for: .settle(try AttributionComputed(fields)), id, position, time)
        case JobCompleted.type: wait(for: .job(try JobCompleted(fields)), id, position, time)
        case JobFailed.type: if let hold = try JobFailed(fields).hold { wait(for: .release(hold: hold), id, position, time) }
        case JobCancelled.type: if let hold = try JobCancelled(fields).hold { wait(for: .release(hold: hold), id, position, time) }
        case TaskCompleted.type: wait(for: .task(try TaskCompleted(fields)), id, position, time)
        case TaskRejected.type: if let hold = try TaskRejected(fields).hold { wait(for: .release(hold: hold), id, position, time) }
        case TaskExpired.type: if let hold = try TaskExpired(fields).hold { wait(for: .release(hold: hold), id, position, time) }
        case RulingMade.type:
            let ruling = try RulingMade(fields)
            if ruling.about == "dispute" || !ruling.penalties.isEmpty { wait(for: .ruling(ruling), id, position, time) }
        default: break
        }
    }

    /// The events that billing has yet to react to, in the log's order.
    public func pendingReactions(limit: Int = .max) -> [PendingReaction] {
        known.reactionQueue.inOrder.prefix(limit).compactMap { known.reactions[$0.id] }
    }

    private mutating func wait(for reaction: Reaction, _ id: EventID, _ position: UInt64, _ time: Timestamp) {
        known.reactions[id.text] = PendingReaction(event: id, position: position, reaction: reaction, time: time)
        known.reactionQueue.insert(KnownFacts.Place(position: position, id: id.text))
    }

    /// An event of another service has been answered.
    mutating func reacted(to event: String) {
        guard let pending = known.reactions.removeValue(forKey: event) else { return }
        known.reactionQueue.remove(KnownFacts.Place(position: pending.position, id: event))
    }

    /// An owner is verified: what waits for it can be paid.
    mutating func verify(_ owner: String) {
        verified.insert(owner)
        if waitingPlaces[owner] != nil { readyOwners.insert(owner) }
    }
}
