public import Crypto
public import JSON
public import Money

/// Somebody asked for a fine-tuning.
public struct JobRequested: EventData, Hashable {
    /// `job.requested`.
    public static let type = "job.requested"

    /// The job.
    public var job: String
    /// Who pays, and owns what comes of it.
    public var owner: String
    /// The base model.
    public var base: String
    /// What it learns from.
    public var snapshots: [SnapshotReference]
    /// Evidence: the settings, all of them.
    public var settings: Digest
    /// What it will cost.
    public var fee: Amount
    /// The hold on that fee.
    public var hold: String?
    /// The job that it repeats without what was taken back since.
    public var replaces: String?
    /// Evidence, with `replaces`: that job's result, and which of its items are left out now.
    public var without: Digest?
    /// What a runner must be able to do besides: `int8`.
    public var needs: [String]

    /// From its parts.
    public init(
        job: String, owner: String, base: String, snapshots: [SnapshotReference], settings: Digest, fee: Amount, hold: String? = nil,
        replaces: String? = nil, without: Digest? = nil, needs: [String] = []
    ) {
        self.job = job
        self.owner = owner
        self.base = base
        self.snapshots = snapshots
        self.settings = settings
        self.fee = fee
        self.hold = hold
        self.replaces = replaces
        self.without = without
        self.needs = needs
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["job", "owner", "base", "snapshots", "settings", "fee", "hold", "replaces", "without", "needs"])
        job = try fields.id("job")
        owner = try fields.id("owner")
        base = try fields.id("base")
        snapshots = try fields.list("snapshots") { entry throws(JSONFieldError) in try SnapshotReference(entry) }
        settings = try fields.digest("settings")
        fee = try fields.amount("fee")
        hold = try fields.optionalID("hold")
        replaces = try fields.optionalID("replaces")
        without = try fields.optionalDigest("without")
        needs = fields.optionalField("needs") == nil ? [] : try fields.ids("needs")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "job": .string(job), "owner": .string(owner), "base": .string(base), "snapshots": .array(snapshots.map(\.json)),
            "settings": .digest(settings), "fee": fee.json, "hold": hold.map { .string($0) },
            "replaces": replaces.map { .string($0) }, "without": without.map { .digest($0) },
            "needs": needs.isEmpty ? nil : .texts(needs),
        ])
    }
}

/// A runner took a job.
public struct JobStarted: EventData, Hashable {
    /// `job.started`.
    public static let type = "job.started"

    /// The job.
    public var job: String
    /// The runner.
    public var runner: String
    /// From 1.
    public var attempt: Int

    /// From its parts.
    public init(job: String, runner: String, attempt: Int) {
        self.job = job
        self.runner = runner
        self.attempt = attempt
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["job", "runner", "attempt"])
        job = try fields.id("job")
        runner = try fields.id("runner")
        attempt = try fields.count("attempt")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "job": .string(job), "runner": .string(runner), "attempt": .count(attempt),
        ])
    }
}

/// A job can go on from here.
public struct JobCheckpointed: EventData, Hashable {
    /// `job.checkpointed`.
    public static let type = "job.checkpointed"

    /// The job.
    public var job: String
    /// Optimiser steps done.
    public var step: Int
    /// SHA-256 of the checkpoint.
    public var checkpoint: Digest
    /// Evidence: the metrics up to here.
    public var metrics: Digest

    /// From its parts.
    public init(job: String, step: Int, checkpoint: Digest, metrics: Digest) {
        self.job = job
        self.step = step
        self.checkpoint = checkpoint
        self.metrics = metrics
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["job", "step", "checkpoint", "metrics"])
        job = try fields.id("job")
        step = try fields.count("step")
        checkpoint = try fields.digest("checkpoint")
        metrics = try fields.digest("metrics")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "job": .string(job), "step": .count(step), "checkpoint": .digest(checkpoint), "metrics": .digest(metrics),
        ])
    }
}

/// A fine-tuning is done.
public struct JobCompleted: EventData, Hashable {
    /// `job.completed`.
    public static let type = "job.completed"

    /// The job.
    public var job: String
    /// Who pays, and owns the adapter.
    public var owner: String
    /// The base model.
    public var base: String
    /// What it learned from.
    public var snapshots: [SnapshotReference]
    /// SHA-256 of the adapter's artefact.
    public var adapter: Digest
    /// The attribution rows of the training items.
    public var rows: Digest?
    /// Whose items it learned from, by tokens seen.
    public var shares: EvidenceList<AttributionShare>
    /// Tokens seen.
    public var tokens: Int
    /// What it costs.
    public var fee: Amount
    /// The hold that it is taken from.
    public var hold: String?
    /// Who computed it.
    public var runner: String
    /// Evidence: kernel level, threads, seed, losses.
    public var record: Digest

    /// From its parts.
    public init(
        job: String, owner: String, base: String, snapshots: [SnapshotReference], adapter: Digest, rows: Digest? = nil,
        shares: EvidenceList<AttributionShare>, tokens: Int, fee: Amount, hold: String? = nil, runner: String, record: Digest
    ) {
        self.job = job
        self.owner = owner
        self.base = base
        self.snapshots = snapshots
        self.adapter = adapter
        self.rows = rows
        self.shares = shares
        self.tokens = tokens
        self.fee = fee
        self.hold = hold
        self.runner = runner
        self.record = record
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "job", "owner", "base", "snapshots", "adapter", "rows", "shares", "tokens", "fee", "hold", "runner", "record",
        ])
        job = try fields.id("job")
        owner = try fields.id("owner")
        base = try fields.id("base")
        snapshots = try fields.list("snapshots") { entry throws(JSONFieldError) in try SnapshotReference(entry) }
        adapter = try fields.digest("adapter")
        rows = try fields.optionalDigest("rows")
        shares = try EvidenceList(fields.object("shares"))
        tokens = try fields.count("tokens")
        fee = try fields.amount("fee")
        hold = try fields.optionalID("hold")
        runner = try fields.id("runner")
        record = try fields.digest("record")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "job": .string(job), "owner": .string(owner), "base": .string(base), "snapshots": .array(snapshots.map(\.json)),
            "adapter": .digest(adapter), "rows": rows.map { .digest($0) }, "shares": shares.json, "tokens": .count(tokens), "fee": fee.json,
            "hold": hold.map { .string($0) }, "runner": .string(runner), "record": .digest(record),
        ])
    }
}

/// A fine-tuning ended without an adapter.
public struct JobFailed: EventData, Hashable {
    /// `job.failed`.
    public static let type = "job.failed"

    /// The job.
    public var job: String
    /// A code.
    public var reason: String
    /// The hold to release.
    public var hold: String?

    /// From its parts.
    public init(job: String, reason: String, hold: String? = nil) {
        self.job = job
        self.reason = reason
        self.hold = hold
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["job", "reason", "hold"])
        job = try fields.id("job")
        reason = try fields.id("reason")
        hold = try fields.optionalID("hold")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "job": .string(job), "reason": .string(reason), "hold": hold.map { .string($0) },
        ])
    }
}

/// Its owner stopped a fine-tuning.
public struct JobCancelled: EventData, Hashable {
    /// `job.cancelled`.
    public static let type = "job.cancelled"

    /// The job.
    public var job: String
    /// The hold to release.
    public var hold: String?

    /// From its parts.
    public init(job: String, hold: String? = nil) {
        self.job = job
        self.hold = hold
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["job", "hold"])
        job = try fields.id("job")
        hold = try fields.optionalID("hold")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "job": .string(job), "hold": hold.map { .string($0) },
        ])
    }
}
