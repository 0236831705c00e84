import Synchronization
import Crypto
import Events
import JSON
import ServiceTestSupport
import Telemetry
import TestSupport
import Testing
import Threads

@testable import Engine
@testable import RunnerService

/// Somebody's own runner with this engine: its work is done again by the house, bit for bit.
@Suite struct OwnRunnerTests {
    private let settings: JSONValue = [
        "epochs": 2, "rank": 2, "batch": 2, "warmup": 0, "holdout": 0, "maximum_tokens": 64, "targets": ["q_proj", "down_proj"],
    ]

    /// Leases and does a job as somebody of that name; `lie` changes what is handed in.
    private func work(
        _ runner: RunnerHouse, _ who: String,
        lie: (FineTuning.Made) throws -> (adapter: Artefact, rows: Artefact) = { ($0.adapter, $0.rows) }
    ) async throws -> TrainingDesk.Order {
        let (desk, library, pool) = try await runner.ownRunner(who)
        let order = try #require(try await desk.lease(wait: 20, bases: ["tiny"], key: "lease-" + who))
        let tuning = FineTuning(order: order, desk: desk, library: library, pool: pool, logger: .silent)
        let made = try await tuning.make(Progress(order: order, desk: desk))
        let told = try lie(made)
        try await desk.upload(told.adapter)
        try await desk.upload(told.rows)
        try await desk.complete(order, adapter: told.adapter.digest, rows: told.rows.digest, tokens: made.tokens, record: made.record)
        return order
    }

    private func changed(_ artefact: Artefact) throws -> Artefact {
        try Artefact(
            files: artefact.files.map { ($0.path, $0.path == "openledger.json" || $0.path == "rows.json" ? $0.bytes + [0x20] : $0.bytes) })
    }

    /// Lets the house's own runner work while the body runs.
    private func withHouse(_ runner: RunnerHouse, _ body: () async throws -> Void) async throws {
        let service = try #require(runner.service.withLock { $0 })
        let house = Task { await service.run() }
        do { try await body() } catch {
            house.cancel()
            await house.value
            throw error
        }
        house.cancel()
        await house.value
    }

    @Test(arguments: ["adapter", "rows"]) func aLieIsFoundAndTheHouseDoesTheJob(_ part: String) async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            let job = try await runner.request(settings)
            try await runner.join("lara")
            let order = try await work(runner, "lara") { made in
                part == "adapter" ? (try changed(made.adapter), made.rows) : (made.adapter, try changed(made.rows))
            }
            #expect(order.job == job && order.attempt == 1)
            #expect(try await runner.show(job)["status"] == "checking")
            try await withHouse(runner) {
                let done = try await runner.finish(job)
                #expect(done["checked"]?["agrees"] == false && done["checked"]?["method"] == "repeat")
                #expect(done["checked"]?["runner"] == "lara" && done["runner"] == "runner" && done["attempt"] == 2)
            }
        }
    }

    @Test func honestWorkIsDoneAgainToTheSameBytesAndPaid() async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            let job = try await runner.request(settings)
            try await runner.join("hana")
            _ = try await work(runner, "hana")
            try await withHouse(runner) {
                let done = try await runner.finish(job)
                #expect(done["runner"] == "hana" && done["checked"]?["agrees"] == true && done["checked"]?["method"] == "repeat")
            }
        }
    }

    /// What another engine made is measured: a claim that the adapter does not hold is a lie, and so is an adapter that is none.
    @Test(arguments: [true, false]) func whatAnotherEngineMadeIsMeasured(_ isHonest: Bool) async throws {
        try await withRunner(works: false, settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { runner in
            let job = try await runner.request(settings)
            try await runner.join("paul")
            let (desk, library, pool) = try await runner.ownRunner("paul")
            let order = try #require(try await desk.lease(wait: 20, bases: ["tiny"], key: "lease-paul"))
            let tuning = FineTuning(order: order, desk: desk, library: library, pool: pool, logger: .silent)
            let made = try await tuning.make(Progress(order: order, desk: desk))
            let adapter = isHonest ? made.adapter : try Artefact(files: [("adapter_config.json", Array("{}".utf8))])
            try await desk.upload(adapter)
            try await desk.complete(order, adapter: adapter.digest, rows: nil, tokens: made.tokens, record: ["engine": "peft/9"])
            try await withHouse(runner) {
                let done = try await runner.finish(job)
                #expect(done["checked"]?["agrees"] == .bool(isHonest) && done["checked"]?["method"] == "measure")
                #expect(done["runner"] == (isHonest ? "paul" : "runner"))
            }
        }
    }
}
