import Money
import Crypto
import Decisions
import EventLog
import Events
import JSON
import LedgerService
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing

@Suite struct JobServiceTests {
    private func complete(_ attempt: Int, _ adapter: Digest) -> JSONValue {
        ["attempt": .int(Int64(attempt)), "adapter": .digest(adapter), "tokens": 2_000, "record": ["steps": 4]]
    }

    private func heartbeat(_ attempt: Int, _ step: Int = 1) -> JSONValue {
        ["attempt": .int(Int64(attempt)), "step": .int(Int64(step)), "steps": 4, "loss_micros": 900_000]
    }

    @Test func nobodyGetsAJobOnDataWithoutAGrant() async throws {
        try await withTraining(grants: false) { training in
            try await eventually("the snapshot is known") {
                try await training.call("POST", "/v1/training-jobs/quote", as: "olga", training.order()).status == 200
            }
            #expect(try await training.call("POST", "/v1/training-jobs/quote", as: "ann", training.order()).status == 403)
            #expect(try await training.call("POST", "/v1/training-jobs", as: "ann", training.order()).status == 403)
            try await training.grant()
            let quote = try await training.call("POST", "/v1/training-jobs/quote", as: "ann", training.order())
            #expect(quote.json["tokens"] == 2_000 && quote.json["fee"] == ["asset": "USDC/6", "amount": "2000"])
            for settings in [["epochs": 0], ["colour": 1], ["targets": []]] as [JSONValue] {
                #expect(try await training.call("POST", "/v1/training-jobs", as: "ann", training.order(settings)).status == 400)
            }
            let unknown: JSONValue = ["base": "huge", "snapshots": [["datanet": "dn_1", "number": 1]]]
            #expect(try await training.call("POST", "/v1/training-jobs", as: "ann", unknown).status == 404)
        }
    }

