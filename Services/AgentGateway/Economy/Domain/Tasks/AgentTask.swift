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
    /// Units paid to its provider, and on along its split.
    public internal(set) var paid: Int128 = 0
    /// Units that tasks below it have reserved, or paid.
    public internal(set) var passedOn: Int128 = 0
    /// Units that it and those below it have paid.
    public internal(set) var spent: Int128 = 0
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
    /// Units of its escrow that are neither paid nor passed on.
    public var left: Int128 { data.amount.units - paid - passedOn }
    /// Who judges it.
    public var judge: String { data.evaluator ?? data.client }
}

/// A stage that was accepted.
struct Completion: Sendable {
    let client: String
    let provider: String
    let task: String
}
