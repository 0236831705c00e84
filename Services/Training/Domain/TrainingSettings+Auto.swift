public import JSON

extension TrainingSettings {
    /// What may be left to the house.
    static let fitted = ["epochs", "learning_rate", "batch", "rank", "maximum_tokens", "targets"]

    /// Reads what a caller set, where `auto` in place of a number leaves it to ``fitted(rows:tokens:)``.
    /// - Parameters:
    ///   - rows: items of the snapshots.
    ///   - tokens: of them all.
    public init(_ fields: JSONFields, rows: Int, tokens: Int) throws(JSONFieldError) {
        let values = Self.fitted(rows: rows, tokens: tokens)
        var members: [(String, JSONValue)] = []
        for member in fields.object.members {
            let isAuto = member.value == "auto" && Self.fitted.contains(member.key)
            members.append((member.key, isAuto ? values.json[member.key] ?? .null : member.value))
        }
        try self.init(JSONFields(JSONObject(members), at: fields.pointer))
    }

    /// Values that fit so much data: enough steps to learn from little, few passes over much, rows about twice as long as an item's text.
    public static func fitted(rows: Int, tokens: Int) -> TrainingSettings {
        var settings = TrainingSettings()
        guard rows > 0 else { return settings }
        settings.batch = rows < 64 ? 4 : rows < 2_000 ? 8 : 16
        // Some 300 steps are what a small adapter takes to settle.
        settings.epochs = min(20, max(1, (300 * settings.batch + rows - 1) / rows))
        settings.learningRate = rows < 2_000 ? 2_000 : 1_000
        settings.rank = tokens < 1_000_000 ? 8 : 16
        settings.maximumTokens = min(1_024, max(64, (tokens / rows * 2 + 63) / 64 * 64))
        return settings
    }
}
