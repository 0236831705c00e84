public import JSON
public import Money

/// What an API key may use up.
public struct KeyLimits: EventPart {
    /// What it may use in a stretch of time; what is not named is not limited.
    public struct Rate: EventPart {
        /// Requests.
        public var requests: Int?
        /// Tokens of prompts and answers.
        public var tokens: Int?
        /// Fees.
        public var money: Amount?

        /// From its parts.
        public init(requests: Int? = nil, tokens: Int? = nil, money: Amount? = nil) {
            self.requests = requests
            self.tokens = tokens
            self.money = money
        }

        /// Reads it.
        public init(_ fields: JSONFields) throws(JSONFieldError) {
            try fields.refuseUnknown(keys: ["requests", "tokens", "money"])
            requests = try fields.optionalInt("requests", in: 0...(1 << 53) - 1)
            tokens = try fields.optionalInt("tokens", in: 0...(1 << 53) - 1)
            money = try fields.optionalAmount("money")
        }

        /// As it is written.
        public var json: JSONValue {
            .members(["requests": requests.map { .count($0) }, "tokens": tokens.map { .count($0) }, "money": money?.json])
        }
    }

    /// In any minute.
    public var minute: Rate?
    /// In a day of UTC.
    public var day: Rate?
    /// Fees in all, for ever.
    public var budget: Amount?

    /// From its parts.
    public init(minute: Rate? = nil, day: Rate? = nil, budget: Amount? = nil) {
        self.minute = minute
        self.day = day
        self.budget = budget
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["minute", "day", "budget"])
        minute = try fields.optionalObject("minute").map { (fields) throws(JSONFieldError) in try Rate(fields) }
        day = try fields.optionalObject("day").map { (fields) throws(JSONFieldError) in try Rate(fields) }
        budget = try fields.optionalAmount("budget")
    }

    /// As it is written.
    public var json: JSONValue { .members(["minute": minute?.json, "day": day?.json, "budget": budget?.json]) }
}
