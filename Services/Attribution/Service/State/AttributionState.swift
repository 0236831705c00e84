internal import AttributionDomain
internal import Crypto
internal import Decisions
internal import EventLog
internal import Events
internal import JSON

/// What attribution remembers of the log, with its two to-do lists: snapshots without an index, and answers without an attribution.
///
/// Facts that an attribution depends on are kept with their positions, so that an answer is attributed by what stood before it on the
/// log, however late that happens.
struct AttributionState: ServiceState {
    /// A published snapshot.
    struct Snapshot: Sendable {
        let published: SnapshotPublished
        let trigger: Trigger
    }

    /// A model in one of its versions.
    struct ModelKey: Sendable, Hashable {
        let model: String
        let version: Int
    }

    /// An answer that has been attributed.
    struct Attributed: Sendable {
        let attribution: String
        let inference: String
        /// Who may read its texts.
        let readers: [String]
        /// What its shares follow from; after a correction, the corrected.
        var evidence: Digest
        /// Rulings that corrected it.
        var rulings: [String] = []
    }

    /// A ruling that may have to correct an attribution.
    struct Correction: Sendable {
        let ruling: RulingMade
        let attribution: String
        let trigger: Trigger
    }

    private(set) var snapshots: [String: Snapshot] = [:]
    private(set) var snapshotsOfDatanet: [String: [String]] = [:]
    private(set) var indexes: [String: IndexBuilt] = [:]
    /// Snapshots without an index, oldest first.
    private(set) var unindexed: [String] = []
    private(set) var models: [ModelKey: ModelPublished] = [:]
    private(set) var rows: [String: Digest] = [:]
    private(set) var admissions: [String: UInt64] = [:]
    private(set) var withdrawals = Withdrawals()
    private(set) var owners = OwnerNames()
    private(set) var readers = Readers()
    private(set) var waiting = WaitingInferences()
    private(set) var attributions: [String: Attributed] = [:]
    private(set) var byInference: [String: String] = [:]
    private(set) var corrections: [Correction] = []
    private var byEvent: [EventID: String] = [:]
    private var disputes: [String: EventID] = [:]
    /// Rulings about what has no attribution yet, if it ever has, by what they name.
    private var early: [String: [(ruling: RulingMade, trigger: Trigger)]] = [:]

    private static let types: Set<String> = [
        SnapshotPublished.type, ModelPublished.type, InferenceCompleted.type, JobCompleted.type, IndexBuilt.type, AttributionComputed.type,
        AttributionCorrected.type, RulingMade.type, DisputeOpened.type, ContributionWithdrawn.type, ContentErased.type, KeyRotated.type,
        AdmissionGranted.type, DatanetCreated.type, DatanetPolicyChanged.type, MemberGranted.type, MemberRevoked.type, AccessGranted.type,
        AccessRevoked.type,
        ContributorClaimed.type, AccountVerified.type, ContributionSubmitted.type,
    ]

    static func concerns(_ type: String) -> Bool { types.contains(type) }

    mutating func apply(_ fact: Fact) throws {
        let fields = try fact.data.object()
        guard let position = fact.position else { return try applyOwn(fact, fields) }
        switch fact.type {
        case SnapshotPublished.type:
            let published = try SnapshotPublished(fields)
            snapshots[published.snapshot] = Snapshot(published: published, trigger: Trigger(fact, position: position))
            snapshotsOfDatanet[published.datanet, default: []].append(published.snapshot)
            if indexes[published.snapshot] == nil { unindexed.append(published.snapshot) }
        case ModelPublished.type:
            let model = try ModelPublished(fields)
            models[ModelKey(model: model.model, version: model.version)] = model
        case JobCompleted.type:
            let job = try JobCompleted(fields)
            if let digest = job.rows { rows[job.job] = digest }
        case InferenceCompleted.type:
            let completed = try InferenceCompleted(fields)
            guard byInference[completed.inference] == nil else { return }
            waiting.add(WaitingInferences.Entry(completed: completed, trigger: Trigger(fact, position: position)))
        case AdmissionGranted.type:
            let admission = try AdmissionGranted(fields)
            if admissions[admission.contribution] == nil { admissions[admission.contribution] = position }
        case ContributionSubmitted.type:
            let submitted = try ContributionSubmitted(fields)
            owners.bring(contribution: submitted.contribution, by: submitted.contributor)
        case ContributionWithdrawn.type:
            let withdrawn = try ContributionWithdrawn(fields)
            withdrawals.withdraw(contribution: withdrawn.contribution, items: withdrawn.items, at: position)
        case ContentErased.type:
            let erased = try ContentErased(fields)
            if let contribution = erased.contribution {
                withdrawals.withdraw(contribution: contribution, items: erased.items, at: position)
            } else {
                withdrawals.erase(owner: erased.owner, at: position)
            }
        case KeyRotated.type:
            let key = try KeyRotated(fields)
            if key.verified != nil { owners.prove(key.principal, at: position) }
        case AccountVerified.type: owners.vouch(try AccountVerified(fields).owner, at: position)
        case ContributorClaimed.type:
            let claimed = try ContributorClaimed(fields)
            owners.claim(claimed.author, by: claimed.principal, at: position)
        case DisputeOpened.type:
            let dispute = try DisputeOpened(fields)
            disputes[dispute.id] = EventID(dispute.settlement)
        case RulingMade.type: learn(try RulingMade(fields), Trigger(fact, position: position))
        default: try learnAccess(fact.type, fields, by: fact.actor)
        }
    }

