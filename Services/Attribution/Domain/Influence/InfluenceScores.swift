public import Crypto

/// The scores of all training rows for one answer at one checkpoint.
public struct InfluenceScores: Sendable {
    /// The hash of the file of training rows.
    public let rows: Digest
    /// The hash of the file with the answer's row.
    public let query: Digest
    /// The item of each row.
    public let items: [String]
    /// The score of each row, in units of 2^`exponent`; above 0 where training on the row made the answer more likely.
    public let scores: [Int64]
    /// The binary exponent of the scores' unit.
    public let exponent: Int

    /// Takes the scores of as many rows as there are items.
    public init(rows: Digest, query: Digest, items: [String], scores: [Int64], exponent: Int) {
        self.rows = rows
        self.query = query
        self.items = items
        self.scores = scores
        self.exponent = exponent
    }
}

/// What influence is computed from.
public struct InfluenceInput: Sendable {
    /// The scores at each checkpoint (or seed); two at least for a confidence of their own.
    public let checkpoints: [InfluenceScores]
    /// The planted garbage: the name of the canary for each of its items.
    public let canaries: [String: String]

    /// Takes both.
    public init(checkpoints: [InfluenceScores], canaries: [String: String] = [:]) {
        self.checkpoints = checkpoints
        self.canaries = canaries
    }
}

/// Rows that nobody learned from and nobody is paid for: what garbage would earn. Runners put them among an adapter's rows.
public enum Canary {
    /// What the ids of their rows begin with, `canary/NAME/NUMBER`; no item's does.
    public static let prefix = "canary/"

    /// The canary that a row is of; nil for an item's.
    public static func name(of row: String) -> String? {
        guard row.hasPrefix(prefix) else { return nil }
        let parts = row.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 ? prefix + parts[1] : nil
    }

    /// The names of all canaries among rows, by row.
    public static func names(among rows: [String]) -> [String: String] {
        var names: [String: String] = [:]
        for row in rows { names[row] = name(of: row) }
        return names
    }
}
