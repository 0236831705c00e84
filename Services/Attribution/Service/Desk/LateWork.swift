internal import Events

/// What is put off: work that failed again and again while others did not. It is passed over, tried again ever more seldom, and shown.
struct LateWork: Sendable {
    /// Snapshots that cannot be indexed now.
    var snapshots = Delays<String>(.milliseconds(50), upTo: .seconds(15))
    /// Answers, by their places on the log.
    var answers = Delays<UInt64>(.seconds(1), upTo: .seconds(60))
    /// Rulings that cannot be followed now.
    var rulings = Delays<EventID>(.seconds(1), upTo: .seconds(60))
    /// How often answers failed that are not passed over yet.
    private var failures: [UInt64: Int] = [:]
    /// Answers that are passed over because their snapshot cannot be indexed now.
    private var blocked: [String: Set<UInt64>] = [:]

    /// After so many failures something is passed over.
    static let patience = 5

    /// When the first snapshot is due again.
    var nextIndex: ContinuousClock.Instant? { snapshots.next }

    /// When the first answer or ruling is due again.
    var nextAttribution: ContinuousClock.Instant? { [answers.next, rulings.next].compactMap(\.self).min() }

    /// What is put off, with a reason; nil when nothing is.
    var description: String? {
        var parts: [String] = []
        if let one = snapshots.example { parts.append("\(snapshots.count) snapshots, as \(one.key): \(one.reason)") }
        if let one = answers.example { parts.append("\(answers.count) answers, as the one at \(one.key): \(one.reason)") }
        if let one = rulings.example { parts.append("\(rulings.count) rulings, as \(one.key): \(one.reason)") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    /// An answer's snapshot cannot be indexed now.
    mutating func block(answer position: UInt64, by snapshot: String) {
        blocked[snapshot, default: []].insert(position)
        answers.failed(position, "its snapshot \(snapshot) is not indexed", at: .now)
    }

    /// An answer failed.
    /// - Returns: whether it is passed over from now on.
    mutating func failed(answer position: UInt64, areOthersFine: Bool, _ reason: String) -> Bool {
        failures[position, default: 0] += 1
        guard areOthersFine, failures[position, default: 0] >= Self.patience else { return false }
        answers.failed(position, reason, at: .now)
        return true
    }

    /// An answer is attributed.
    mutating func settle(answer position: UInt64) {
        failures[position] = nil
        answers.done(position)
    }

    /// A snapshot is indexed, or never will be: the answers that waited for it go on.
    mutating func settle(snapshot: String) {
        snapshots.done(snapshot)
        for position in blocked.removeValue(forKey: snapshot) ?? [] { answers.done(position) }
    }
}
