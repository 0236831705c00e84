import Crypto
import Decisions
import EventLog
import Events
import JSON
import LedgerService
import ServiceTestSupport
import TestSupport
import Testing

/// What owners and runners do with a job between its order and its end.
@Suite struct JobControlTests {
    private let nothing = JSONValue.object(JSONObject())

    private func lease(_ training: TrainingHouse, _ runner: String, key: String? = nil, bases: [JSONValue]? = nil) async throws
        -> (status: Int, json: JSONValue)
    {
        let body: JSONValue = bases.map { ["bases": .array($0)] } ?? nothing
        let answer = try await training.call("POST", "/v1/runners/leases", as: runner, body, key: key)
        return (answer.status, answer.json)
    }

    private func beat(_ training: TrainingHouse, _ job: String, _ runner: String, _ attempt: Int64) async throws -> JSONValue {
        try await training.call(
            "POST", "/v1/runners/jobs/\(job)/heartbeat", as: runner, ["attempt": .int(attempt), "step": 1, "steps": 4]
        ).json
    }

    private func mark(_ training: TrainingHouse, _ job: String, _ runner: String, _ attempt: Int64, step: Int64) async throws -> Int {
        let checkpoint = try await training.upload("checkpoint \(step)")
        return try await training.call(
            "POST", "/v1/runners/jobs/\(job)/checkpoint", as: runner,
            ["attempt": .int(attempt), "step": .int(step), "checkpoint": .digest(checkpoint), "metrics": ["loss_micros": 5]]
        ).status
    }

    @Test func aLeaseWhoseAnswerWasLostIsGivenAgain() async throws {
        try await withTraining { training in
            let (first, second) = (try await training.request(), try await training.request())
            let one = try await lease(training, "runner1", key: "lost")
            let again = try await lease(training, "runner1", key: "lost")
            #expect(one.status == 200 && one.json["job"] == .string(first) && again.status == 200 && again.json == one.json)
            // It took one job, not two.
            #expect(try await training.status(second) == "queued")
            #expect(try await lease(training, "runner1", key: "next").json["job"] == .string(second))
            // Nothing was there under this key: it is looked for anew.
            #expect(try await lease(training, "runner1", key: "empty").status == 204)
            let third = try await training.request()
            #expect(try await lease(training, "runner1", key: "empty").json["job"] == .string(third))
            // The same key with another body is somebody's mistake.
            #expect(try await lease(training, "runner1", key: "lost", bases: ["tiny"]).status == 422)
            _ = try await training.call("POST", "/v1/training-jobs/\(first)/cancel", as: "ann")
            #expect(try await lease(training, "runner1", key: "lost").status == 409)
        }
    }

    @Test func aRunnerGetsJobsOnItsBases() async throws {
        try await withTraining { training in
            let job = try await training.request()
            #expect(try await lease(training, "runner1", bases: ["huge"]).status == 204)
            let order = try await lease(training, "runner1", bases: ["huge", "tiny"])
            #expect(order.json["job"] == .string(job) && order.json["base_artefact"]?.stringValue == SHA256.hash(utf8: "tiny").prefixed)
            #expect(try await lease(training, "runner1", bases: [5]).status == 400)
        }
    }

    /// A job that waits because nobody can do it says what is lacking, and is done by whoever can.
    @Test func aJobThatNobodyCanDoSaysWhatIsLacking() async throws {
        try await withTraining(settings: ["OPENLEDGER_TRAINING_LEASE": "1"]) { training in
            let order = try await training.call("POST", "/v1/training-jobs", as: "ann", training.order(["precision": "nf4"]))
            let job = try #require(order.json["job"]?.stringValue, "\(order.json)")
            func ask(_ runner: String, _ bases: [JSONValue], _ features: [JSONValue]) async throws -> (status: Int, json: JSONValue) {
                let answer = try await training.call(
                    "POST", "/v1/runners/leases", as: runner, ["bases": .array(bases), "features": .array(features)])
                return (answer.status, answer.json)
            }
            func lacks(_ reason: String?, after ask: () async throws -> Void = {}) async throws {
                let reason = reason.map { JSONValue.string($0) }
                try await eventually("it says \(reason ?? "nothing")", timeout: .seconds(20)) {
                    try await ask()
                    return try await training.call("GET", "/v1/training-jobs/" + job, as: "ann").json["reason"] == reason
                }
            }
            try await lacks("no runner asks for work")
            try await lacks("no runner that asks for work has the base model tiny") { _ = try await ask("runner1", ["huge"], ["nf4"]) }
            try await lacks("no runner that asks for work has the base model tiny and can do nf4") {
                try #require(try await ask("runner2", ["tiny"], ["int8", "attribution-rows"]).status == 204)
            }
            let taken = try await ask("runner3", ["tiny"], ["int8", "nf4"])
            #expect(taken.status == 200 && taken.json["settings"]?["precision"] == "nf4")
            try await lacks(nil)
        }
    }

