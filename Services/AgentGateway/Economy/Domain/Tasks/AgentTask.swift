public import Events
internal import Money

/// Work that somebody pays for: money is reserved first, paid when the work is accepted, and goes back when it comes to nothing.
///
/// `open` → `funded` ⇄ `submitted` → `completed`, or `rejected`, or `expired`; the middle two alternate where there are several stages.
public struct AgentTask: Sendable {
    /// Where it is.
    public enum Phase: String, Sendable {
        /// Offered; nothing is reserved.
        case open
        /// Its money is reserved.
        case funded
        /// A stage was delivered and waits to be judged.
        case submitted
        /// All stages were accepted.
        case completed
        /// It came to nothing.
        case rejected
        /// It was not delivered, or not judged, in time.
        case expired
    }

    /// What was offered.
    public let data: TaskOpened
    /// Where it is.
    public internal(set) var phase: Phase = .open
    /// The stage that is worked on or judged, from 0.
    public internal(set) var milestone = 0
    /// Whose money; nil until it is funded.
    public internal(set) var payer: String?
    /// The hold of the tree's first task.
    public internal(set) var hold: String?
    /// The mandate that it is spent under.
    public internal(set) var mandate: String?
    /// The authorisation.
    public internal(set) var authorization: String?
    /// Units that were accepted for its provider, and on along its split, whether they are due yet or not.
    public internal(set) var earned: Int128 = 0
    /// Units of them that are due, and paid.
    public internal(set) var paid: Int128 = 0
    /// Units that tasks below it have reserved, or paid.
    public internal(set) var passedOn: Int128 = 0
    /// Units that were accepted of it and, by who judges it, of those below it.
    public internal(set) var spent: Int128 = 0
    /// Stages of tasks below it that were accepted there, and are due no sooner than this one's judge agrees; oldest first.
    var waiting: [Earned] = []
    /// Stages of all tasks of the tree; of its first task only.
    var stages = 0
    /// Whether its mandate was revoked before anything was delivered: it takes no more work, and ends within moments.
    public internal(set) var isStopped = false
    /// Tasks below it.
    public internal(set) var children: [String] = []
    /// What was delivered, by stage.
    public internal(set) var artefacts: [[TaskArtefact]] = []
    /// Whether the stage that is judged was signed by the provider.
    var isSigned = false

    init(_ data: TaskOpened) { self.data = data }

    /// Whether it has come to an end.
    public var isOver: Bool { phase == .completed || phase == .rejected || phase == .expired }
    /// Whether money is reserved for it.
    public var isRunning: Bool { phase == .funded || phase == .submitted }
    /// Units of its escrow that are neither earned nor passed on.
    public var left: Int128 { data.amount.units - earned - passedOn }
    /// Units that whoever judges it will have agreed to pay in all, with the stage that is judged now.
    var agreed: Int128 {
        milestone >= data.milestones.count - 1
            ? data.amount.units : data.milestones.prefix(milestone + 1).reduce(0) { $0 + $1.amount.units }
    }

    /// What waits and is agreed to with the stage that is judged now: in the order of its acceptance, as much as fits.
    var passing: [Earned] {
        var room = agreed - spent
        return waiting.filter { earned in
            guard earned.data.amount.units <= room else { return false }
            room -= earned.data.amount.units
            return true
        }
    }
    /// Who judges it.
    public var judge: String { data.evaluator ?? data.client }
}

/// A stage below another task that was accepted and is not due yet.
struct Earned: Sendable, Hashable {
    /// How it was accepted.
    let data: TaskAccepted
    /// Whether both sides signed it.
    let isCountersigned: Bool
}

/// A stage that is due.
struct Completion: Sendable {
    /// Whether both sides signed it.
    let isCountersigned: Bool
    let client: String
    let provider: String
    let task: String
    /// Whose money it is: of a part of a task, who pays for the whole.
    let payer: String
    /// Who gets how much of it.
    let payouts: [TaskPayout]
}
