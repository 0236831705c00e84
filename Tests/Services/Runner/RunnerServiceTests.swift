import Synchronization
import Crypto
import Events
import JSON
import TestSupport
import Testing

@Suite struct RunnerServiceTests {
    @Test func aJobIsTrainedAndItsAdapterAnswers() async throws {
        try await withRunner { runner in
            let job = try await runner.request(["epochs": 2, "rank": 2, "batch": 4, "warmup": 0, "holdout": 0, "maximum_tokens": 64])
            let view = try await runner.finish(job)

            let name = try #require(view["adapter"]?.stringValue)
            let manifest = try await runner.call("GET", "/v1/adapters/artefacts/" + name)
            #expect(SHA256.hash(manifest.bytes).prefixed == name)
            let files = try #require(manifest.json["files"]?.arrayValue)
            #expect(
                files.compactMap { $0["path"]?.stringValue } == [
                    "adapter_config.json", "adapter_model.safetensors", "openledger.json",
                ])
            for file in files {
                let digest = try #require(file["sha256"]?.stringValue)
                let bytes = try await runner.call("GET", "/v1/adapters/artefacts/" + digest).bytes
                #expect(SHA256.hash(bytes).prefixed == digest && file["bytes"] == .int(Int64(bytes.count)))
            }
            let answer = try await runner.ask([("openledger_adapter", .string(name))])
            #expect(answer.isDone && (answer.end["usage"]?["completion_tokens"]?.intValue ?? 0) > 0)
            let row = try #require(answer.end["openledger_row"]?.stringValue)
            let kept = try await runner.call("GET", "/v1/adapters/artefacts/" + row).bytes
            #expect(SHA256.hash(kept).prefixed == row)

            // The base alone has nobody to thank; unknown models and adapters are not found.
            let plain = try await runner.ask([])
            #expect(plain.isDone && plain.end["openledger_row"] == nil)
            let messages: JSONValue = [["role": "user", "content": "x"]]
            let unknown = try await runner.call(
                "POST", "/runner/v1/chat/completions", ["model": "huge", "messages": messages])
            #expect(unknown.status == 404)
            let nowhere: JSONValue = [
                "model": "tiny", "messages": messages, "openledger_adapter": .digest(SHA256.hash(utf8: "nowhere")),
            ]
            #expect(try await runner.call("POST", "/runner/v1/chat/completions", nowhere).status == 404)
        }
    }

    @Test func noRowIsAFailureThatSaysSoOneIsEnoughAndALongOneIsCut() async throws {
        try await withRunner { runner in
            let settings: JSONValue = ["epochs": 2, "rank": 2, "batch": 4, "warmup": 0, "holdout": 0, "maximum_tokens": 32]
            func end(_ rows: [JSONValue]) async throws -> JSONValue {
                runner.given.withLock { $0 = rows }
                let job = try await runner.request(settings)
                var view: JSONValue = .null
                try await eventually("the job is over", timeout: .seconds(120)) {
                    view = try await runner.show(job)
                    return ["succeeded", "failed"].contains(view["status"]?.stringValue)
                }
                return view
            }
            for rows in [[], [["item": "it_0", "owner": "carl"]]] as [[JSONValue]] {
                let empty = try await end(rows)
                #expect(empty["status"] == "failed" && empty["reason"] == "the snapshots have no row to learn from")
            }
            #expect(try await end([runner.rows[0]])["status"] == "succeeded")
            let long = String(repeating: "The tides move the price of the pool. ", count: 40)
            let content: JSONValue = ["prompt": .string(long), "completion": .string(long)]
            let cut = try await end([["item": "it_0", "owner": "carl", "content": content]])
            #expect(cut["status"] == "succeeded")
            let record = try await runner.call("GET", "/v1/training-jobs/\(cut["job"]?.stringValue ?? "")/record").json["record"]
            #expect(record?["cut"] == 1 && record?["rows"] == 1)
        }
    }
}
