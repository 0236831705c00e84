import Crypto
import Events
import HTTP
import HTTPClient
import JSON
import ServiceTestSupport
import Testing
import TestSupport
import Web

@testable import AgentGatewayService

@Suite struct FileTests {
    private static func form(_ boundary: String, _ parts: [(head: String, body: String)], ends: Bool = true) -> [UInt8] {
        var text = ""
        for part in parts { text += "--\(boundary)\r\n\(part.head)\r\n\r\n\(part.body)\r\n" }
        return Array((text + (ends ? "--\(boundary)--\r\n" : "")).utf8)
    }

    @Test func aFormIsReadAsRFC7578HasIt() throws {
        let file = "a\r\n--x\r\n--boundar\r\n\r\nb"
        let bytes = Self.form(
            "boundary",
            [
                ("Content-Disposition: form-data; name=\"purpose\"", "fine-tune"),
                ("content-disposition: form-data; name=file; filename=\"a \\\"b\\\".jsonl\"\r\nContent-Type: application/jsonl", file),
                ("Content-Disposition: form-data; name=\"empty\"", ""),
            ])
        for type in ["multipart/form-data; boundary=boundary", "multipart/form-data; charset=utf-8; boundary=\"boundary\""] {
            let form = try MultipartForm(bytes, type: type)
            #expect(form.text("purpose") == "fine-tune" && form.text("empty") == "" && form.text("file") == nil)
            #expect(form.file("file")?.filename == "a \"b\".jsonl")
            #expect(form.file("file").map { String(decoding: $0.bytes, as: UTF8.self) } == file)
        }
        let preface = Array("to be passed over\r\n".utf8) + bytes
        #expect(try MultipartForm(preface, type: "multipart/form-data; boundary=boundary").parts.count == 3)
    }

