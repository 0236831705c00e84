import Crypto
import HTTP
import HTTPClient
import HTTPSignatures
import Identity
import JSON
import Synchronization
import Testing
import Webhooks

/// Keys that others publish.
@Suite struct BotDirectoryTests {
    /// A place that has a directory, and counts who asks.
    private final class Place: Transport {
        struct Answer: Sendable {
            var status = 200
            var headers: Headers
            var body: [UInt8]
        }
        let asked = Mutex<[String]>([])
        let answer: Mutex<Answer>

        init(_ answer: Answer) { self.answer = Mutex(answer) }

        func send(_ request: ClientRequest) async throws -> ClientResponse {
            asked.withLock { $0.append(request.url) }
            let answer = answer.withLock { $0 }
            return ClientResponse(status: answer.status, headers: answer.headers, body: ResponseBody(answer.body))
        }
    }

    private let key: Ed25519PrivateKey
    private var name: String { PublicKeySet.thumbprint(of: key.publicKey) }
    private let now: Int64 = 1_800_000_000

    init() throws { key = try Ed25519PrivateKey.generate() }

    private func answer(
        for agent: String = "https://bot.example", by signing: Ed25519PrivateKey? = nil, more: [(String, JSONValue)] = [],
        type: String = KeyDirectory.mediaType, control: String = "max-age=600", at time: Int64? = nil
    ) throws -> Place.Answer {
        let signer = MessageSigner(key: signing ?? key, keyID: name, agent: agent)
        let proof = try #require(try signer.signDirectory(label: "a", now: time ?? now))
        let entry: [(String, JSONValue)] = [
            ("kty", "OKP"), ("crv", "Ed25519"), ("x", .string(Base64URL.encode(key.publicKey.rawBytes))),
        ]
        return Place.Answer(
            headers: [
                "Content-Type": type, "Cache-Control": control, "Signature-Input": proof.input, "Signature": proof.signature,
            ], body: JSON.write(["keys": [["kty": "RSA"], .object(JSONObject(entry + more))]]))
    }

    private func found(_ answer: Place.Answer, at agent: String = "https://bot.example") async -> String? {
        let place = Place(answer)
        return await BotDirectories(transport: place, allowsPlain: false).key(name, of: agent, now: now)?.host
    }

    @Test func aKeyThatSignedItsDirectoryCounts() async throws {
        #expect(await found(try answer()) == "bot.example")
        #expect(await found(try answer(), at: "https://BOT.example/") == "bot.example")
        let milliseconds: [(String, JSONValue)] = [("nbf", .int((now - 10) * 1_000)), ("exp", .int((now + 900) * 1_000)), ("use", "sig")]
        #expect(await found(try answer(more: milliseconds)) == "bot.example")
    }

    @Test func whatIsNotProvenOrNotNowDoesNot() async throws {
        #expect(await found(try answer(for: "https://other.example")) == nil)
        #expect(await found(try answer(by: try Ed25519PrivateKey.generate())) == nil)
        #expect(await found(try answer(at: now - 1_000)) == nil)
        #expect(await found(try answer(at: now + 1_000)) == nil)
        #expect(await found(try answer(more: [("exp", .int(now - 100))])) == nil)
        #expect(await found(try answer(more: [("nbf", .int(now + 100))])) == nil)
        #expect(await found(try answer(more: [("use", "enc")])) == nil)
        #expect(await found(try answer(type: "text/html")) == nil)
        var bare = try answer()
        bare.headers.set("Signature-Input", "")
        #expect(await found(bare) == nil)
        var moved = try answer()
        moved.status = 302
        #expect(await found(moved) == nil)
        var large = try answer()
        large.body += [UInt8](repeating: 32, count: 64 << 10)
        #expect(await found(large) == nil)
    }

    @Test func nothingIsFetchedFromWithinTheHouse() async throws {
        let place = Place(try answer())
        let directories = BotDirectories(transport: place, allowsPlain: false)
        for agent in [
            "http://bot.example", "https://127.0.0.1", "https://localhost", "https://[::1]", "https://bot.internal",
            "https://u@bot.example",
            "https://bot.example/elsewhere", "https://bot.example/?x", "https://bot.example#x", "file:///etc/passwd", "", "bot.example",
        ] {
            #expect(await directories.key(name, of: agent, now: now) == nil, "\(agent)")
        }
        #expect(place.asked.withLock { $0 }.isEmpty)
    }

    @Test func aDirectoryIsKeptForAsLongAsItSaysWithinBounds() async throws {
        let place = Place(try answer())
        let directories = BotDirectories(transport: place, allowsPlain: false)
        func ask(_ seconds: Int64, _ id: String? = nil) async -> Bool {
            await directories.key(id ?? name, of: "https://bot.example", now: now + seconds) != nil
        }
        func count() -> Int { place.asked.withLock { $0.count } }
        let all = [await ask(0), await ask(100), await ask(599)]
        #expect(all == [true, true, true] && count() == 1)
        // A key that is not there has the directory read anew, once in a minute.
        _ = await ask(30, "none")
        #expect(count() == 1)
        place.answer.withLock { $0 = Place.Answer(status: 500, headers: [:], body: []) }
        #expect(await ask(700) == false)
        #expect(await ask(720) == false)
        #expect(count() == 2)
        let renewed = try answer(control: "no-store", at: now + 760)
        place.answer.withLock { $0 = renewed }
        #expect(await ask(765))
        #expect(await ask(800))
        #expect(count() == 3)
        _ = await ask(830)
        #expect(count() == 4)
    }

    @Test func aKeyIsKeptNoLongerThanItHolds() async throws {
        let place = Place(try answer(more: [("exp", .int(now + 100))], control: "max-age=86400"))
        let directories = BotDirectories(transport: place, allowsPlain: false)
        func ask(_ seconds: Int64) async -> Bool {
            await directories.key(name, of: "https://bot.example", now: now + seconds) != nil
        }
        // A minute more, since clocks differ.
        let held = [await ask(0), await ask(99), await ask(159)]
        #expect(held == [true, true, true] && place.asked.withLock { $0.count } == 1)
        #expect(await ask(160) == false)
        // Its place is asked once whether it has been renewed.
        let renewed = try answer(more: [("exp", .int(now + 1_000))], at: now + 230)
        place.answer.withLock { $0 = renewed }
        #expect(await ask(230))
    }

    @Test func ourOwnDirectoryIsProvenForOurAddressAlone() async throws {
        try await withEconomy(settings: ["OPENLEDGER_PUBLIC_URL": "https://gate.example"]) { economy in
            let shown = try await economy.call("GET", MessageSigner.directory, nil)
            let document = shown.json
            let time = UnixTime.now
            func proven(_ origin: String) -> Int {
                KeyDirectory.provenKeys(in: document, headers: shown.headers, origin: origin, atMost: 8, now: time).count
            }
            #expect(proven("https://gate.example") == 1 && proven("https://evil.example") == 0, "\(document)")
        }
    }
}
