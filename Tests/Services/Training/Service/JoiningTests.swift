import Crypto
import Decisions
import EventLog
import Events
import JSON
import LedgerService
import Money
import ServiceTestSupport
import TestSupport
import Testing

/// Runners that join with a stake, over REST: one that lies, one that dies, one that comes back late.
@Suite struct JoiningTests {
    private let nothing = JSONValue.object(JSONObject())
    private let describes: JSONValue = ["engine": "peft/1", "bases": ["tiny"]]

    private func bond(_ training: TrainingHouse, _ who: String, _ units: Int128 = 10_000_000) async throws {
        try await training.append(
            StakeBonded(
                pool: "runners", account: AccountID(trusted: "payer:" + who), amount: Amount(units, try Asset("USDC/6")),
                postings: .entries([])), by: .billing, stream: "stake/" + training.next("st"))
    }

    private func mayTrain(_ training: TrainingHouse, _ who: String) async throws {
        let grant = training.next("gr")
        try await training.append(
            AccessGranted(grant: grant, datanet: "dn_1", grantee: who, purpose: "train"), by: .datanet, stream: "access/" + grant)
    }

    /// Somebody who staked, joined and may see the data.
    private func join(_ training: TrainingHouse, _ who: String) async throws {
        try await bond(training, who)
        try await mayTrain(training, who)
        try await eventually("the stake is known") {
            try await training.call("POST", "/v1/runners", as: who, describes).status == 201
        }
    }

    private func lease(_ training: TrainingHouse, _ who: String) async throws -> (status: Int, json: JSONValue) {
        let answer = try await training.call("POST", "/v1/runners/leases", as: who, ["bases": ["tiny"]])
        return (answer.status, answer.json)
    }

    private func handIn(
        _ training: TrainingHouse, _ job: String, _ who: String, attempt: Int64 = 1, engine: String = "peft/1"
    ) async throws -> Int {
        let adapter = try await training.upload("adapter", as: who)
        let record: JSONValue = ["engine": .string(engine), "evaluations": [["step": 4, "holdout_loss_micros": 1_000]]]
        return try await training.call(
            "POST", "/v1/runners/jobs/\(job)/complete", as: who,
            ["attempt": .int(attempt), "adapter": .digest(adapter), "tokens": 9, "record": record]
        ).status
    }

    @Test func whoHasNoStakeDoesNotJoinAndWhoHasNotJoinedDoesNoWork() async throws {
        try await withTraining { training in
            _ = try await training.request()
            #expect(try await training.call("POST", "/v1/runners", as: "rita", describes).status == 403)
            #expect(try await lease(training, "rita").status == 403)
            let bytes = Array("anything".utf8)
            let path = "/v1/adapters/artefacts/" + SHA256.hash(bytes).prefixed
            #expect(try await training.call("PUT", path, as: "rita", bytes: bytes).status == 403)
            try await bond(training, "rita", 9_999_999)
            #expect(try await training.call("POST", "/v1/runners", as: "rita", describes).status == 403)
            try await bond(training, "rita", 1)
            try await eventually("the stake is known") {
                try await training.call("POST", "/v1/runners", as: "rita", describes).status == 201
            }
            let listed = try await training.call("GET", "/v1/runners", as: "ann").json["items"]?.arrayValue
            #expect(listed?.count == 1 && listed?.first?["runner"] == "rita" && listed?.first?["stake"]?["amount"] == "10000000")
            // It may not see what the job learns from.
            #expect(try await lease(training, "rita").status == 204)
            try await mayTrain(training, "rita")
            try await eventually("the grant is known") { try await lease(training, "rita").status == 200 }
            #expect(try await training.call("PUT", path, as: "rita", bytes: bytes).status == 204)
            #expect(try await training.call("POST", "/v1/runners", as: "eve", ["engine": "e", "bases": ["huge"]]).status == 403)
        }
    }

