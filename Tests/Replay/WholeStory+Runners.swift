import Crypto
import Events
import JSON
import Testing

extension StoryTelling {
    /// Somebody's own runner gives a job back, another's hands in something else than it says and loses its stake, and the work of a third is
    /// found to be sound.
    func lie(_ people: People, _ tides: String) async throws {
        let order: JSONValue = ["base": "tiny", "snapshots": [["datanet": .string(tides), "number": 1]], "settings": ["epochs": 1]]
        let job = try #require(try await whole.insist("POST", "/v1/training-jobs", as: people.olga, order)["job"]?.stringValue)
        let (slashed, settled) = (try await whole.count(StakeSlashed.type), try await whole.count(SettlementPosted.type))
        for (attempt, runner) in ["own-mona", "own-lara", "own-hana"].enumerated() {
            try await open("payer:" + runner, 20_000_000)
            try await whole.call(
                "POST", "/v1/stakes", as: "root",
                ["pool": "runners", "account": .string("payer:" + runner), "amount": amount(10_000_000)])
            try await whole.call(
                "POST", "/v1/datanets/\(tides)/grants", as: people.olga, ["grantee": .string(runner), "purpose": "train"])
            try await whole.insist("POST", "/v1/runners", as: runner, ["engine": "peft/1", "bases": ["tiny"]])
            let lease = try await whole.insist("POST", "/v1/runners/leases", as: runner, ["bases": ["tiny"]])
            #expect(lease["job"] == .string(job))
            guard runner != "own-mona" else {
                try await whole.call(
                    "POST", "/v1/runners/jobs/\(job)/fail", as: runner, ["attempt": 1, "reason": "no-memory"])
                continue
            }
            let adapter = try await upload("their adapter", as: runner)
            let record: JSONValue = [
                "engine": "peft/1", "evaluations": [["step": .int(Int64(attempt + 1)), "holdout_loss_micros": 1_000]],
            ]
            try await whole.call(
                "POST", "/v1/runners/jobs/\(job)/complete", as: runner,
                ["attempt": .int(Int64(attempt + 1)), "adapter": .digest(adapter), "tokens": 100, "record": record])
            try await whole.call(
                "POST", "/v1/runners/jobs/\(job)/check", as: "runner1",
                ["loss_micros": .int(attempt == 1 ? 1_100 : 1_001), "base_loss_micros": 2_000, "reached_micros": 1_000])
            if attempt == 1 { try await whole.wait(for: StakeSlashed.type, slashed + 1) }
        }
        try await whole.wait(for: SettlementPosted.type, settled + 1)
    }
}
