public import Crypto
public import JSON

/// Somebody's own runner joined, and said what it can do.
public struct RunnerRegistered: EventData, Hashable {
    /// `runner.registered`.
    public static let type = "runner.registered"

    /// The principal that it works as, and whose stake vouches for its work.
    public var runner: String
    /// What computes, such as `openledger-engine/1`.
    public var engine: String
    /// The base models that it has.
    public var bases: [String]
    /// What else it can do: `int8`, `attribution-rows`.
    public var features: [String]

    /// From its parts.
    public init(runner: String, engine: String, bases: [String], features: [String]) {
        self.runner = runner
        self.engine = engine
        self.bases = bases
        self.features = features
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["runner", "engine", "bases", "features"])
        runner = try fields.id("runner")
        engine = try fields.id("engine")
        bases = try fields.ids("bases")
        features = try fields.ids("features")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "runner": .string(runner), "engine": .string(engine), "bases": .texts(bases), "features": .texts(features),
        ])
    }
}

/// Somebody's own runner handed in what it made, and the house looks at it before anybody pays.
public struct JobDelivered: EventData, Hashable {
    /// `job.delivered`.
    public static let type = "job.delivered"

    /// The job.
    public var job: String
    /// Who computed it.
    public var runner: String
    /// SHA-256 of the adapter's artefact.
    public var adapter: Digest
    /// The attribution rows of the training items.
    public var rows: Digest?
    /// Tokens seen.
    public var tokens: Int
    /// Evidence: what the runner says of how it went.
    public var record: Digest

    /// From its parts.
    public init(job: String, runner: String, adapter: Digest, rows: Digest? = nil, tokens: Int, record: Digest) {
        self.job = job
        self.runner = runner
        self.adapter = adapter
        self.rows = rows
        self.tokens = tokens
        self.record = record
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["job", "runner", "adapter", "rows", "tokens", "record"])
        job = try fields.id("job")
        runner = try fields.id("runner")
        adapter = try fields.digest("adapter")
        rows = try fields.optionalDigest("rows")
        tokens = try fields.count("tokens")
        record = try fields.digest("record")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "job": .string(job), "runner": .string(runner), "adapter": .digest(adapter), "rows": rows.map { .digest($0) },
            "tokens": .count(tokens), "record": .digest(record),
        ])
    }
}

/// The house did somebody's work again, or measured it. Where it does not agree, the job waits for another runner, and the stake of
/// who handed it in is lost.
public struct JobChecked: EventData, Hashable {
    /// `job.checked`.
    public static let type = "job.checked"

    /// The job.
    public var job: String
    /// Whose work it was.
    public var runner: String
    /// Who looked at it.
    public var checker: String
    /// `repeat`: done again, bit for bit. `measure`: its loss on the rows that are held out, or on all of them where none are.
    public var method: String
    /// What was handed in.
    public var adapter: Digest
    /// With `repeat`: what came out.
    public var found: Digest?
    /// With `repeat`: the attribution rows that came out.
    public var foundRows: Digest?
    /// With `measure`: the loss in millionths that may not be passed by more than 2 %: the one that the runner claims, or the base model's
    /// where that is lower or nothing is claimed.
    public var bound: Int?
    /// With `measure`: the base model's loss in millionths on the same rows.
    public var base: Int?
    /// With `measure`: the loss in millionths that was measured.
    public var measured: Int?
    /// With `measure`: the loss in millionths, on the same rows, of what the same job gave the one who looked: an audit asks
    /// for it.
    public var reached: Int?
    /// With `measure`: whether a sample of the attribution rows came out with the factors that were handed in with them; nil where no
    /// rows were.
    public var rowsAgree: Bool?
    /// With `measure`: false where no rows are held out, so that nothing could be claimed; nil where some are.
    public var heldOut: Bool?
    /// Why it does not agree: `adapter` or `rows` came out otherwise, its `loss` is not the one that is claimed, it has `no-gain` on the
    /// base, as its runner said, it falls `short` of what the job gives by more than chance explains and by less than half, or rows were
    /// `taken-back` while it was made, so that it can't be told. The last three are no lies, and cost no stake.
    public var reason: String?
    /// Whether the work is what it is said to be.
    public var agrees: Bool

    /// Whether who handed it in said something else than it is.
    public var isLie: Bool { !agrees && ![Self.noGain, Self.short, Self.takenBack].contains(reason) }

    /// The reason of work that is what it is said to be, and of no use.
    public static let noGain = "no-gain"
    /// The reason of work that learned less than the job gives, and may have had bad luck.
    public static let short = "short"
    /// The reason of work on other rows than there are now.
    public static let takenBack = "taken-back"

    /// From its parts.
    public init(
        job: String, runner: String, checker: String, method: String, adapter: Digest, found: Digest? = nil, foundRows: Digest? = nil,
        bound: Int? = nil, base: Int? = nil, measured: Int? = nil, reached: Int? = nil, rowsAgree: Bool? = nil, heldOut: Bool? = nil,
        reason: String? = nil,
        agrees: Bool
    ) {
        self.job = job
        self.runner = runner
        self.checker = checker
        self.method = method
        self.adapter = adapter
        self.found = found
        self.foundRows = foundRows
        self.bound = bound
        self.base = base
        self.measured = measured
        self.reached = reached
        self.rowsAgree = rowsAgree
        self.heldOut = heldOut
        self.reason = reason
        self.agrees = agrees
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "job", "runner", "checker", "method", "adapter", "found", "found_rows", "bound", "base", "measured", "reached",
            "rows_agree", "held_out", "reason", "agrees",
        ])
        job = try fields.id("job")
        runner = try fields.id("runner")
        checker = try fields.id("checker")
        method = try fields.id("method")
        adapter = try fields.digest("adapter")
        found = try fields.optionalDigest("found")
        foundRows = try fields.optionalDigest("found_rows")
        bound = try fields.optionalInt("bound", in: 0...(1 << 53) - 1)
        base = try fields.optionalInt("base", in: 0...(1 << 53) - 1)
        measured = try fields.optionalInt("measured", in: 0...(1 << 53) - 1)
        reached = try fields.optionalInt("reached", in: 0...(1 << 53) - 1)
        rowsAgree = try fields.optionalBool("rows_agree")
        heldOut = try fields.optionalBool("held_out")
        reason = try fields.optionalID("reason")
        agrees = try fields.bool("agrees")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "job": .string(job), "runner": .string(runner), "checker": .string(checker), "method": .string(method),
            "adapter": .digest(adapter), "found": found.map { .digest($0) }, "found_rows": foundRows.map { .digest($0) },
            "bound": bound.map { .count($0) }, "base": base.map { .count($0) }, "measured": measured.map { .count($0) },
            "reached": reached.map { .count($0) },
            "rows_agree": rowsAgree.map { .bool($0) }, "held_out": heldOut.map { .bool($0) }, "reason": reason.map { .string($0) },
            "agrees": .bool(agrees),
        ])
    }
}