    @Test func aJobIsHaltedLeavesACheckpointAndGoesOnFromIt() async throws {
        try await withTraining { training in
            let job = try await training.request()
            _ = try await lease(training, "runner1")
            #expect(try await beat(training, job, "runner1", 1) == ["go_on": true, "checkpoint": false])
            let path = "/v1/training-jobs/" + job
            #expect(try await training.call("POST", path + "/pause", as: "eve").status == 404)
            #expect(try await training.call("POST", path + "/resume", as: "ann").status == 409)
            #expect(try await training.call("POST", path + "/pause", as: "ann").json["status"] == "paused")
            #expect(try await training.call("POST", path + "/pause", as: "ann").status == 409)
            #expect(try await beat(training, job, "runner1", 1) == ["go_on": false, "checkpoint": true])
            #expect(try await beat(training, job, "runner2", 1) == ["go_on": false, "checkpoint": false])
            #expect(try await mark(training, job, "runner2", 1, step: 2) == 409)
            #expect(try await mark(training, job, "runner1", 1, step: 2) == 204)
            #expect(try await lease(training, "runner2").status == 204)

            #expect(try await training.call("POST", path + "/resume", as: "ann").json["status"] == "queued")
            let order = try await lease(training, "runner2")
            #expect(order.json["attempt"] == 2 && order.json["checkpoint_step"] == 2)
            #expect(try await beat(training, job, "runner1", 1) == ["go_on": false, "checkpoint": false])
        }
    }

    @Test func aKilledRunnersJobGoesOnFromItsCheckpointElsewhere() async throws {
        try await withTraining(settings: ["OPENLEDGER_TRAINING_LEASE": "1"]) { training in
            let job = try await training.request()
            #expect(try await lease(training, "runner1").json["lease_seconds"] == 1)
            #expect(try await mark(training, job, "runner1", 1, step: 3) == 204)
            // Nobody hears from it any more, and one who waits gets the job as soon as that is known.
            #expect(try await training.call("POST", "/v1/runners/leases?wait=30", as: "runner2", nothing).status == 200)
            let shown = try await training.call("GET", "/v1/training-jobs/" + job, as: "ann").json
            #expect(shown["attempt"] == 2 && shown["runner"] == "runner2" && shown["checkpoint"] == 3)
            // It comes back late, and finds its place taken.
            #expect(try await mark(training, job, "runner1", 1, step: 4) == 409)
            let adapter = try await training.upload("adapter")
            let late: JSONValue = ["attempt": 1, "adapter": .digest(adapter), "tokens": 1, "record": ["steps": 4]]
            #expect(try await training.call("POST", "/v1/runners/jobs/\(job)/complete", as: "runner1", late).status == 409)
        }
    }