    @Test func aFormThatIsBrokenIsRefusedAndNeverATrap() throws {
        let good = Self.form("b", [("Content-Disposition: form-data; name=\"file\"; filename=\"x\"", "content")])
        #expect(throws: Problem.self) { try MultipartForm(good, type: "multipart/form-data") }
        #expect(throws: Problem.self) { try MultipartForm(good, type: "multipart/form-data; boundary=") }
        #expect(throws: Problem.self) { try MultipartForm(good, type: "multipart/form-data; boundary=other") }
        #expect(throws: Problem.self) { try MultipartForm(Self.form("b", [("X: y", "z")]), type: "multipart/form-data; boundary=b") }
        #expect(throws: Problem.self) {
            try MultipartForm(
                Self.form("b", [("Content-Disposition: form-data; name=a", "z")], ends: false), type: "multipart/form-data; boundary=b")
        }
        var random = Seed.generator()
        for _ in 0..<2_000 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeLast(min(bytes.count - 1, Int.random(in: 0...20, using: &random)))
                default: bytes.insert(contentsOf: Array("\r\n--b".utf8), at: Int.random(in: 0...bytes.count, using: &random))
                }
            }
            do { _ = try MultipartForm(bytes, type: "multipart/form-data; boundary=b") } catch { #expect(error.status == 400) }
        }
    }

    @Test func aTrainingFileIsConversationsOrPairs() throws {
        let lines = [
            #"{"messages":[{"role":"user","content":"When does the bar break?"},{"role":"assistant","content":"At ebb."}]}"#, "",
            #"{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Tide?"},{"role":"assistant","content":"Low."}]}"#,
            #"{"prompt":"Depth?","completion":"Four metres."}"#,
        ]
        let (count, rows) = try TrainingFile.rows(Array(lines.joined(separator: "\n").utf8))
        #expect(count == 3)
        let read = try rows.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
        #expect(read[0] == ["prompt": "When does the bar break?", "completion": "At ebb."])
        #expect(read[1] == ["prompt": "system: Be brief.\nuser: Tide?", "completion": "Low."])
        #expect(read[2] == ["prompt": "Depth?", "completion": "Four metres."])
        let wrong = [
            "", "\n\n", "{", "[]", #"{"messages":[]}"#, #"{"messages":[{"role":"user","content":"x"}]}"#,
            #"{"messages":[{"role":"assistant","content":"x"},{"role":"user","content":"y"}]}"#, #"{"prompt":"x"}"#,
            #"{"prompt":1,"completion":"y"}"#,
        ]
        for text in wrong {
            #expect(throws: Problem.self, "\(text)") { try TrainingFile.rows(Array(text.utf8)) }
        }
    }

    private func upload(_ gateway: GatewayHouse, _ token: String, _ content: String, purpose: String = "fine-tune") async throws
        -> GatewayHouse.Answer
    {
        var request = gateway.request("POST", "/v1/files", token: token, nil)
        request.headers.set("Content-Type", "multipart/form-data; boundary=xyz")
        request.body = .bytes(
            Self.form(
                "xyz",
                [
                    ("Content-Disposition: form-data; name=\"purpose\"", purpose),
                    ("Content-Disposition: form-data; name=\"file\"; filename=\"tides.jsonl\"", content),
                ]))
        let response = try await gateway.house.transport.send(request)
        return GatewayHouse.Answer(status: response.status, json: try JSON.parse(try await response.body.collect(upTo: 1 << 20)))
    }

    @Test func filesAreKeptForWhoBroughtThemAlone() async throws {
        try await withGateway { gateway in
            let (ann, eve) = (
                try gateway.house.token("ann", scopes: ["jobs:write"]), try gateway.house.token("eve", scopes: ["jobs:write"])
            )
            let file = try await upload(gateway, ann, "{\"prompt\":\"a\",\"completion\":\"b\"}")
            try #require(file.status == 200)
            #expect(file.json["object"] == "file" && file.json["filename"] == "tides.jsonl" && file.json["bytes"] == 31)
            let id = try #require(file.json["id"]?.stringValue)
            #expect(try await gateway.call("GET", "/v1/files/" + id, token: ann).json == file.json)
            let bytes = try await gateway.house.transport.send(gateway.request("GET", "/v1/files/\(id)/content", token: ann, nil))
            #expect(try await bytes.body.collect(upTo: 100) == Array("{\"prompt\":\"a\",\"completion\":\"b\"}".utf8))
            for path in ["/v1/files/\(id)", "/v1/files/\(id)/content"] {
                let answer = try await gateway.call("GET", path, token: eve)
                #expect(answer.status == 404 && answer.code == "file_not_found")
            }
            #expect(try await gateway.call("GET", "/v1/files", token: eve).json["data"] == [])
            #expect(try await upload(gateway, ann, "x", purpose: "vision").status == 400)
            #expect(try await upload(gateway, ann, "").status == 400)
            for odd in ["..%2F..%2Fcontent", "file-%00", "FILE"] {
                #expect([400, 404].contains(try await gateway.call("GET", "/v1/files/" + odd, token: ann).status), "\(odd)")
            }
            let second = try await upload(gateway, ann, "{}")
            let listed = try await gateway.call("GET", "/v1/files?limit=1&order=asc", token: ann)
            #expect(listed.json["has_more"] == true && listed.json["data"]?.arrayValue?.count == 1)
            #expect(try await gateway.call("DELETE", "/v1/files/" + id, token: eve).status == 404)
            #expect(try await gateway.call("DELETE", "/v1/files/" + id, token: ann).json["deleted"] == true)
            let left = try await gateway.call("GET", "/v1/files", token: ann).json["data"]?.arrayValue
            #expect(left?.compactMap { $0["id"] } == [second.json["id"]].compactMap { $0 })
        }
    }

    @Test func aFineTuningIsRefusedWithTheReasonBeforeAnythingIsMade() async throws {
        try await withGateway(more: [Self.bases]) { gateway in
            let scopes: Set<String> = [
                "jobs:write", "models:write", "datanets:write", "datanets:read", "contributions:write", "contributions:read",
            ]
            let ann = try gateway.house.token("ann", scopes: scopes)
            func ask(_ members: [(String, JSONValue)], _ token: String) async throws -> GatewayHouse.Answer {
                try await gateway.call("POST", "/v1/fine_tuning/jobs", token: token, .object(JSONObject(members)))
            }
            let bad = try await upload(gateway, ann, "{\"prompt\":\"a\"}")
            let id = bad.json["id"] ?? ""
            let unfit = try await ask([("model", "tiny"), ("training_file", id)], ann)
            #expect(unfit.status == 400 && unfit.code == "invalid_training_file" && unfit.json["error"]?["param"] == "training_file")
            #expect(try await ask([("model", "huge"), ("training_file", id)], ann).code == "model_not_found")
            #expect(try await ask([("model", "tiny"), ("training_file", "file-none")], ann).code == "invalid_training_file")
            let few = try gateway.house.token("ann", scopes: ["jobs:write"])
            #expect(try await ask([("model", "tiny"), ("training_file", id)], few).status == 403)
            let wrong: [(String, JSONValue)] = [
                ("suffix", "UPPER"), ("suffix", ""), ("seed", -1), ("validation_file", "file-x"), ("method", ["type": "dpo"]),
                ("hyperparameters", ["n_epochs": 0]), ("hyperparameters", ["learning_rate_multiplier": "much"]), ("metadata", ["a": 1]),
            ]
            for member in wrong {
                #expect(try await ask([("model", "tiny"), ("training_file", id), member], ann).status == 400, "\(member)")
            }
            #expect(try await gateway.call("GET", "/v1/fine_tuning/jobs", token: ann).json["data"] == [])
            #expect(try await gateway.call("GET", "/v1/fine_tuning/jobs/ftjob-x", token: ann).code == "job_not_found")
        }
    }

    private static var bases: Mount {
        Mount(
            "bases",
            routes: [
                Route(
                    .get, "/v1/base-models", operation: "standInBases", summary: "A stand-in for training.", access: .authenticated,
                    replies: [.json(200, "Bases.", .any)]
                ) { _ in .json(["items": [["model": "tiny"]]]) }
            ])
    }
}
