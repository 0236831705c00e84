internal import Crypto
internal import Engine
internal import Events
internal import HTTPClient
internal import JSON
internal import ServiceShell

/// The runner protocol from the runner's side: every call to training that a job needs.
struct TrainingDesk: Sendable {
    let peers: Peers
    /// How long it waits between two reports on a job.
    var pace = Duration.milliseconds(500)

    /// What is to be done.
    struct Order: Sendable {
        let job: String
        let attempt: Int
        let base: String
        /// The base model's artefact, as training knows it.
        let baseArtefact: Digest?
        let snapshots: [SnapshotReference]
        let settings: JSONFields
        let checkpoint: Digest?
        /// How long its runner may be silent.
        let lease: Duration
        /// Somebody's work, to be looked at instead of a job to be done.
        let check: Work?
    }

    /// What somebody handed in.
    struct Work: Sendable {
        let adapter: Digest
        let rows: Digest?
        /// What was said of how it went.
        let record: JSONFields
    }

    /// What this runner can do besides.
    static let features = ["int8", "attribution-rows"]

    /// The next job on one of the bases; nil when there is none within `wait` seconds. The same key is answered with the same job.
    /// - Parameter declined: jobs that this runner found it can't do.
    func lease(wait: Int, bases: [String], key: String, declined: [String] = []) async throws -> Order? {
        let answer = try await peers.call(
            "POST", .training, "/v1/runners/leases?wait=\(wait)",
            json: [
                "bases": .array(bases.map { .string($0) }), "features": .texts(Self.features), "declined": .texts(declined), "checks": true,
            ],
            key: key, timeout: .seconds(wait + 30))
        if answer.isNull { return nil }
        let fields = try answer.object()
        return Order(
            job: try fields.id("job"), attempt: try fields.int("attempt"), base: try fields.id("base"),
            baseArtefact: try fields.optionalDigest("base_artefact"),
            snapshots: try fields.list("snapshots") { snapshot throws(JSONFieldError) in try SnapshotReference(snapshot) },
            settings: try fields.object("settings"), checkpoint: try fields.optionalDigest("checkpoint"),
            lease: .seconds(try fields.optionalInt("lease_seconds", in: 1...3_600) ?? 30),
            check: try fields.optionalObject("check").map { work in
                Work(
                    adapter: try work.digest("adapter"), rows: try work.optionalDigest("rows"), record: try work.object("record"))
            })
    }

    /// Does something for a job, again and again while what hinders it may pass, for as long as a lease lasts; then the fault is thrown.
    func patiently<Value: Sendable>(_ order: Order, _ work: @Sendable () async throws -> Value) async throws -> Value {
        let end = ContinuousClock.now + order.lease
        var pause = Duration.milliseconds(100)
        while true {
            do { return try await work() } catch {
                guard JobFault.isPassing(error), ContinuousClock.now + pause < end else { throw error }
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .seconds(4))
        }
    }

    /// The rows of a job's snapshot, one JSON object each, told as they come.
    func rows(_ order: Order, snapshot: Int, _ tell: (JSONValue) throws -> Void) async throws {
        let answer = try await peers.open(
            "GET", .training, "/v1/runners/jobs/\(order.job)/rows?snapshot=\(snapshot)", timeout: .seconds(3_600), limit: 4 << 30)
        guard answer.status == 200 else { throw PeerError(.training, answer.status, try await answer.body.collect(upTo: 1 << 20)) }
        var rest: [UInt8] = []
        for try await piece in answer.body {
            var start = piece.startIndex
            // A piece is gone through once, however many lines it has.
            while let end = piece[start...].firstIndex(of: 0x0A) {
                rest += piece[start..<end]
                if !rest.isEmpty { try tell(try JSON.parse(rest)) }
                rest.removeAll(keepingCapacity: true)
                start = end + 1
            }
            rest += piece[start...]
            guard rest.count <= Self.longestLine else {
                throw RunnerError.longRow(snapshot: snapshot, limit: Self.longestLine)
            }
        }
        if !rest.isEmpty { try tell(try JSON.parse(rest)) }
    }