    /// A dispute's subject is the settlement, which is named by the attribution's event; a ruling may also name the attribution or the answer
    /// itself, and may be there before the attribution is: it is kept until then.
    private mutating func learn(_ ruling: RulingMade, _ trigger: Trigger) {
        guard ruling.upheld, !ruling.penalties.isEmpty else { return }
        let event = disputes[ruling.subject] ?? EventID(ruling.subject)
        let named = attributions[ruling.subject]?.attribution ?? byInference[ruling.subject]
        guard let attribution = event.flatMap({ byEvent[$0] }) ?? named else {
            early[event?.text ?? ruling.subject, default: []].append((ruling, trigger))
            return
        }
        correct(attribution, by: ruling, trigger)
    }

    private mutating func correct(_ attribution: String, by ruling: RulingMade, _ trigger: Trigger) {
        if attributions[attribution]?.rulings.contains(ruling.ruling) == true { return }
        corrections.append(Correction(ruling: ruling, attribution: attribution, trigger: trigger))
    }

    private mutating func learnAccess(_ type: String, _ fields: JSONFields, by actor: String) throws {
        switch type {
        case DatanetCreated.type:
            let datanet = try DatanetCreated(fields)
            readers.give("owner", to: datanet.owner, in: datanet.datanet, by: actor)
            readers.set(datanet.policy, of: datanet.datanet)
        case DatanetPolicyChanged.type:
            let changed = try DatanetPolicyChanged(fields)
            readers.set(changed.policy, of: changed.datanet)
        case MemberGranted.type:
            let member = try MemberGranted(fields)
            readers.give(member.role, to: member.principal, in: member.datanet, by: actor)
        case MemberRevoked.type:
            let member = try MemberRevoked(fields)
            readers.take(member.role, from: member.principal, in: member.datanet)
        case AccessGranted.type: readers.grant(try AccessGranted(fields))
        case AccessRevoked.type: readers.revoke(grant: try AccessRevoked(fields).grant)
        default: break
        }
    }

    private mutating func applyOwn(_ fact: Fact, _ fields: JSONFields) throws {
        switch fact.type {
        case IndexBuilt.type:
            let built = try IndexBuilt(fields)
            indexes[built.snapshot] = built
            unindexed.removeAll { $0 == built.snapshot }
        case AttributionComputed.type:
            let computed = try AttributionComputed(fields)
            let readers = waiting.remove(computed.inference)
            attributions[computed.attribution] = Attributed(
                attribution: computed.attribution, inference: computed.inference, readers: readers, evidence: computed.evidence)
            byInference[computed.inference] = computed.attribution
            byEvent[fact.id] = computed.attribution
            let found = [computed.inference, computed.attribution, fact.id.text].flatMap { early.removeValue(forKey: $0) ?? [] }
            for (ruling, trigger) in found.sorted(by: { $0.trigger.position < $1.trigger.position }) {
                correct(computed.attribution, by: ruling, trigger)
            }
        case AttributionCorrected.type:
            let corrected = try AttributionCorrected(fields)
            attributions[corrected.attribution]?.rulings.append(corrected.ruling)
            attributions[corrected.attribution]?.evidence = corrected.evidence
            corrections.removeAll { $0.ruling.ruling == corrected.ruling && $0.attribution == corrected.attribution }
        default: break
        }
    }
}