    @Test func whatIsTakenBackListsTheModelsAndOneCallRepeatsTheJobWithoutIt() async throws {
        try await withTraining { training in
            let job = try await training.request()
            _ = try await lease(training, "runner1")
            let adapter = try await training.upload("adapter")
            func complete(_ job: String, _ loss: Int64) async throws -> Int {
                try await training.call(
                    "POST", "/v1/runners/jobs/\(job)/complete", as: "runner1",
                    ["attempt": 1, "adapter": .digest(adapter), "tokens": 2_000, "record": ["final_loss_micros": .int(loss)]]
                ).status
            }
            #expect(try await complete(job, 900) == 204)
            func amount(_ units: String) -> JSONValue { ["asset": "USDC/6", "amount": .string(units)] }
            let terms: JSONValue = [
                "model": "ann/defi", "base": "tiny", "job": .string(job),
                "price": ["request": amount("1"), "input": amount("2"), "output": amount("3")],
                "split": ["owner": 3_000, "datanets": 1_000, "contributors": 5_000, "validators": 500, "compute": 500],
            ]
            try #require(try await training.call("POST", "/v1/adapters", as: "ann", terms).status == 201)
            let path = "/v1/training-jobs/" + job
            #expect(try await training.call("GET", "/v1/adapters/affected", as: "eve").json == ["items": []])
            #expect(try await training.call("POST", path + "/retrain", as: "ann", nothing).status == 409)

            try await training.append(
                ContributionWithdrawn(contribution: "ct_1", contributor: "carl", items: ["it_1"]), by: .ingest, stream: "contribution/ct_1")
            try await eventually("the withdrawal is known") {
                try await training.call("GET", "/v1/adapters/affected", as: "eve").json["items"]?.arrayValue?.count == 1
            }
            let affected = try await training.call("GET", "/v1/adapters/affected", as: "eve").json["items"]?.arrayValue?.first
            #expect(affected?["model"] == "ann/defi" && affected?["items"] == 1 && affected?["adapter"] == .digest(adapter))
            #expect(affected?["replaced_by"] == nil && affected?["retired"] == false)
            let gone = try await training.call("GET", path + "/taken-back", as: "ann")
            #expect(gone.json == ["items": [["datanet": "dn_1", "item": "it_1"]], "tokens": 1_000])
            #expect(try await training.call("GET", path + "/taken-back", as: "eve").status == 404)

            #expect(try await training.call("POST", path + "/retrain", as: "eve", nothing).status == 404)
            let ordered = try await training.call("POST", path + "/retrain", as: "ann", nothing, key: "again")
            #expect(ordered.status == 201 && ordered.json["replaces"] == .string(job))
            // Of its only item nothing is left, and nothing is what it costs.
            #expect(ordered.json["fee"] == amount("0"))
            let new = try #require(ordered.json["job"]?.stringValue)
            #expect(try await training.call("POST", path + "/retrain", as: "ann", nothing, key: "again").json["job"] == .string(new))
            #expect(try await training.call("POST", path + "/retrain", as: "ann", nothing).status == 409)
            _ = try await lease(training, "runner1")
            #expect(try await complete(new, 950) == 204)

            let compared = try await training.call("GET", "/v1/training-jobs/\(new)/comparison", as: "ann").json
            #expect(compared["before"]?["record"]?["final_loss_micros"] == 900 && compared["after"]?["record"]?["final_loss_micros"] == 950)
            #expect(compared["without"]?["items"] == [["datanet": "dn_1", "item": "it_1"]] && compared["before"]?["job"] == .string(job))
            #expect(try await training.call("GET", path + "/comparison", as: "ann").status == 404)
            let listed = try await training.call("GET", "/v1/adapters/affected", as: "eve").json["items"]?.arrayValue
            #expect(listed?.count == 1 && listed?.first?["replaced_by"] == .string(new))
            // The repeat never saw the item, and its owner has no part in it.
            let events = try await training.house.ledger.client(for: .training).read(from: 0, limit: 1_000, wait: nil).events
            let ends = try events.compactMap { logged in
                let fact = try Fact(logged)
                return fact.type == JobCompleted.type ? try JobCompleted(fact.data.object()) : nil
            }
            #expect(ends.map(\.job) == [job, new] && ends.map(\.shares.count) == [1, 0])
            #expect(try await training.call("POST", "/v1/adapters", as: "ann", replacing(terms, job: new)).status == 201)
            #expect(try await training.call("GET", "/v1/adapters/affected", as: "eve").json["items"]?.arrayValue?.count == 1)
        }
    }

    private func replacing(_ terms: JSONValue, job: String) -> JSONValue {
        guard var object = terms.objectValue else { return terms }
        object["job"] = .string(job)
        return .object(object)
    }

    @Test func whoMayLearnFromTheDataReadsWhatARepeatNeeds() async throws {
        try await withTraining { training in
            let job = try await training.request()
            let path = "/v1/training-jobs/\(job)/record"
            // olga owns the Datanet, ann the job.
            for reader in ["ann", "olga"] {
                let read = try await training.call("GET", path, as: reader)
                #expect(read.status == 200 && read.json["settings"]?["epochs"] == 2 && read.json["record"] == nil)
            }
            #expect(try await training.call("GET", path, as: "eve").status == 404)
        }
    }
}
