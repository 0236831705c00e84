import Crypto
import Foundation
import Identity
import JSON
import Testing

func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A folder that is gone when the test ends.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = NSTemporaryDirectory() + "/identity-\(Hex.encode(Random.bytes(8)))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

func mode(_ path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
}

/// Signs whatever it is told to, as a forger or a sloppy issuer would.
struct Forge {
    let key: Ed25519PrivateKey
    static let now: Int64 = 1_900_000_000

    init() throws { key = try Ed25519PrivateKey.generate() }

    var id: String { PublicKeySet.thumbprint(of: key.publicKey) }

    func verifier(issuer: String = "https://id.test", audience: String = "ledger", remembered: Int = 4096) throws -> TokenVerifier {
        let set = try PublicKeySet([PublicKeySet.Entry(key: key.publicKey)])
        return try TokenVerifier(issuers: [issuer: set], audience: audience, remembered: remembered)
    }

    func token(header: String? = nil, claims: String) throws -> String {
        let header = header ?? #"{"alg":"EdDSA","kid":"\#(id)"}"#
        let signed = Base64URL.encode(ascii(header)) + "." + Base64URL.encode(ascii(claims))
        return signed + "." + Base64URL.encode(try key.sign(ascii(signed)))
    }

    /// The claims of a good token, some of them replaced (or, with nil, left out).
    func claims(_ changes: [String: JSONValue?] = [:]) -> String {
        var claims: JSONObject = ["iss": "https://id.test", "aud": "ledger", "sub": "ada", "exp": .int(Self.now + 60)]
        for (name, value) in changes { claims[name] = value }
        return String(decoding: JSON.write(.object(claims)), as: UTF8.self)
    }
}
