public import Events
internal import JSON
internal import Money

/// What other services' events have told: terms by the position from which they hold, and what waits for billing to react.
struct KnownFacts: Sendable {
    struct Model: Sendable {
        let owner: String
        let split: ModelSplit
    }

    /// An answer, and the event that told of it.
    struct Told: Sendable {
        let event: String
        private let aside: Aside<InferenceCompleted>

        init(event: String, _ data: InferenceCompleted) {
            self.event = event
            aside = Aside(data)
        }

        var data: InferenceCompleted { aside.value }
    }

    /// A member came or went.
    struct Change: Sendable {
        let position: UInt64
        let principal: String
        let role: String
        let isIn: Bool
    }

    struct Datanet: Sendable {
        private(set) var policies: [(position: UInt64, policy: DatanetPolicy)] = []
        private(set) var changes: [Change] = []
        /// Whose work its snapshots are, of those that say so.
        private var snapshots: [(position: UInt64, shares: EvidenceList<AttributionShare>)] = []
        /// Who is in after all changes, in the order of their ids, and where the last change stands: nearly always what is asked for.
        private var curators: [String] = []
        private var validators: [String] = []
        private var last: UInt64 = 0

        mutating func set(_ policy: DatanetPolicy, at position: UInt64) {
            policies.append((position, policy))
            last = max(last, position)
        }

        mutating func publish(_ shares: EvidenceList<AttributionShare>, at position: UInt64) { snapshots.append((position, shares)) }

        /// Whose work its newest snapshot was at a position; nil before its first one that says so.
        func shares(at position: UInt64) -> EvidenceList<AttributionShare>? { snapshots.last { $0.position <= position }?.shares }

        mutating func change(_ change: Change) {
            changes.append(change)
            last = max(last, change.position)
            switch change.role {
            case "curator": Self.put(change.principal, change.isIn, into: &curators)
            case "validator": Self.put(change.principal, change.isIn, into: &validators)
            default: break
            }
        }

        private static func put(_ principal: String, _ isIn: Bool, into members: inout [String]) {
            var low = 0
            var high = members.count
            while low < high {
                let middle = (low + high) / 2
                if SettlementTerms.Datanet.inOrder(members[middle], principal) { low = middle + 1 } else { high = middle }
            }
            let isThere = low < members.count && members[low] == principal
            if isIn, !isThere { members.insert(principal, at: low) }
            if !isIn, isThere { members.remove(at: low) }
        }

        /// What it does with its part, as it stood at a position; nil before its first policy.
        func terms(at position: UInt64) -> SettlementTerms.Datanet? {
            guard let policy = policies.last(where: { $0.position <= position })?.policy else { return nil }
            var (curators, validators) = (curators, validators)
            if position < last {
                (curators, validators) = ([], [])
                for change in changes where change.position <= position {
                    switch change.role {
                    case "curator": Self.put(change.principal, change.isIn, into: &curators)
                    case "validator": Self.put(change.principal, change.isIn, into: &validators)
                    default: break
                    }
                }
            }
            return SettlementTerms.Datanet(
                treasury: policy.treasuryPoints, curating: policy.curatorPoints, contributing: policy.contributorPoints,
                inOrder: curators, validators: validators)
        }
    }

    /// The keys of a principal.
    struct Keys: Sendable {
        private(set) var linked: Set<String> = []
        private(set) var removed: Set<String> = []

        mutating func link(_ key: String) { linked.insert(key) }
        mutating func unlink(_ key: String) { if linked.remove(key) != nil { removed.insert(key) } }
    }

    var keys: [String: Keys] = [:]
    var models: [String: [Int: Model]] = [:]
    /// Whose the accounts are of authors whom others named.
    var authors: [String: String] = [:]
    var datanets: [String: Datanet] = [:]
    /// Answers whose fee is not settled.
    var inferences: [String: Told] = [:]
    /// What each attribution is of: both names shortened.
    var attributions: [UInt128: UInt128] = [:]
    /// Who ordered a training that is to be paid from a hold, while it is not over.
    var orders: [String: String] = [:]
    var reactions: [String: PendingReaction] = [:]
    /// The events that wait to be answered by the settlement of one thing.
    var waitingFor: [String: Set<String>] = [:]
    var reactionQueue = OrderedQueue<Place>()
    /// Up to where a program that did not close reactions had come: what was still there before had asked it for nothing.
    private var passedTo: UInt64 = 0

    mutating func passed(_ position: UInt64) { passedTo = max(passedTo, position) }
    func wasPassed(_ position: UInt64) -> Bool { position < passedTo }

    struct Place: Comparable, Sendable {
        let position: UInt64
        let id: String

        static func < (left: Place, right: Place) -> Bool { left.position < right.position }
    }

    /// The settlement of what an attribution is of; nil until there is one.
    func settlement(of attribution: String, in settlements: [UInt128: UInt128]) -> UInt128? {
        attributions[UInt128(short: attribution)].flatMap { settlements[$0] }
    }

    /// The terms of Datanets as they stood at a position.
    func datanets(_ ids: Set<String>, at position: UInt64) -> [String: SettlementTerms.Datanet] {
        var terms: [String: SettlementTerms.Datanet] = [:]
        for id in ids { terms[id] = datanets[id]?.terms(at: position) }
        return terms
    }
}

/// What an event of another service asks of billing. It is copied often and looked into seldom.
public indirect enum Reaction: Sendable, Hashable {
    /// A fee is due.
    case charge(InferenceCompleted)
    /// A captured fee can be shared out.
    case settle(AttributionComputed)
    /// A training is done: its fee is due and can be shared out.
    case job(JobCompleted)
    /// Who shaped an answer is put right.
    case correct(AttributionCorrected)
    /// A stage of a task was accepted: its pay is due.
    case task(TaskCompleted)
    /// A snapshot was read at a price.
    case access(AccessUsed)
    /// A hold is no longer needed; of a training, only if it was placed by who ordered that.
    case release(hold: String, of: AccountID?)
    /// A panel ruled on a dispute, or on stakes.
    case ruling(RulingMade)
    /// Somebody's runner handed in something else than it said.
    case refuted(JobChecked)

    /// What it is called when it is closed; nil for what waits until it is settled.
    var closedAs: String? {
        switch self {
        case .release: "release"
        case .ruling: "ruling"
        case .refuted: "refuted"
        case .task(let task): task.amount.isPositive ? nil : "task"
        case .charge, .settle, .job, .correct, .access: nil
        }
    }

    /// What has been settled once this is answered; nil for what settles nothing.
    var reference: String? {
        switch self {
        case .charge(let inference): inference.inference
        case .settle(let attribution): attribution.inference
        case .job(let job): job.job
        case .access(let used): used.access
        case .task(let task): task.amount.isPositive ? BillingState.reference(task) : nil
        case .correct, .release, .ruling, .refuted: nil
        }
    }
}

/// An event that billing has yet to react to.
public struct PendingReaction: Sendable {
    /// The event's id.
    public let event: EventID
    /// Where it stands.
    public let position: UInt64
    /// What it asks for.
    public let reaction: Reaction
    /// When it happened.
    public let time: Timestamp
}
