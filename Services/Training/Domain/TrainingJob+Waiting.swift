internal import Events

/// How long a job waits for what may never come.
extension TrainingJob {
    /// How long work waits to be looked at, and a job that was given back for another runner, in seconds of log time.
    public static let patience: Int64 = 3_600

    /// Whether a runner works on it, or waits for its work to be looked at.
    func isHeld(by runner: String) -> Bool { self.runner == runner && (status == .running || status == .checking) }

    /// Whether what was handed in was looked at by nobody for too long.
    func isUnlooked(at logTime: Timestamp) -> Bool {
        status == .checking && deliveredAt.map { Self.isLong($0, logTime) } ?? false
    }

    /// Whether it was begun too often, or given back and taken by nobody for too long.
    /// - Parameter silent: jobs whose runner has gone silent, with the attempt that it was.
    func isGivenUp(silent: [String: Int], at logTime: Timestamp) -> Bool {
        let isFree = status == .queued || (status == .running && silent[request.job] == attempt)
        if isFree, lapses >= TrainingRules.mostLapses { return true }
        // What was taken up again since waits for other things.
        guard status == .queued, let released, begun.map({ released.time >= $0 }) ?? false else { return false }
        return Self.isLong(released.time, logTime)
    }

    private static func isLong(_ since: Timestamp, _ now: Timestamp) -> Bool {
        now.microseconds - since.microseconds >= patience * 1_000_000
    }
}
