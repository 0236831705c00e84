public import Events

/// A proposal to change a Datanet's rules.
public struct Proposal: Sendable {
    /// What was proposed, by whom, until when.
    public let opened: ProposalOpened
    /// When it was opened.
    public let time: Timestamp
    /// Votes: which way and how many.
    public internal(set) var votes: [String: (inFavour: Bool, weight: Int128)] = [:]
    /// How it ended.
    public internal(set) var closed: ProposalClosed?
    /// Whether the rules were changed by it.
    public internal(set) var isEnacted = false

    /// Votes for it.
    public var inFavour: Int128 { sum(true) }
    /// Votes against it.
    public var against: Int128 { sum(false) }
    /// All votes there are.
    public var electorate: Int128 { Int128(opened.electorate) ?? 0 }

    private func sum(_ way: Bool) -> Int128 {
        votes.values.reduce(0) { $0 + ($1.inFavour == way ? $1.weight : 0) }
    }

    /// Whether its voting is over at this log time: the time has come, or everybody has voted.
    public func isOver(at logTime: Timestamp) -> Bool { closed == nil && (logTime >= opened.closes || inFavour + against >= electorate) }

    /// Whether it passed and its time-lock has run out.
    public func isDue(at logTime: Timestamp) -> Bool {
        guard !isEnacted, let enacts = closed?.enacts else { return false }
        return logTime >= enacts
    }
}

/// Leave to read.
public struct Grant: Sendable {
    /// The terms.
    public let terms: AccessGranted
    /// Since when.
    public let since: Timestamp
    /// Whether it was taken back.
    public internal(set) var isRevoked = false

    /// Whether it holds at this log time.
    public func holds(at logTime: Timestamp) -> Bool { !isRevoked && terms.expires.map { logTime < $0 } ?? true }
}

/// A published version.
public struct Snapshot: Sendable {
    /// What was published.
    public let published: SnapshotPublished
    /// By whom.
    public let publisher: String
    /// When.
    public let time: Timestamp
}
