internal import IngestDomain

/// What Datanets hold, in memory, for the contributions that come next. Those used last stay, as long as all together are not too large;
/// the others are filled again from the log and the contents when they are needed.
struct ScreeningShelf {
    /// About so many bytes are kept, unless one Datanet alone has more.
    private static let mostBytes = 256 << 20
    /// At most so many Datanets are kept, whatever they take.
    private static let mostKept = 256

    /// What was forgotten of a session while it was away.
    private enum Change {
        case items([String])
        case everything
    }

    /// The last used last.
    private var kept: [(datanet: String, session: ScreeningSession)] = []
    private var away: [String: [Change]] = [:]

    /// Takes a Datanet's session, to be brought back; nil when it has to be filled anew.
    mutating func take(_ datanet: String) -> ScreeningSession? {
        away[datanet] = []
        guard let index = kept.firstIndex(where: { $0.datanet == datanet }) else { return nil }
        return kept.remove(at: index).session
    }

    /// Brings a session back.
    /// - Parameter session: nil when it knows what never came to the log.
    mutating func put(_ datanet: String, _ session: ScreeningSession?) {
        let changes = away.removeValue(forKey: datanet) ?? []
        guard let session else { return }
        kept.append((datanet, session))
        for change in changes { forget(datanet, change) }
        // Each keeps a file open, too.
        while kept.count > 1, kept.count > Self.mostKept || kept.reduce(0, { $0 + $1.session.bytes }) > Self.mostBytes {
            kept.removeFirst()
        }
    }

    /// Forgets items of a Datanet, which were erased.
    mutating func forget(_ datanet: String, items: [String]) { forget(datanet, .items(items)) }

    /// Forgets what a Datanet holds: something of it was erased, and nobody knows what.
    mutating func forget(_ datanet: String) { forget(datanet, .everything) }

    private mutating func forget(_ datanet: String, _ change: Change) {
        if away[datanet] != nil { return away[datanet, default: []].append(change) }
        guard let index = kept.firstIndex(where: { $0.datanet == datanet }) else { return }
        switch change {
        case .items(let items): for item in items { kept[index].session.remove(item) }
        case .everything: kept.remove(at: index)
        }
    }
}
