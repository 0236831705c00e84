import Crypto
import Foundation
import Identity
import Testing

@Suite("API keys")
struct APIKeyTests {
    private let ada = Caller(subject: "ada", issuer: "gateway", kind: .person, scopes: ["infer", "read"])

    @Test("a key is a prefix and 256 random bits, and reads back from its text")
    func form() throws {
        let key = APIKey.generate()
        let text = key.reveal()
        #expect(text.hasPrefix("olk_") && text.utf8.count == 47)
        let again = try #require(APIKey(text))
        #expect(again == key && again.hash == SHA256.hash(utf8: text) && again.matches(key.hash))
        #expect(!APIKey.generate().matches(key.hash))
        #expect(!"\(key)".contains(text.dropFirst(4)) && !String(reflecting: key).contains(text.dropFirst(4)))
    }

    @Test("other texts are refused before anything is looked up")
    func refusals() {
        let text = APIKey.generate().reveal()
        let rest = String(text.dropFirst(4)), short = String(text.dropLast())
        let bad: [String] = ["", "olk_", short, text + "A", "OLK_" + rest, "sk__" + rest, " " + short, short + "=", short + "/"]
        for bad in bad {
            #expect(APIKey(bad) == nil, "\(bad)")
        }
        // 43 letters hold 258 bits; the two spare ones must be zero, or one key had four texts.
        #expect(APIKey("olk_" + String(repeating: "A", count: 43)) != nil)
        #expect(APIKey("olk_" + String(repeating: "A", count: 42) + "B") == nil)
    }

    @Test("a store knows a key until its end or its revocation")
    func memory() async throws {
        let store = MemoryAPIKeyStore(), key = APIKey.generate()
        store.add(APIKeyRecord(hash: key.hash, caller: ada, expiry: 100))
        #expect(try await store.caller(for: key, now: 99) == ada)
        #expect(try await store.caller(for: key, now: 100) == nil)
        #expect(try await store.caller(for: .generate(), now: 99) == nil)
        store.revoke(key.hash)
        #expect(try await store.caller(for: key, now: 99) == nil)
    }

    @Test("a file keeps keys, replacements and revocations, and no key itself")
    func file() async throws {
        try await withFolder { folder in
            let path = folder + "/keys.jsonl"
            let keys = (0..<4).map { _ in APIKey.generate() }
            let store = try FileAPIKeyStore(path: path)
            for key in keys { try await store.add(APIKeyRecord(hash: key.hash, caller: ada)) }
            let agent = Caller(subject: "bot \"x\"\n", issuer: "gateway", kind: .agent)
            try await store.add(APIKeyRecord(hash: keys[1].hash, caller: agent, expiry: 50))
            try await store.revoke(keys[2].hash)
            for store in [store, try FileAPIKeyStore(path: path)] {
                #expect(store.count == 3)
                #expect(try await store.caller(for: keys[0], now: 60) == ada)
                #expect(try await store.caller(for: keys[1], now: 49) == agent)
                #expect(try await store.caller(for: keys[1], now: 60) == nil)
                #expect(try await store.caller(for: keys[2], now: 0) == nil)
            }
            #expect(try mode(path) == 0o600)
            let content = try String(contentsOfFile: path, encoding: .utf8)
            for key in keys { #expect(!content.contains(key.reveal().dropFirst(4))) }
        }
    }

    @Test("additions at once are all kept")
    func concurrency() async throws {
        try await withFolder { folder in
            let path = folder + "/keys.jsonl", ada = ada
            let store = try FileAPIKeyStore(path: path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 { group.addTask { try await store.add(APIKeyRecord(hash: APIKey.generate().hash, caller: ada)) } }
                try await group.waitForAll()
            }
            #expect(try FileAPIKeyStore(path: path).count == 40)
        }
    }

    @Test("a line that cannot be read stops the start and is named")
    func malformed() async throws {
        let good = #"{"hash":"\#(APIKey.generate().hash)","subject":"a","issuer":"b","kind":"person","scope":""}"#
        let bad = [
            "", "{", #"{"hash":"x","revoked":true}"#, good.replacingOccurrences(of: "person", with: "god"),
            good.replacingOccurrences(of: #""scope":"""#, with: #""scope":"a  b""#),
            good.replacingOccurrences(of: #""subject":"a""#, with: #""subject":"""#),
            good.replacingOccurrences(of: "issuer", with: "isuer"),
            good.replacingOccurrences(of: #""scope""#, with: #""expiry":"soon","scope""#),
        ]
        try await withFolder { folder in
            let path = folder + "/keys.jsonl"
            for line in bad {
                try Data("\(good)\n\(line)\n\(good)\n".utf8).write(to: URL(fileURLWithPath: path))
                let error = #expect(throws: FileError.self) { try FileAPIKeyStore(path: path) }
                #expect(error.map { "\($0)" }?.contains("line 2:") == true, "\(line)")
            }
            try Data("\(good)\n\(good)".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: FileError.self) { try FileAPIKeyStore(path: path) }
        }
    }

    @Test("a key that could not be written is not known")
    func unwritable() async throws {
        try await withFolder { folder in
            let store = try FileAPIKeyStore(path: folder + "/no/keys.jsonl")
            let key = APIKey.generate()
            await #expect(throws: FileError.self) { try await store.add(APIKeyRecord(hash: key.hash, caller: ada)) }
            #expect(try await store.caller(for: key, now: 0) == nil)
        }
    }
}
