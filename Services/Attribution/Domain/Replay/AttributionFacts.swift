internal import Crypto
public import Decisions
internal import Events
internal import JSON

/// What of the log an attribution follows from, for whoever computes it again.
public struct AttributionFacts: ServiceState {
    struct Snapshot: Sendable {
        let published: SnapshotPublished
        let event: EventID
        let position: UInt64
    }

    struct Answer: Sendable {
        let completed: InferenceCompleted
        let event: EventID
        let position: UInt64
        let time: Timestamp
    }

    struct ModelKey: Sendable, Hashable {
        let model: String
        let version: Int
    }

    struct Attributed: Sendable {
        let inference: String
        /// How many were attributed before it.
        let number: Int
        var evidence: Digest
        var rulings: Set<String> = []
    }

    var snapshots: [String: Snapshot] = [:]
    var snapshotsOfDatanet: [String: [String]] = [:]
    var indexes: [String: IndexBuilt] = [:]
    var models: [ModelKey: ModelPublished] = [:]
    var rows: [String: Digest] = [:]
    var admissions: [String: UInt64] = [:]
    var withdrawals = Withdrawals()
    var owners = OwnerNames()
    var waiting: [String: Answer] = [:]
    var attributions: [String: Attributed] = [:]
    var attributed: [String: String] = [:]
    /// Where the last answer stands that was attributed.
    var last: UInt64 = 0
    /// Where each answer stands and when it was given, in the order in which they were attributed.
    private var answered: [(position: UInt64, time: Timestamp)] = []
    var rulings: [EventID: (ruling: RulingMade, position: UInt64, time: Timestamp)] = [:]
    private var byEvent: [EventID: String] = [:]
    private var disputes: [String: EventID] = [:]

    /// Nothing yet.
    public init() {}

    private static let types: Set<String> = [
        SnapshotPublished.type, ModelPublished.type, InferenceCompleted.type, JobCompleted.type, IndexBuilt.type, AttributionComputed.type,
        AttributionCorrected.type, RulingMade.type, DisputeOpened.type, ContributionWithdrawn.type, ContentErased.type, KeyRotated.type,
        AdmissionGranted.type, ContributorClaimed.type, AccountVerified.type, ContributionSubmitted.type,
    ]

    /// The types that it folds.
    public static func concerns(_ type: String) -> Bool { types.contains(type) }

    /// Folds one event.
    public mutating func apply(_ fact: Fact) throws {
        let fields = try fact.data.object()
        guard let position = fact.position else { return try applyOwn(fact, fields) }
        switch fact.type {
        case SnapshotPublished.type:
            let published = try SnapshotPublished(fields)
            snapshots[published.snapshot] = Snapshot(published: published, event: fact.id, position: position)
            snapshotsOfDatanet[published.datanet, default: []].append(published.snapshot)
        case ModelPublished.type:
            let model = try ModelPublished(fields)
            models[ModelKey(model: model.model, version: model.version)] = model
        case JobCompleted.type:
            let job = try JobCompleted(fields)
            if let digest = job.rows { rows[job.job] = digest }
        case InferenceCompleted.type:
            let completed = try InferenceCompleted(fields)
            guard attributed[completed.inference] == nil, waiting[completed.inference] == nil else { return }
            waiting[completed.inference] = Answer(completed: completed, event: fact.id, position: position, time: fact.time)
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
        case RulingMade.type:
            let ruling = try RulingMade(fields)
            if ruling.upheld, !ruling.penalties.isEmpty { rulings[fact.id] = (ruling, position, fact.time) }
        default: break
        }
    }

    private mutating func applyOwn(_ fact: Fact, _ fields: JSONFields) throws {
        switch fact.type {
        case IndexBuilt.type:
            let built = try IndexBuilt(fields)
            indexes[built.snapshot] = built
        case AttributionComputed.type:
            let computed = try AttributionComputed(fields)
            let answer = waiting.removeValue(forKey: computed.inference)
            if let answer { last = max(last, answer.position) }
            attributions[computed.attribution] = Attributed(
                inference: computed.inference, number: answered.count, evidence: computed.evidence)
            answered.append((answer?.position ?? 0, fact.time))
            attributed[computed.inference] = computed.attribution
            byEvent[fact.id] = computed.attribution
        case AttributionCorrected.type:
            let corrected = try AttributionCorrected(fields)
            attributions[corrected.attribution]?.rulings.insert(corrected.ruling)
            attributions[corrected.attribution]?.evidence = corrected.evidence
        default: break
        }
    }

    /// The attribution that a ruling is about. A dispute's subject is the settlement, which is named by the attribution's event; a ruling
    /// may also name the attribution or the answer itself.
    func subject(of ruling: RulingMade) -> String? {
        let event = disputes[ruling.subject] ?? EventID(ruling.subject)
        if let attribution = event.flatMap({ byEvent[$0] }) { return attribution }
        return attributions[ruling.subject] == nil ? attributed[ruling.subject] : ruling.subject
    }

    /// So many answers may be on their way to the log while a ruling comes in.
    static let underWay = 64
    /// And however few there are, none that was given so long after a ruling has been on its way since before.
    static let patience: Int64 = 600_000_000

    /// The rulings about attributions that no correction followed, in their order, and whether a later answer was attributed all the same.
    func unfollowed() -> [(ruling: RulingMade, position: UInt64, known: Attributed, isPassedOver: Bool)] {
        rulings.values.sorted { $0.position < $1.position }.compactMap { ruling, position, time in
            guard let known = subject(of: ruling).flatMap({ attributions[$0] }), !known.rulings.contains(ruling.ruling) else { return nil }
            let later = answered[(known.number + 1)...].filter { $0.position > position }
            let isPassedOver =
                later.count > Self.underWay || later.contains { $0.time.microseconds - time.microseconds > Self.patience }
            return (ruling, position, known, isPassedOver)
        }
    }

    /// The snapshots that an answer was searched in, as they stood before it, in the order of the model's terms.
    func searched(_ answer: Answer, _ model: ModelPublished?) -> [(snapshot: Snapshot, isRetrieval: Bool)] {
        var found: [(snapshot: Snapshot, isRetrieval: Bool)] = []
        var seen: Set<String> = []
        func add(_ id: String, _ isRetrieval: Bool) {
            guard let snapshot = snapshots[id], snapshot.position < answer.position, seen.insert(id).inserted else { return }
            found.append((snapshot, isRetrieval))
        }
        for reference in model?.snapshots ?? [] { add(reference.snapshot, false) }
        for datanet in model?.retrieval ?? [] {
            let latest = snapshotsOfDatanet[datanet]?.last { snapshots[$0].map { $0.position < answer.position } ?? false }
            if let latest { add(latest, true) }
        }
        return found
    }
}
