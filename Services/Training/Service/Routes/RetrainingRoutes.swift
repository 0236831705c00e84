internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// What follows when people take back what models learned from, and how a job can be repeated by anybody who may.
struct RetrainingRoutes: Sendable {
    let maker: DecisionMaker<TrainingState>
    let views: JobViews
    let items: JobItems
    let evidence: EvidenceStore
    let price: TrainingPrice

    var routes: [Route] { [affected, takenBack, retrain, comparison, record] }

    private var affected: Route {
        Route(
            .get, "/v1/adapters/affected", operation: "listAffectedAdapters",
            summary: "Published models that learned from items which were withdrawn or erased since, and what repeats them.",
            access: .authenticated,
            replies: [.json(200, "Versions, by model.", .openObject(.required("items", .list(.any, atMost: 100_000))))]
        ) { [maker, items] _ in
            let versions = try await maker.query { state in
                state.models.keys.sorted().flatMap { state.models[$0] ?? [] }.filter { $0.terms.job != nil }
            }
            var parts: [String: JobItems.TakenBackPart] = [:]
            var views: [JSONValue] = []
            for version in versions {
                guard let job = version.terms.job else { continue }
                let part: JobItems.TakenBackPart
                if let known = parts[job] { part = known } else { part = try await items.takenBack(from: version.terms.snapshots) }
                parts[job] = part
                // A job that was ordered after items were gone never saw them.
                let without = try await seenWithout(job)
                let gone = part.items.count { !without.contains($0) }
                guard gone > 0 else { continue }
                let replacement = try await maker.query { $0.replacement(of: job) }
                views.append(
                    .members([
                        "model": .string(version.terms.model), "version": .count(version.terms.version), "job": .string(job),
                        "adapter": version.terms.adapter.map { .digest($0) }, "items": .count(gone),
                        "retired": .bool(version.isRetired), "replaced_by": replacement.map { .string($0) },
                    ]))
            }
            return .json(["items": .array(views)])
        }
    }

    /// The items that a job which repeats another was ordered without.
    private func seenWithout(_ job: String) async throws -> Set<TakenBackItem> {
        guard let digest = try await maker.query({ $0.jobs[job]?.request.without }) else { return [] }
        let list = try await evidence.value(digest).object().array("items", count: 0...5_000_000)
        return Set(
            try list.map { entry in
                let fields = try entry.object()
                return TakenBackItem(datanet: try fields.id("datanet"), item: try fields.id("item"))
            })
    }

    private static func list(_ items: [TakenBackItem]) -> JSONValue {
        .array(items.map { ["datanet": .string($0.datanet), "item": .string($0.item)] })
    }

    private var takenBack: Route {
        Route(
            .get, "/v1/training-jobs/{job}/taken-back", operation: "listTakenBack",
            summary: "Items of the job's snapshots that are handed out no more.", access: .authenticated,
            replies: [
                .json(
                    200, "Items and their length.", .object(.required("items", .list(.any, atMost: 5_000_000)), .required("tokens", .count))
                )
            ], problems: [.notFound]
        ) { [views, items] context in
            let job = try await views.replayable(context.path["job"], for: try context.caller)
            let part = try await items.takenBack(from: job.request.snapshots)
            return .json(["items": Self.list(part.items), "tokens": .count(part.tokens)])
        }
    }

    private var retrain: Route {
        Route(
            .post, "/v1/training-jobs/{job}/retrain", operation: "retrainJob",
            summary: "Orders the job once more, without what was withdrawn or erased since. What is left out is not paid for.",
            access: .scope("jobs:write"),
            body: .json(.object(.optional("hold", .text(1...200), "A hold that the fee is taken from."))), idempotency: .required,
            replies: [.json(201, "The new job.", .any)], problems: TrainingProblems.all + DecisionError.problemTypes
        ) { context in try await ordered(context) }
    }

    // Not optimised: the optimiser of Swift 6.3 crashes as it splits this function.
    @_optimize(none)
    private func ordered(_ context: RequestContext) async throws -> Response {
        let caller = try context.caller
        let old = try await views.job(context.path["job"], for: caller)
        guard try await maker.query({ $0.owner(of: old) }) == caller.subject else {
            throw TrainingError.notFound("job \(old.request.job)")
        }
        guard let done = old.completed else { throw TrainingError.wrongState("job \(old.request.job) is \(old.status.rawValue)") }
        let hold = try context.decode { try $0.object().optionalID("hold") }
        let settings = try TrainingSettings(try await evidence.value(old.request.settings).object())
        let all = try await items.all(of: old.request.snapshots)
        let part = try await maker.query { try Withheld(from: old, all, $0) }
        guard !part.items.isEmpty else { throw TrainingError.wrongState("nothing that job \(done.job) learned from was taken back") }
        let without = try await evidence.put(part.json)
        let request = TrainingRules.Request(
            owner: caller.subject, base: old.request.base,
            snapshots: old.request.snapshots.map { (datanet: $0.datanet, number: $0.number) }, settings: settings,
            settingsDigest: old.request.settings, price: price.perMillion, hold: hold)
        let outcome = try await context.decide(
            maker, TrainingRules.retrain(done.job, request, without: without.hash, leftOut: part.tokens))
        return .json(try await views.view(try outcome.first(JobRequested.self).job, for: caller), status: 201)
    }

    private var comparison: Route {
        Route(
            .get, "/v1/training-jobs/{job}/comparison", operation: "compareRetraining",
            summary: "A job that repeats another beside that one: adapters, records, and what was left out.", access: .authenticated,
            replies: [.json(200, "Before and after, each with its record, and what lies between.", .any)], problems: [.notFound]
        ) { context in try await compared(context) }
    }

    // Not optimised: the optimiser of Swift 6.3 crashes as it splits this function.
    @_optimize(none)
    private func compared(_ context: RequestContext) async throws -> Response {
        let job = try await views.replayable(context.path["job"], for: try context.caller)
        guard let replaced = job.request.replaces, let digest = job.request.without,
            let old = try await maker.find({ $0.jobs[replaced] })
        else { throw TrainingError.notFound("job that \(job.request.job) repeats") }
        let before = try await side(old)
        let after = try await side(job)
        let without = try await evidence.value(digest)
        return .json(["before": before, "after": after, "without": without, "evidence": .digest(digest)])
    }

    private func side(_ job: TrainingJob) async throws -> JSONValue {
        .members([
            "job": .string(job.request.job), "status": .string(job.status.rawValue),
            "adapter": job.completed.map { .digest($0.adapter) }, "record": try await recordOf(job),
        ])
    }

    private func recordOf(_ job: TrainingJob) async throws -> JSONValue? {
        guard let completed = job.completed else { return nil }
        return try await evidence.value(completed.record)
    }

    private var record: Route {
        Route(
            .get, "/v1/training-jobs/{job}/record", operation: "readJobRecord",
            summary: "The job's settings, and what was recorded of it: what a repeat needs besides the rows.", access: .authenticated,
            replies: [.json(200, "Both as they lie in the evidence store.", .openObject(.required("settings", .any)))],
            problems: [.notFound]
        ) { [views, evidence] context in
            let job = try await views.replayable(context.path["job"], for: try context.caller)
            return .json(
                .members([
                    "job": .string(job.request.job), "settings": try await evidence.value(job.request.settings),
                    "record": try await recordOf(job),
                ]))
        }
    }
}
