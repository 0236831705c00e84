import AgentEconomyDomain
import Crypto
import EVM
import Events
import Foundation
import PrivatePostgres

/// What it costs to see whether a signed payment is its payer's (EIP-712 and secp256k1), beside OpenSSL's verification of ECDSA on P-256.
enum SignatureBenchmark {
    static func run(rounds: Int) async throws {
        let words = try (0..<200).map { try signed($0) }
        var costs: [Double] = []
        for _ in 0..<max(3, rounds) {
            let start = ContinuousClock.now
            for _ in 0..<20 {
                for word in words {
                    guard try SignedWord(word).isSigned else { throw BenchmarkError("a good signature was refused") }
                }
            }
            costs.append((ContinuousClock.now - start) / .seconds(1) / Double(20 * words.count))
        }
        let ours = costs.sorted()[costs.count / 2]
        let peer = try await openssl()
        row("a payment's signature, read and verified", thousands(1 / ours), micro(ours))
        row("openssl speed ecdsap256, verify alone", thousands(peer), micro(1 / peer), ratio(1 / ours / peer))
    }

    private static func signed(_ index: Int) throws -> PaymentWord {
        let key = try Secp256k1PrivateKey.generate()
        let from = EVMAddress(key.publicKey)
        let (to, token) = (EVMAddress(naming: "payee"), EVMAddress(naming: "token"))
        guard let nonce = Word(Random.bytes(32)) else { throw BenchmarkError("no nonce") }
        let transfer = TransferAuthorization(
            from: from, to: to, value: Word(UInt128(index + 1)), validAfter: Word(0), validBefore: Word(4_000_000_000), nonce: nonce)
        let digest = transfer.digest(domain: TypedData.domain(name: "USDC/6", version: "1", chainID: 1_330_398_532, contract: token))
        return PaymentWord(
            scheme: "exact", chain: 1_330_398_532, token: token.description, name: "USDC/6", version: "1", from: from.description,
            to: to.description, value: String(index + 1), validAfter: "0", validBefore: "4000000000", nonce: nonce.hex,
            signature: "0x" + Hex.encode(try key.sign(digest).bytes))
    }

    /// Verifications a second, as `openssl speed` prints them last in its table.
    private static func openssl() async throws -> Double {
        let outcome = try await Subprocess.run(["/usr/bin/openssl", "speed", "-seconds", "2", "ecdsap256"])
        guard let line = outcome.output.split(separator: "\n").last(where: { $0.contains("nistp256") }),
            let rate = line.split(separator: " ").last.flatMap({ Double($0) })
        else { throw BenchmarkError("openssl said: \(outcome.output) \(outcome.errors)") }
        return rate
    }
}
