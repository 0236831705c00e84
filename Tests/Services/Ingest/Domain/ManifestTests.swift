import Crypto
import Identity
import IngestDomain
import JSON
import TestSupport
import Testing

@Suite struct ManifestTests {
    let key: Ed25519PrivateKey
    let manifest: Manifest

    init() throws {
        key = try Ed25519PrivateKey(seed: [UInt8](repeating: 7, count: 32))
        manifest = Manifest(
            datanet: "dn_1", contributor: "alice", kind: .own, signer: DIDKey.text(for: key.publicKey), licence: "CC-BY-4.0",
            files: [.init(name: "a.jsonl", format: .jsonl, bytes: 10, hash: SHA256.hash([1]))],
            columns: ColumnMap([.prompt: "question", .completion: "answer"]))
    }

    private func read(_ document: JSONValue, _ signature: JSONValue) throws -> SignedManifest {
        try SignedManifest(JSONField(document, at: "/manifest"), signature: JSONField(signature, at: "/signature"))
    }

    @Test func whatIsSignedIsReadWhateverTheOrderOfItsMembers() throws {
        let signed = try SignedManifest(manifest, key: key)
        let members = try #require(manifest.json.objectValue).members.reversed().map { ($0.key, $0.value) }
        let received = try read(.object(JSONObject(members)), .string(Base64URL.encode(signed.signature)))
        #expect(received == signed)
        #expect(received.hash == SHA256.hash(try JSON.canonical(manifest.json)))
    }

    @Test func everyChangeBreaksTheSignature() throws {
        let signature = JSONValue.string(Base64URL.encode(try SignedManifest(manifest, key: key).signature))
        let other = try Ed25519PrivateKey(seed: [UInt8](repeating: 8, count: 32))
        var changes: [(String, JSONValue)] = [
            ("datanet", "dn_2"), ("contributor", "bob"), ("kind", "on-behalf"), ("licence", "MIT"),
            ("signer", .string(DIDKey.text(for: other.publicKey))), ("columns", ["text": "body"]), ("supersedes", "ct_0"),
        ]
        changes.append(("files", [["name": "b.jsonl", "format": "jsonl", "bytes": 10, "sha256": .string(SHA256.hash([1]).hex)]]))
        for (name, value) in changes {
            var object = try #require(manifest.json.objectValue)
            object[name] = value
            #expect(throws: JSONFieldError.self, "\(name)") { try read(.object(object), signature) }
        }
        #expect(throws: JSONFieldError.self) { try read(manifest.json, .string(Base64URL.encode([UInt8](repeating: 0, count: 64)))) }
        #expect(throws: JSONFieldError.self) { try read(manifest.json, "no base64url!") }
        #expect(throws: JSONFieldError.self) { try read(manifest.json, .string(Base64URL.encode([1, 2, 3]))) }
    }

    @Test(arguments: [
        ("name", "../etc/passwd", "/files/0/name"), ("name", "..", "/files/0/name"), ("name", "a.exe", "/files/0"),
        ("sha256", "00", "/files/0/sha256"),
    ])
    func aBadFileIsRefusedWithItsPlace(member: String, value: String, pointer: String) throws {
        var file: JSONObject = ["name": "a.jsonl", "bytes": 10, "sha256": .string(SHA256.hash([1]).hex)]
        file[member] = .string(value)
        var object = try #require(manifest.json.objectValue)
        object["files"] = [.object(file)]
        let error = #expect(throws: JSONFieldError.self) { try Manifest(JSONFields(object)) }
        #expect(error?.pointer == pointer)
    }

    @Test func aLicenceThatIsNotOnTheListIsRefused() throws {
        var object = try #require(manifest.json.objectValue)
        object["licence"] = "Free-For-All-1.0"
        let error = #expect(throws: JSONFieldError.self) { try Manifest(JSONFields(object)) }
        #expect(error?.pointer == "/licence")
        #expect(error?.reason.contains("Free-For-All-1.0") == true)
    }

    @Test func itemIDsLeadBackToTheirContribution() {
        #expect(ItemID.parts(ItemID.make("ct_ab", 17))?.contribution == "ct_ab")
        #expect(ItemID.parts("ct_ab.17")?.number == 17)
        for id in ["ct_ab", "ct_ab.", "ct_ab.0", "ct_ab.017", "ct_ab.-1", ".1", "ct_ab.x"] { #expect(ItemID.parts(id) == nil, "\(id)") }
    }
}