    @Test func whatALiarHandsInIsPaidByNobodyAndDoneByAnother() async throws {
        try await withTraining(settings: ["OPENLEDGER_RUNNER_CHECKS": "100"]) { training in
            let job = try await training.request()
            try await join(training, "rita")
            #expect(try await lease(training, "rita").json["job"] == .string(job))
            #expect(try await handIn(training, job, "rita") == 204)
            #expect(try await training.status(job) == "checking")
            // Nobody but a checker of the house is given the work, and not the same one twice.
            #expect(try await lease(training, "rita").status == 204)
            let asks: JSONValue = ["bases": ["tiny"], "checks": true]
            #expect(try await training.call("POST", "/v1/runners/leases", as: "rita", asks).status == 204)
            let work = try await training.call("POST", "/v1/runners/leases", as: "runner-checker", asks).json
            #expect(work["job"] == .string(job) && work["check"]?["record"]?["engine"] == "peft/1" && work["checkpoint"] == nil)
            #expect(try await training.call("POST", "/v1/runners/leases", as: "runner-checker", asks).status == 204)
            #expect(try await training.call("GET", "/v1/runners/jobs/\(job)/rows", as: "runner-checker").status == 200)
            let beat: JSONValue = ["attempt": 1, "step": 1, "steps": 4]
            let goes = try await training.call("POST", "/v1/runners/jobs/\(job)/heartbeat", as: "runner-checker", beat).json
            #expect(goes["go_on"] == true)

            let path = "/v1/runners/jobs/\(job)/check"
            #expect(
                try await training.call(
                    "POST", path, as: "rita", ["loss_micros": 1_000, "base_loss_micros": 2_000, "reached_micros": 1_000]
                ).status == 403)
            #expect(try await training.call("POST", path, as: "runner-checker", nothing).status == 422)
            // What the base's loss is must be measured, and nothing is said of rows that nobody handed in.
            let alone: JSONValue = ["loss_micros": 1_000]
            #expect(try await training.call("POST", path, as: "runner-checker", alone).status == 422)
            let unlearned: JSONValue = ["loss_micros": 1_000, "base_loss_micros": 2_000]
            #expect(try await training.call("POST", path, as: "runner-checker", unlearned).status == 422)
            let rows: JSONValue = ["loss_micros": 1_000, "base_loss_micros": 2_000, "reached_micros": 1_000, "rows_agree": true]
            #expect(try await training.call("POST", path, as: "runner-checker", rows).status == 422)
            let found = try await training.call(
                "POST", path, as: "runner-checker", ["loss_micros": 1_021, "base_loss_micros": 2_000, "reached_micros": 1_000], key: "look")
            #expect(found.json["agrees"] == false)
            #expect(
                try await training.call(
                    "POST", path, as: "runner-checker", ["loss_micros": 1_021, "base_loss_micros": 2_000, "reached_micros": 1_000],
                    key: "look"
                )
                .json["agrees"] == false)
            #expect(
                try await training.call(
                    "POST", path, as: "runner-checker", ["loss_micros": 1_000, "base_loss_micros": 2_000, "reached_micros": 1_000]
                ).status == 409
            )
            let shown = try await training.call("GET", "/v1/training-jobs/" + job, as: "ann").json
            #expect(shown["status"] == "queued" && shown["checked"]?["agrees"] == false && shown["checked"]?["runner"] == "rita")
            // Late, and with its stake gone, it gets nothing.
            #expect(try await handIn(training, job, "rita") == 409)
            try await training.append(
                StakeSlashed(
                    pool: "runners", account: AccountID(trusted: "payer:rita"), amount: Amount(10_000_000, try Asset("USDC/6")),
                    beneficiary: AccountID(trusted: "platform:house"), ruling: job, postings: .entries([])), by: .billing, stream: "stake/s"
            )
            try await eventually("the slash is known") { try await lease(training, "rita").status == 403 }

            try await join(training, "paul")
            let order = try await lease(training, "paul")
            #expect(order.json["attempt"] == 2 && order.json["job"] == .string(job))
            #expect(try await handIn(training, job, "paul", attempt: 2) == 204)
            #expect(
                try await training.call(
                    "POST", path, as: "runner-checker", ["loss_micros": 1_020, "base_loss_micros": 2_000, "reached_micros": 1_000]
                ).json[
                    "agrees"] == true)
            let done = try await training.call("GET", "/v1/training-jobs/" + job, as: "ann").json
            #expect(done["status"] == "succeeded" && done["runner"] == "paul" && done["checked"]?["agrees"] == true)
        }
    }

    /// What somebody else made is on the public log by its hash, and still nobody's own but theirs.
    @Test func rowsThatAreSaidToBeOthersThanTheyAreAreRefusedThoughNobodyLooks() async throws {
        try await withTraining(settings: ["OPENLEDGER_RUNNER_CHECKS": "0"]) { training in
            let job = try await training.request()
            try await join(training, "rita")
            #expect(try await lease(training, "rita").json["job"] == .string(job))
            let adapter = try await training.upload("adapter", as: "rita")
            let canaries: [JSONValue] = (0..<32).map { ["item": .string("canary/\($0 / 8)/\($0 % 8)"), "length": 1, "offset": 0] }
            func complete(_ rows: [JSONValue], named name: String = "rows.json") async throws -> Int {
                let table: JSONValue = ["checkpoints": 1, "factors": .digest(adapter), "rows": .array(rows)]
                let digest = try await training.upload(String(decoding: JSON.write(table), as: UTF8.self), as: "rita", named: name)
                return try await training.call(
                    "POST", "/v1/runners/jobs/\(job)/complete", as: "rita",
                    ["attempt": 1, "adapter": .digest(adapter), "rows": .digest(digest), "tokens": 9, "record": ["engine": "peft/1"]]
                ).status
            }
            let row: JSONValue = ["item": "it_1", "owner": "carl", "datanet": "dn_1"]
            #expect(try await complete([["item": "it_1"]] + canaries) == 422)
            #expect(try await complete([["item": "it_1", "owner": "rita", "datanet": "dn_1"]] + canaries) == 422)
            #expect(try await complete([row] + canaries, named: "other.json") == 422)
            #expect(try await complete([row]) == 422)
            #expect(try await training.status(job) == "running")
            #expect(try await complete([row] + canaries) == 204)
            #expect(try await training.status(job) == "succeeded")
        }
    }

    @Test func nobodyReadsOrHandsInWhatAnotherMade() async throws {
        try await withTraining(settings: ["OPENLEDGER_RUNNER_CHECKS": "0"]) { training in
            let job = try await training.request()
            try await join(training, "own-eve")
            #expect(try await lease(training, "own-eve").json["job"] == .string(job))
            let theirs = try await training.upload("somebody's adapter")
            let mark: JSONValue = ["attempt": 1, "step": 3, "checkpoint": .digest(theirs), "metrics": ["loss_micros": 5]]
            let path = "/v1/runners/jobs/" + job
            #expect(try await training.call("POST", path + "/checkpoint", as: "own-eve", mark).status == 403)
            let file = SHA256.hash(utf8: "somebody's adapter")
            for digest in [theirs, file] {
                #expect(try await training.call("GET", "/v1/adapters/artefacts/" + digest.prefixed, as: "own-eve").status == 403)
            }
            let record: JSONValue = ["engine": "peft/1", "evaluations": [["step": 4, "holdout_loss_micros": 1_000]]]
            let stolen: JSONValue = ["attempt": 1, "adapter": .digest(theirs), "tokens": 9, "record": record]
            #expect(try await training.call("POST", path + "/complete", as: "own-eve", stolen).status == 403)
            // A manifest of one's own over a file that is another's is no better.
            let manifest = try JSON.canonical(["files": [["bytes": 18, "path": "file", "sha256": .digest(file)]]])
            #expect(try await training.put(SHA256.hash(manifest), manifest, as: "own-eve") == 204)
            let named: JSONValue = ["attempt": 1, "step": 3, "checkpoint": .digest(SHA256.hash(manifest)), "metrics": ["loss_micros": 5]]
            #expect(try await training.call("POST", path + "/checkpoint", as: "own-eve", named).status == 403)
            // Who has the same bytes may have made the same; who has others under that name has nothing.
            #expect(try await training.put(file, Array("other bytes".utf8), as: "own-eve") == 422)
            #expect(try await training.call("POST", path + "/checkpoint", as: "own-eve", named).status == 403)
            let own = try await training.upload("my checkpoint", as: "own-eve")
            let left: JSONValue = ["attempt": 1, "step": 3, "checkpoint": .digest(own), "metrics": ["loss_micros": 5]]
            #expect(try await training.call("POST", path + "/checkpoint", as: "own-eve", left).status == 204)
            #expect(try await training.call("GET", "/v1/adapters/artefacts/" + own.prefixed, as: "own-eve").status == 200)
            #expect(try await handIn(training, job, "own-eve") == 204)
        }
    }

    @Test func rowsAreHandedOutWhileEverybodyMaySeeThem() async throws {
        try await withTraining { training in
            let job = try await training.request()
            try await join(training, "rita")
            _ = try await lease(training, "rita")
            let path = "/v1/runners/jobs/\(job)"
            #expect(try await training.call("GET", path + "/rows", as: "rita").status == 200)
            try await training.append(AccessRevoked(grant: "gr_1", datanet: "dn_1"), by: .datanet, stream: "access/gr_1-end")
            let beat: JSONValue = ["attempt": 1, "step": 1, "steps": 4]
            try await eventually("the grant's end is known") {
                try await training.call("POST", path + "/heartbeat", as: "rita", beat).json["go_on"] == false
            }
            #expect(try await training.call("POST", path + "/heartbeat", as: "rita", beat).json["checkpoint"] == true)
            #expect(try await training.call("GET", path + "/rows", as: "rita").status == 403)
        }
    }

    @Test func whoIsNotLookedAtIsPaidAtOnce() async throws {
        try await withTraining(settings: ["OPENLEDGER_RUNNER_CHECKS": "0"]) { training in
            let job = try await training.request()
            try await join(training, "rita")
            _ = try await lease(training, "rita")
            #expect(try await handIn(training, job, "rita", engine: "peft/9") == 422, "it joined with another engine")
            #expect(try await handIn(training, job, "rita") == 204)
            #expect(try await training.status(job) == "succeeded")
        }
    }

    @Test func oneThatDiesLeavesAPlaceButNoBeginningAndComesBackTooLate() async throws {
        try await withTraining(settings: ["OPENLEDGER_TRAINING_LEASE": "1"]) { training in
            let job = try await training.request()
            try await join(training, "rita")
            _ = try await lease(training, "rita")
            let checkpoint = try await training.upload("checkpoint", as: "rita")
            let mark: JSONValue = ["attempt": 1, "step": 3, "checkpoint": .digest(checkpoint), "metrics": ["loss_micros": 5]]
            #expect(try await training.call("POST", "/v1/runners/jobs/\(job)/checkpoint", as: "rita", mark).status == 204)
            try await eventually("another gets the job") {
                let order = try await lease(training, "runner2")
                return order.status == 200 && order.json["attempt"] == 2 && order.json["checkpoint"] == nil
            }
            #expect(try await handIn(training, job, "rita") == 409)
            #expect(try await training.call("GET", "/v1/runners/jobs/\(job)/rows", as: "rita").status == 404)
        }
    }
}
