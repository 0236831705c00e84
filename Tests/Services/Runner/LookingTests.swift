import JSON
import ServiceTestSupport
import TestSupport
import Testing

@testable import RunnerService

/// A look at rows before a job and at its adapter after it, and a job over an int8 base.
@Suite struct LookingTests {
    @Test func rowsAreShownBeforeTheJobAndTheAdapterIsMeasuredAfterIt() async throws {
        try await withRunner { runner in
            let settings: JSONValue = [
                "epochs": 30, "learning_rate": 4_000, "rank": 2, "batch": "auto", "warmup": 0, "holdout": 0, "maximum_tokens": 64,
                "precision": "int8",
            ]
            let job = try await runner.request(settings)
            let order: JSONValue = ["base": "tiny", "snapshots": [["datanet": "dn_1", "number": 1]], "settings": settings]
            let quote = try await runner.call("POST", "/v1/training-jobs/quote", order).json
            #expect(quote["settings"]?["batch"] == 4 && quote["settings"]?["precision"] == "int8" && quote["seconds"]?.intValue ?? 0 >= 1)

            let shown = try await runner.call("POST", "/v1/training-jobs/preview?rows=2", order)
            try #require(shown.status == 200, "\(shown.json)")
            let rows = try #require(shown.json["training"]?.arrayValue)
            #expect(rows.count == 2 && rows[0]["item"] == "it_0" && shown.json["held_out"]?.arrayValue?.isEmpty == true)
            let tokens = try #require(rows[0]["row"]?.arrayValue)
            let learned = tokens.filter { $0["learned"] == true }.compactMap { $0["text"]?.stringValue }.joined()
            #expect(learned.hasPrefix("The tides.") && rows[0]["learned"] == .int(Int64(tokens.count { $0["learned"] == true })))
            let all = tokens.compactMap { $0["text"]?.stringValue }.joined()
            #expect(all.contains("What moves 0?"))
            let stranger = try runner.house.token("eve", scopes: ["jobs:write"])
            #expect(try await runner.call("POST", "/v1/training-jobs/preview", order, as: stranger).status == 403)

            let done = try await runner.finish(job)
            #expect(done["status"] == "succeeded")
            let path = "/v1/training-jobs/\(job)/evaluation"
            #expect(try await runner.call("POST", path, ["samples": 2], as: stranger).status == 404)
            let measured = try await runner.call("POST", path, ["samples": 2, "answers": 2])
            try #require(measured.status == 200, "\(measured.json)")
            let (base, adapter) = (try #require(measured.json["base"]), try #require(measured.json["adapter"]))
            let (before, after) = (try #require(base["loss_micros"]?.intValue), try #require(adapter["loss_micros"]?.intValue))
            #expect(after < before && (adapter["perplexity_thousandths"]?.intValue ?? 0) < (base["perplexity_thousandths"]?.intValue ?? 0))
            let samples = try #require(measured.json["samples"]?.arrayValue)
            #expect(samples.count == 2 && samples[0]["expected"] == "The tides." && samples[0]["adapter"] != nil)
            #expect(try await runner.call("POST", path, ["samples": 11]).status == 400)
            // Its repeat is the same, over an int8 base as over any other.
            let lineage = try await runner.call("GET", "/v1/training-jobs/\(job)/lineage").json.arrayValue
            #expect(lineage?.compactMap { $0["eventType"]?.stringValue } == ["START", "COMPLETE"])
            let manifest = try await runner.call(
                "GET", "/v1/training-jobs/\(job)/manifest?image=runner:1&url=http://house:7404&queue=gpu&gpus=1")
            #expect(manifest.json["metadata"]?["labels"]?["kueue.x-k8s.io/queue-name"] == "gpu")
        }
    }

    @Test func scoresAreThoseOfTheField() {
        #expect(AnswerScores.rougeL("the cat sat on the mat", "the cat sat on the mat") == 1)
        #expect(AnswerScores.rougeL("", "a") == 0 && AnswerScores.rougeL("", "") == 1 && AnswerScores.rougeL("x", "y") == 0)
        // Lin 2004, §3.1: "police killed the gunman" beside "police kill the gunman" and "the gunman kill police".
        #expect(abs(AnswerScores.rougeL("police kill the gunman", "police killed the gunman") - 0.75) < 1e-9)
        #expect(abs(AnswerScores.rougeL("the gunman kill police", "police killed the gunman") - 0.5) < 1e-9)
        #expect(AnswerScores.rougeL("Police, KILLED: the gunman!", "police killed the gunman") == 1)
        var scores = AnswerScores()
        scores.add(" The  tides.\n", expected: "The tides.")
        scores.add("the tides", expected: "The tides.")
        #expect(scores.exact == 1 && scores.count == 2 && scores.rougePoints == 10_000)
        #expect(AnswerScores().rougePoints == 0)
    }
}
