import Crypto
import EventLog
import Events
import JSON
import LedgerDomain
import Testing

@Suite struct KeyRotationTests {
    private let origin = "ledger.example/log"
    private let old: Ed25519PrivateKey
    private let previous: VerifierKey
    private let next: VerifierKey

    init() throws {
        old = try .generate()
        previous = try #require(VerifierKey(name: origin, publicKey: old.publicKey.rawBytes))
        next = try #require(VerifierKey(name: origin, publicKey: try Ed25519PrivateKey.generate().publicKey.rawBytes))
    }

    private func data() throws -> JSONValue {
        KeyRotation.data(previous: previous, next: next, signature: try old.sign(KeyRotation.statement(origin: origin, next: next)))
    }

    @Test func `the old key's word for the new one holds`() throws {
        let rotation = try #require(KeyRotation.verify(try data(), origin: origin))
        #expect(rotation.previous == previous && rotation.next == next)
    }

    @Test func `an altered word does not`() throws {
        let stranger = try Ed25519PrivateKey.generate()
        let strange = try #require(VerifierKey(name: origin, publicKey: stranger.publicKey.rawBytes))
        let elsewhere = try #require(VerifierKey(name: "other.example/log", publicKey: next.publicKey))
        let object = try #require(try data().objectValue)
        func with(_ key: String, _ value: JSONValue?) -> JSONValue {
            var altered = object
            altered[key] = value
            return .object(altered)
        }
        let altered: [JSONValue] = [
            with("next", .string(strange.description)), with("previous", .string(strange.description)),
            with("next", .string(elsewhere.description)),
            with("next", .string(previous.description)), with("signature", .string(Base64URL.encode([UInt8](repeating: 0, count: 64)))),
            with("signature", .string(Base64URL.encode(try stranger.sign(KeyRotation.statement(origin: origin, next: next))))),
            with("signature", "?"), with("signature", nil), with("next", nil), with("previous", nil), with("next", 1), [], "x",
        ]
        for value in altered { #expect(KeyRotation.verify(value, origin: origin) == nil, "\(value)") }
        #expect(KeyRotation.verify(try data(), origin: "other.example/log") == nil)
    }

    @Test func `the event is the ledger's, and the same for the same key`() throws {
        let now = Timestamp(microseconds: 1_795_000_000_000_000)
        let request = try KeyRotation.append(data: try data(), next: next, time: now)
        let append = try PreparedAppend(request, writer: .ledger, now: now)
        #expect(append.entries.map(\.stream.text) == ["log-key/log"])
        let later = Timestamp(microseconds: now.microseconds + 1_000_000)
        let again = try PreparedAppend(try KeyRotation.append(data: try data(), next: next, time: later), writer: .ledger, now: later)
        #expect(again.command == append.command && again.cause == append.cause)
        #expect(throws: LogError.self) { try PreparedAppend(request, writer: .billing, now: now) }
    }
}
