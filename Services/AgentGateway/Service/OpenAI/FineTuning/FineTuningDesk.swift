internal import AgentGatewayDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import HTTPClient
internal import Identity
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Web

/// Takes fine-tunings on their way, one step after the other. Each step is a call with a key of its own and is written down before the
/// next, so one that was broken off goes on where it was.
actor FineTuningDesk {
    private let context: ServiceContext
    private let records: RecordFolder
    private let shelf: FileShelf
    private let maker: DecisionMaker<GatewayState>
    private let signature: Ed25519PrivateKey
    private var jobs: [String: FineTuningJob] = [:]
    /// What runners do about those that train; the others wait.
    private var activities: [String: FineTuningJob.Activity] = [:]
    /// Jobs by owner that are being written down.
    private var beginning: [String: Int] = [:]
    /// Jobs of which a step is being taken.
    private var stepping: Set<String> = []
    /// Jobs that somebody is about to cancel, and how many do: they take no step.
    private var halting: [String: Int] = [:]
    private var isRead = false
    private var bell: AsyncStream<Void>.Continuation?

    /// Most unfinished jobs of one owner.
    private static let mostOfOne = 16

    init(_ context: ServiceContext, shelf: FileShelf, maker: DecisionMaker<GatewayState>) throws {
        self.context = context
        self.shelf = shelf
        self.maker = maker
        records = RecordFolder(context.folder + "/fine-tuning")
        signature = try KeyFile.loadOrCreate(context.folder + "/contributions.pem")
    }

    // MARK: For routes

    /// Begins one.
    func begin(_ job: FineTuningJob) async throws {
        try await read()
        guard jobs.values.count(where: { $0.owner == job.owner && !$0.stage.isOver }) + (beginning[job.owner] ?? 0) < Self.mostOfOne else {
            throw Problem(OpenAIProblems.rateLimit, "\(Self.mostOfOne) of your jobs are under way", headers: ["Retry-After": "60"])
        }
        // It counts from here on: others come while it is written down.
        beginning[job.owner, default: 0] += 1
        defer { beginning[job.owner] = (beginning[job.owner] ?? 1) > 1 ? (beginning[job.owner] ?? 1) - 1 : nil }
        try await records.put(job.record, id: job.id, owner: job.owner)
        jobs[job.id] = job
        bell?.yield()
    }

    /// A job of an owner, and what a runner does about it.
    func job(_ id: String, of owner: String) async throws -> (FineTuningJob, FineTuningJob.Activity)? {
        try await read()
        guard let job = jobs[id], job.owner == owner else { return nil }
        return (job, activities[id] ?? .waiting)
    }

    /// An owner's jobs, newest first.
    func jobs(of owner: String) async throws -> [(FineTuningJob, FineTuningJob.Activity)] {
        try await read()
        return jobs.values.filter { $0.owner == owner }.sorted { ($0.created, $0.id) > ($1.created, $1.id) }
            .map { ($0, activities[$0.id] ?? .waiting) }
    }

    /// Stops a job.
    func cancel(_ id: String, of owner: String) async throws -> FineTuningJob? {
        try await read()
        guard jobs[id]?.owner == owner else { return nil }
        // The step in hand ends first, and no other begins: what it orders would else be made after all, and cost.
        halting[id, default: 0] += 1
        defer {
            halting[id] = (halting[id] ?? 1) > 1 ? (halting[id] ?? 1) - 1 : nil
            bell?.yield()
        }
        while stepping.contains(id) { try await Task.sleep(for: .milliseconds(20)) }
        guard var job = jobs[id] else { return nil }
        guard !job.stage.isOver else { throw Problem(.conflict, "the job is over: it has \(job.stage.rawValue)") }
        if let training = job.job {
            try await told(job, "/v1/training-jobs/\(training)/cancel", key: "\(id)-cancel")
        }
        // A step may have ended meanwhile; what it found stays.
        job = jobs[id] ?? job
        guard !job.stage.isOver else { return job }
        job.end(.cancelled, at: now)
        job.note("The job was cancelled.", at: now)
        try await keep(job)
        return job
    }

    /// Halts a training, or lets it go on.
    func control(_ id: String, of owner: String, _ verb: Control) async throws -> (FineTuningJob, FineTuningJob.Activity)? {
        try await read()
        guard var job = jobs[id], job.owner == owner else { return nil }
        guard job.stage == .training, let training = job.job else {
            throw Problem(.conflict, "only a job that trains can be paused and resumed; this one is at \"\(job.stage.rawValue)\"")
        }
        let state = try await told(
            job, "/v1/training-jobs/\(training)/\(verb.rawValue)", key: "\(id)-\(Hex.encode(Random.bytes(8)))")
        // A step may have ended meanwhile; what it found stays.
        job = jobs[id] ?? job
        guard job.stage == .training else { return (job, .waiting) }
        job.note(verb == .pause ? "The job was paused." : "The job goes on.", at: now)
        try await keep(job)
        activities[id] = FineTuningJob.Activity(status: state["status"]?.stringValue)
        return (job, activities[id] ?? .waiting)
    }

    /// Tells training something about a job, for a caller who waits.
    /// - Throws: `Problem`: 409 for what the job's state does not allow, such as one that has just ended; 503 when training is away.
    @discardableResult
    private func told(_ job: FineTuningJob, _ path: String, key: String) async throws -> JSONValue {
        do { return try await peers(job).call("POST", .training, path, json: nil, key: key) } catch { throw Self.problem(error) }
    }

    private static func problem(_ error: any Error) -> any Error {
        switch error {
        case let refused as PeerError where refused.status == 404 || refused.status == 409 || refused.status == 422:
            Problem(.conflict, refused.detail)
        case let refused as PeerError where refused.status == 0 || refused.status >= 429:
            Problem(.unavailable, "training is not available: try again", headers: ["Retry-After": "1"])
        case is HTTPClientError: Problem(.unavailable, "training is not available: try again", headers: ["Retry-After": "1"])
        default: error
        }
    }

    /// What an owner may do while a job trains.
    enum Control: String, Sendable {
        case pause, resume
    }

    /// The base models that can be fine-tuned.
    func bases() async throws -> [String] {
        let list: JSONValue
        do { list = try await context.peers.call("GET", .training, "/v1/base-models") } catch { throw Self.problem(error) }
        return list["items"]?.arrayValue?.compactMap { $0["model"]?.stringValue } ?? []
    }

    private func read() async throws {
        guard !isRead else { return }
        let logger = context.logger
        let all = try await records.all { place, error in
            logger.error(
                "a fine-tuning's record can't be read, and is left out", ["record": .string(place), "error": .string("\(error)")])
        }.compactMap { record -> FineTuningJob? in
            do { return try FineTuningJob(record: record) } catch {
                logger.error("a fine-tuning's record can't be read, and is left out", ["error": .string("\(error)")])
                return nil
            }
        }
        guard !isRead else { return }
        isRead = true
        for job in all where jobs[job.id] == nil { jobs[job.id] = job }
    }

    // MARK: Working

    /// Works until the task is cancelled.
    func run() async {
        let (rings, bell) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.bell = bell
        bell.yield()
        let pulse = Task {
            // Other services tell nobody when they are done: they are asked.
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(500))
                bell.yield()
            }
        }
        await withTaskCancellationHandler {
            for await _ in rings {
                if Task.isCancelled { break }
                do { try await read() } catch {
                    context.logger.error("fine-tunings can't be read", ["error": .string("\(error)")])
                    continue
                }
                for id in jobs.values.filter({ !$0.stage.isOver }).sorted(by: { ($0.created, $0.id) < ($1.created, $1.id) }).map(\.id) {
                    await advance(id)
                }
            }
        } onCancel: {
            bell.finish()
        }
        pulse.cancel()
    }

    /// Takes a job as far as it goes now.
    private func advance(_ id: String) async {
        while var job = jobs[id], !job.stage.isOver, halting[id] == nil, !Task.isCancelled {
            stepping.insert(id)
            defer { stepping.remove(id) }
            let (before, count) = (job.stage, job.notes.count)
            do {
                let step = FineTuningStep(peers: peers(job), shelf: shelf, signature: signature, now: now)
                let price = try await price(job)
                activities[id] = try await step.take(&job, price: price)
            } catch let error as PeerError where error.status >= 500 || error.status == 429 || error.status == 0 {
                context.logger.warning("a fine-tuning waits", ["job": .string(id), "error": .string("\(error)")])
                return
            } catch let error as FineTuningStep.Failure {
                job.end(.failed, error: error.reason, at: now)
                job.note(error.reason, level: "error", at: now)
            } catch let error as PeerError {
                job.end(.failed, error: error.detail, at: now)
                job.note("\(error)", level: "error", at: now)
            } catch {
                context.logger.warning("a fine-tuning waits", ["job": .string(id), "error": .string("\(error)")])
                return
            }
            // Whoever cancelled meanwhile has the last word.
            guard let current = jobs[id], current.stage == before else { return }
            guard job.stage != before else {
                // Figures are kept with the next thing that happens. What was said while the step was under way stays.
                if current.notes.count == count { jobs[id] = job }
                return
            }
            do { try await keep(job) } catch {
                context.logger.error("a fine-tuning can't be kept", ["job": .string(id), "error": .string("\(error)")])
                return
            }
        }
    }

    private func keep(_ job: FineTuningJob) async throws {
        try await records.put(job.record, id: job.id, owner: job.owner)
        jobs[job.id] = job
        if job.stage.isOver { activities[job.id] = nil }
    }

    private var now: Int64 { context.clock().microseconds / 1_000_000 }

    /// Answers cost what those of the base cost, where it is offered by itself; else nothing.
    private func price(_ job: FineTuningJob) async throws -> ModelPrice? {
        guard job.stage == .publishing else { return nil }
        return try await maker.query { state in state.model(asked: job.base).flatMap { $0.adapter == nil ? $0.price : nil } }
    }

    /// The other services, in the name of the job's owner and with no more than the owner was allowed.
    private func peers(_ job: FineTuningJob) -> Peers {
        let (signer, owner, scopes) = (context.signer, job.owner, Set(job.scopes))
        let kind = Caller.Kind(rawValue: job.kind) ?? .agent
        return context.peers.using { service in
            try signer.mint(subject: owner, audience: service.rawValue, kind: kind, scopes: scopes, lifetime: 120)
        }
    }
}
