import Foundation
import Identity
import JSON
import Testing

private let folder = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_FIXTURES"]
private let arePresent = folder.map { FileManager.default.isReadableFile(atPath: $0 + "/crypto/jwt-eddsa.jsonl") } ?? false

@Suite(
    "Tokens made by another implementation",
    .enabled(if: arePresent, "OPENLEDGER_TEST_FIXTURES does not name a folder with crypto/jwt-eddsa.jsonl: its tokens not tried"))
struct TokenVectorTests {
    @Test("sound and hostile tokens get the wanted verdict, the second time too")
    func verdicts() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: try #require(folder) + "/crypto/jwt-eddsa.jsonl"))
        let lines = data.split(separator: 0x0a).map { [UInt8]($0) }
        let keys = try PublicKeySet(jwks: try #require(lines.first))
        let verifier = try TokenVerifier(issuers: ["https://id.test": keys], audience: "ledger", leeway: 30)
        #expect(lines.count > 70)
        for line in lines.dropFirst() {
            let fields = try JSON.parse(line).object()
            let token = try fields.string("token", bytes: 0...100_000), now = Int64(try fields.int("now"))
            let want = try fields.string("want"), name = try fields.string("name")
            for _ in 0..<2 {
                var verdict = "ok"
                do throws(TokenError) { _ = try verifier.verify(token, now: now) } catch { verdict = error.rawValue }
                #expect(verdict == want, "\(name)")
            }
        }
    }
}
