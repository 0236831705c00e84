public import Crypto
public import Events

/// A panel's work on one contribution.
public struct Review: Sendable {
    /// Its id.
    public let id: String
    /// The Datanet.
    public let datanet: String
    /// The contribution.
    public let contribution: String
    /// 1, or 2 on appeal.
    public let round: Int
    /// The review appealed against.
    public let appeals: String?
    /// Who appealed.
    public let appellant: String?
    /// `review.opened`.
    public let event: EventID
    /// When it was opened.
    public let opened: Timestamp
    /// That event's trace.
    public let correlation: String
    /// Among whom the panel is drawn; nil for early reviews, whose events did not say.
    let candidates: [String]?
    /// Its place among the service's own events.
    let sequence: Int
    /// Seats, when a panel was drawn.
    public internal(set) var draw: ReviewDrawn?
    /// Votes so far.
    public internal(set) var votes: [String: Bool] = [:]
    /// Who voted, in order, with the commitments to their reasons.
    public internal(set) var reasons: [(voter: String, reason: Digest)] = []
    /// How it ended.
    public internal(set) var outcome: String?
    /// When it ended.
    public internal(set) var closed: Timestamp?

    /// Votes to admit.
    public var admitting: Int { votes.values.count { $0 } }
    /// Votes to refuse.
    public var refusing: Int { votes.count - admitting }

    /// What the votes say by themselves: nil while both verdicts are possible.
    public var verdict: String? {
        guard let draw else { return nil }
        if admitting >= draw.quorum { return "admitted" }
        if refusing >= draw.quorum { return "refused" }
        return votes.count >= draw.panel.count ? "undecided" : nil
    }

    /// Whether it should be closed at this log time.
    public func isOver(at logTime: Timestamp) -> Bool {
        guard let draw, outcome == nil else { return false }
        return verdict != nil || logTime >= draw.closes
    }
}

/// A verdict that somebody is bound to and nobody knows.
public struct Trap: Sendable {
    /// Its id.
    public let id: String
    /// The Datanet.
    public let datanet: String
    /// What binds it.
    public let commitment: Digest
    /// What all traps on one contribution share; early ones have none.
    public let tag: Digest?
    /// Who set it.
    public let setter: String
    let sequence: Int
    /// The review it measured, once opened.
    public internal(set) var review: String?
}