    /// Bytes of a row: an item has at most 8 MiB of each text.
    private static let longestLine = 64 << 20

    /// What training wants of a runner after a report.
    enum Wish: Sendable {
        case goOn
        /// The job was halted: leave a checkpoint and stop.
        case leaveCheckpoint
        /// The job is no longer this runner's.
        case stop
    }

    /// Says how far the job is.
    func report(_ order: Order, _ progress: [(String, JSONValue)]) async throws -> Wish {
        let body = JSONObject([("attempt", .int(Int64(order.attempt)))] + progress)
        let answer = try await peers.call("POST", .training, "/v1/runners/jobs/\(order.job)/heartbeat", json: .object(body))
        if answer["go_on"]?.boolValue ?? false { return .goOn }
        return answer["checkpoint"]?.boolValue ?? false ? .leaveCheckpoint : .stop
    }

    /// Keeps an artefact's files and its manifest.
    func upload(_ artefact: Artefact) async throws {
        for file in artefact.files { try await put(file.digest, file.bytes) }
        try await put(artefact.digest, artefact.manifest)
    }

    func put(_ digest: Digest, _ bytes: [UInt8]) async throws {
        try await peers.send(bytes, type: "application/octet-stream", to: .training, "/v1/adapters/artefacts/\(digest.prefixed)")
    }

    func checkpoint(_ order: Order, step: Int, _ checkpoint: Digest, metrics: JSONValue) async throws {
        _ = try await peers.call(
            "POST", .training, "/v1/runners/jobs/\(order.job)/checkpoint",
            json: [
                "attempt": .int(Int64(order.attempt)), "step": .int(Int64(step)), "checkpoint": .string(checkpoint.prefixed),
                "metrics": metrics,
            ], key: "\(order.job)-\(order.attempt)-\(step)")
    }

    func complete(_ order: Order, adapter: Digest, rows: Digest?, tokens: Int, record: JSONValue) async throws {
        _ = try await peers.call(
            "POST", .training, "/v1/runners/jobs/\(order.job)/complete",
            json: .members([
                "attempt": .int(Int64(order.attempt)), "adapter": .string(adapter.prefixed), "rows": rows.map { .string($0.prefixed) },
                "tokens": .int(Int64(tokens)), "record": record,
            ]), key: "\(order.job)-\(order.attempt)-complete")
    }

    /// Says what a look at somebody's work found.
    func told(_ order: Order, _ finding: JSONValue) async throws -> Bool {
        let answer = try await peers.call(
            "POST", .training, "/v1/runners/jobs/\(order.job)/check", json: finding, key: "\(order.job)-\(order.attempt)-check")
        return answer["agrees"]?.boolValue ?? false
    }

    /// - Parameter elsewhere: whether another runner might do it.
    func fail(_ order: Order, reason: String, elsewhere: Bool = false) async throws {
        _ = try await peers.call(
            "POST", .training, "/v1/runners/jobs/\(order.job)/fail",
            json: [
                "attempt": .int(Int64(order.attempt)), "reason": .string(String(reason.prefix(200))), "elsewhere": .bool(elsewhere),
            ],
            key: "\(order.job)-\(order.attempt)-fail")
    }

    /// Makes a base model known, unless somebody has.
    func register(_ model: ServedModel) async throws {
        let known = try await peers.call("GET", .training, "/v1/base-models")["items"]?.arrayValue ?? []
        if known.contains(where: { $0["model"] == .string(model.name) && $0["artefact"] == .digest(model.artefact) }) { return }
        _ = try await peers.call(
            "POST", .training, "/v1/base-models",
            json: [
                "model": .string(model.name), "artefact": .string(model.artefact.prefixed), "licence": .string(model.licence),
                "parameters": .int(Int64(model.model.configuration.parameterCount)),
            ], key: "base-" + model.artefact.hex)
    }
}