    @Test func ofTwoRunnersOneGetsTheJobAndIsHeardToTheEnd() async throws {
        try await withTraining { training in
            let job = try await training.request()
            async let one = training.call("POST", "/v1/runners/leases", as: "runner1", .object(JSONObject()))
            async let two = training.call("POST", "/v1/runners/leases", as: "runner2", .object(JSONObject()))
            let answers = try await [("runner1", one), ("runner2", two)]
            #expect(answers.map(\.1.status).sorted() == [200, 204])
            let (runner, order) = try #require(answers.first { $0.1.status == 200 })
            let late = runner == "runner1" ? "runner2" : "runner1"
            #expect(order.json["job"] == .string(job) && order.json["attempt"] == 1 && order.json["settings"]?["epochs"] == 2)
            let path = "/v1/runners/jobs/" + job

            let rows = try await training.call("GET", path + "/rows", as: runner)
            #expect(rows.status == 200 && rows.json["item"] == "it_1")
            #expect(try await training.call("GET", path + "/rows", as: late).status == 404)
            #expect(try await training.call("GET", path + "/rows?snapshot=1", as: runner).status == 404)
            training.setRows(nil)
            #expect(try await training.call("GET", path + "/rows", as: runner).status == 502)

            #expect(try await training.call("POST", path + "/heartbeat", as: runner, heartbeat(1)).json["go_on"] == true)
            #expect(try await training.call("POST", path + "/heartbeat", as: late, heartbeat(1)).json["go_on"] == false)
            #expect(try await training.call("POST", path + "/heartbeat", as: runner, heartbeat(2)).json["go_on"] == false)
            let shown = try await training.call("GET", "/v1/training-jobs/" + job, as: "ann")
            #expect(shown.json["status"] == "running" && shown.json["progress"]?["step"] == 1)
            #expect(try await training.call("GET", "/v1/training-jobs/" + job, as: "eve").status == 404)

            let checkpoint = try await training.upload("checkpoint")
            func reached(_ step: Int64) -> JSONValue {
                ["attempt": 1, "step": .int(step), "checkpoint": .digest(checkpoint), "metrics": ["loss_micros": 5]]
            }
            #expect(try await training.call("POST", path + "/checkpoint", as: runner, reached(2)).status == 204)
            #expect(try await training.call("POST", path + "/checkpoint", as: runner, reached(2)).status == 409)
            #expect(try await training.call("POST", path + "/checkpoint", as: late, reached(3)).status == 409)

            let missing = SHA256.hash(utf8: "missing")
            #expect(try await training.call("POST", path + "/complete", as: runner, complete(1, missing)).status == 404)
            // A manifest whose files did not come, and a file that is no manifest.
            let half = try JSON.canonical(["files": [["bytes": 1, "path": "a", "sha256": .digest(missing)]]])
            #expect(try await training.put(SHA256.hash(half), half) == 204)
            #expect(try await training.call("POST", path + "/complete", as: runner, complete(1, SHA256.hash(half))).status == 404)
            #expect(
                try await training.call("POST", path + "/complete", as: runner, complete(1, SHA256.hash(utf8: "checkpoint"))).status == 422)

            let adapter = try await training.upload("adapter")
            #expect(try await training.call("POST", path + "/complete", as: late, complete(1, adapter)).status == 409)
            #expect(try await training.call("POST", path + "/complete", as: runner, complete(2, adapter)).status == 409)
            for _ in 0..<2 {
                #expect(try await training.call("POST", path + "/complete", as: runner, complete(1, adapter), key: "done").status == 204)
            }
            #expect(try await training.call("POST", path + "/complete", as: runner, complete(1, adapter)).status == 409)
            #expect(try await training.status(job) == "succeeded")
            let events = try await training.house.ledger.client(for: .training).read(from: 0, limit: 1_000, wait: nil).events
            let completed = try events.compactMap { logged in
                let fact = try Fact(logged)
                return fact.type == JobCompleted.type ? try JobCompleted(fact.data.object()) : nil
            }
            #expect(completed.count == 1 && completed.first?.runner == runner && completed.first?.fee.units == 2_000)
            #expect(
                completed.first?.shares.json
                    == EvidenceList.entries(
                        [AttributionShare(owner: "carl", datanet: "dn_1", share: 1_000_000_000)]).json)
        }
    }

    @Test func aCancelledJobIsNotGoneOnWith() async throws {
        try await withTraining { training in
            let (waiting, running) = (try await training.request(), try await training.request())
            #expect(try await training.call("POST", "/v1/training-jobs/\(waiting)/cancel", as: "eve").status == 404)
            #expect(try await training.call("POST", "/v1/training-jobs/\(waiting)/cancel", as: "ann").status == 200)
            let order = try await training.call("POST", "/v1/runners/leases", as: "runner1", .object(JSONObject()))
            #expect(order.json["job"] == .string(running))
            #expect(try await training.call("POST", "/v1/training-jobs/\(running)/cancel", as: "ann").json["status"] == "cancelled")
            #expect(try await training.call("POST", "/v1/training-jobs/\(running)/cancel", as: "ann").status == 409)
            let path = "/v1/runners/jobs/" + running
            #expect(try await training.call("POST", path + "/heartbeat", as: "runner1", heartbeat(1)).json["go_on"] == false)
            let adapter = try await training.upload("adapter")
            #expect(try await training.call("POST", path + "/complete", as: "runner1", complete(1, adapter)).status == 409)
            #expect(try await training.call("POST", "/v1/runners/leases", as: "runner1", .object(JSONObject())).status == 204)
        }
    }

    @Test func aRunnerThatWaitsGetsAJobWhenOneComes() async throws {
        try await withTraining { training in
            async let order = training.call("POST", "/v1/runners/leases?wait=30", as: "runner1", .object(JSONObject()))
            let job = try await training.request()
            #expect(try await order.json["job"] == .string(job))
            let failed: JSONValue = ["attempt": 1, "reason": "no memory"]
            #expect(try await training.call("POST", "/v1/runners/jobs/\(job)/fail", as: "runner2", failed).status == 409)
            #expect(try await training.call("POST", "/v1/runners/jobs/\(job)/fail", as: "runner1", failed).status == 204)
            let shown = try await training.call("GET", "/v1/training-jobs/" + job, as: "ann")
            #expect(shown.json["status"] == "failed" && shown.json["reason"] == "no memory")
        }
    }

    @Test func whoWatchesAJobIsToldOfEveryStageUntilItIsOver() async throws {
        try await withTraining { training in
            let job = try await training.request()
            let path = "/v1/runners/jobs/" + job
            let told = Mutex<[JSONValue]>([])
            // Each stage is brought about when the one before has been told of.
            try await training.watch(job) { view in
                told.withLock { $0.append(view) }
                let step = view["progress"]?["step"]?.intValue
                switch view["status"] {
                case "queued": _ = try await training.call("POST", "/v1/runners/leases", as: "runner1", .object(JSONObject()))
                case "running" where step == nil:
                    _ = try await training.call("POST", path + "/heartbeat", as: "runner1", heartbeat(1, 3))
                case "running":
                    let adapter = try await training.upload("adapter")
                    _ = try await training.call("POST", path + "/complete", as: "runner1", complete(1, adapter))
                default: break
                }
            }
            let views = told.withLock { $0 }
            #expect(views.first?["status"] == "queued" && views.last?["status"] == "succeeded")
            #expect(views.contains { $0["status"] == "running" && $0["progress"]?["step"] == 3 })
            #expect(views.last?["adapter"]?.stringValue != nil)
        }
    }

    @Test func artefactsAreKeptUnderTheirHashAlone() async throws {
        try await withTraining(grants: false) { training async throws in
            let digest = SHA256.hash(utf8: "bytes")
            let path = "/v1/adapters/artefacts/" + digest.prefixed
            #expect(try await training.call("GET", path, as: "ann").status == 404)
            #expect(try await training.put(digest, Array("other bytes".utf8)) == 422)
            #expect(try await training.call("GET", path, as: "ann").status == 404)
            #expect(try await training.call("PUT", path, as: "ann", bytes: Array("bytes".utf8)).status == 403)
            #expect(try await training.put(digest, Array("bytes".utf8)) == 204)
            #expect(try await training.call("GET", path, as: "ann").bytes == Array("bytes".utf8))
            #expect(try await training.call("GET", "/v1/adapters/artefacts/sha256:12", as: "ann").status == 400)
        }
    }

    @Test func aModelIsPublishedFromAJobOfOnesOwnAndRetired() async throws {
        try await withTraining { training in
            let job = try await training.request()
            func terms(_ job: String?, split owner: Int64 = 3_000) -> JSONValue {
                func amount(_ units: String) -> JSONValue { ["asset": "USDC/6", "amount": .string(units)] }
                return .members([
                    "model": "ann/defi", "base": "tiny", "job": job.map { .string($0) },
                    "price": ["request": amount("1"), "input": amount("2"), "output": amount("3")],
                    "split": ["owner": .int(owner), "datanets": 1_000, "contributors": 5_000, "validators": 500, "compute": 500],
                ])
            }
            #expect(try await training.call("POST", "/v1/adapters", as: "ann", terms(job)).status == 409)
            _ = try await training.call("POST", "/v1/runners/leases", as: "runner1", .object(JSONObject()))
            let adapter = try await training.upload("adapter")
            let done = try await training.call("POST", "/v1/runners/jobs/\(job)/complete", as: "runner1", complete(1, adapter))
            #expect(done.status == 204)
            // Who ordered it takes it away, and nobody else.
            let files = try await training.call("GET", "/v1/training-jobs/\(job)/adapter", as: "ann")
            #expect(files.json["adapter"] == .digest(adapter) && files.json["files"]?.arrayValue?.first?["path"] == "file")
            #expect(try await training.call("GET", "/v1/training-jobs/\(job)/adapter/file", as: "ann").status == 200)
            #expect(try await training.call("GET", "/v1/training-jobs/\(job)/adapter/other", as: "ann").status == 404)
            for path in ["/adapter", "/adapter/file"] {
                #expect(try await training.call("GET", "/v1/training-jobs/\(job)" + path, as: "eve").status == 404)
            }
            #expect(try await training.call("POST", "/v1/adapters", as: "eve", terms(job)).status == 404)
            #expect(try await training.call("POST", "/v1/adapters", as: "ann", terms(job, split: 2_999)).status == 422)
            let published = try await training.call("POST", "/v1/adapters", as: "ann", terms(job))
            #expect(published.status == 201 && published.json["version"] == 1 && published.json["adapter"] == .digest(adapter))
            #expect(try await training.call("POST", "/v1/adapters", as: "ann", terms(nil)).json["version"] == 2)
            #expect(try await training.call("POST", "/v1/adapters", as: "eve", terms(nil)).status == 403)

            let path = "/v1/adapters/ann/defi"
            #expect(try await training.call("POST", path + "/retire", as: "eve", ["version": 1]).status == 404)
            #expect(try await training.call("POST", path + "/retire", as: "ann", ["version": 3]).status == 404)
            #expect(try await training.call("POST", path + "/retire", as: "ann", ["version": 2]).status == 204)
            #expect(try await training.call("POST", path + "/retire", as: "ann", ["version": 2]).status == 409)
            let listed = try await training.call("GET", "/v1/adapters", as: "eve").json["items"]?.arrayValue
            #expect(listed?.compactMap { $0["version"] } == [1])
            #expect(try await training.call("POST", path + "/retire", as: "ann", .object(JSONObject())).status == 204)
            #expect(try await training.call("GET", "/v1/adapters", as: "eve").json["items"] == [])
            let versions = try await training.call("GET", path, as: "eve").json["versions"]?.arrayValue
            #expect(versions?.map { $0["retired"] } == [true, true])
        }
    }
}
