public import JSON

/// What a job would take of a runner, as the runner told it before the job is ordered, and how much it may take.
public struct JobTaking: Sendable, Equatable {
    /// Bytes of a kind, and how many a job may take.
    public struct Part: Sendable, Equatable {
        /// What it would take.
        public var bytes: Int
        /// What it may.
        public var limit: Int

        /// From its parts.
        public init(bytes: Int, limit: Int) {
            self.bytes = bytes
            self.limit = limit
        }

        var isTooMuch: Bool { bytes > limit }
        var text: String { "\(bytes >> 20) MiB" }
        var most: String { "\(limit >> 20)" }
    }

    /// The runner's memory.
    public var memory: Part
    /// The attribution rows.
    public var rows: Part?
    /// What these are made with, which grows with the square of a layer's width.
    public var factors: Part?
    /// The targets with which the job would keep within all of them; nil where the runner does not say.
    public var targets: [String]?

    /// Reads a runner's answer.
    public init(_ told: JSONValue) throws(JSONFieldError) {
        let fields = try told.object()
        memory = Part(bytes: try fields.int("bytes", in: 0...Int.max), limit: try fields.int("limit", in: 0...Int.max))
        if let bytes = try fields.optionalInt("rows_bytes", in: 0...Int.max),
            let limit = try fields.optionalInt("rows_limit", in: 0...Int.max)
        {
            rows = Part(bytes: bytes, limit: limit)
        }
        if let bytes = try fields.optionalInt("factors_bytes", in: 0...Int.max),
            let limit = try fields.optionalInt("factors_limit", in: 0...Int.max)
        {
            factors = Part(bytes: bytes, limit: limit)
        }
        if let names = try fields.optionalArray("targets", count: 0...16) {
            var known: [String] = []
            for name in names {
                let name = try name.string(bytes: 1...64)
                if TrainingSettings.layers.contains(name) { known.append(name) }
            }
            targets = known
        }
    }

    /// Whether it is more than it may be.
    public var isTooMuch: Bool { memory.isTooMuch || rows?.isTooMuch == true || factors?.isTooMuch == true }

    /// Refuses a job that would take more than it may, with what would help.
    public func require() throws(TrainingError) {
        func refused(_ reason: String, _ others: String) -> TrainingError {
            let fewer = targets.map { $0.isEmpty ? "" : ", such as " + $0.joined(separator: ", ") } ?? ""
            return .invalid(field: "/settings", reason: reason + ": " + others + " or fewer targets" + fewer)
        }
        if memory.isTooMuch {
            throw refused(
                "would take \(memory.text) of the runner's memory, and a job may take \(memory.most)",
                "a smaller base or snapshot, fewer tokens to a row, a lower rank")
        }
        if let rows, rows.isTooMuch {
            throw refused(
                "would make \(rows.text) of attribution rows, and a job may make \(rows.most)", "a smaller snapshot, a lower rank")
        }
        if let factors, factors.isTooMuch {
            throw refused(
                "would take \(factors.text) for what measures influence, and a job may take \(factors.most)", "a smaller base")
        }
    }
}
