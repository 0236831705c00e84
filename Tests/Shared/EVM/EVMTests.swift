import Crypto
import EVM
import Testing

/// What eth-account 0.14 makes with the key of 32 bytes 0x01: addresses, signatures and transactions must be the same to the last bit.
@Suite struct EVMTests {
    private let key: Secp256k1PrivateKey
    private let me: EVMAddress

    init() throws {
        key = try Secp256k1PrivateKey([UInt8](repeating: 1, count: 32))
        me = EVMAddress(key.publicKey)
    }

    private static let token = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"

    private func address(_ digit: String) throws -> EVMAddress { try #require(EVMAddress("0x" + String(repeating: digit, count: 40))) }

    private var transfer: TransferAuthorization {
        get throws {
            TransferAuthorization(
                from: me, to: try address("2"), value: Word(10_000), validAfter: Word(0), validBefore: Word(1_893_456_000),
                nonce: try #require(Word([UInt8](repeating: 7, count: 32))))
        }
    }

    @Test func aKeyHasItsAddress() {
        #expect(me.checksummed == "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1")
        #expect(!"\(key)".contains("0101010101"))
    }

    @Test func aPersonalMessageIsSignedAsWalletsDo() throws {
        let signature = try key.sign(PersonalMessage.digest("hello"))
        #expect(
            Hex.encode(signature.bytes)
                == "f186a035b50de31ac4d913b550ae6fe2fe9e7225c635f108c71e9135de228a2a567dd55d0a4d2115d30c9226903b0feef967ae4d2daf2c07c7fb70676600c15d1b"
        )
        #expect(try #require(signature.signer(of: PersonalMessage.digest("hello"))) == key.publicKey)
        #expect(signature.signer(of: PersonalMessage.digest("hallo")).map { EVMAddress($0) } != me)
        #expect(key.publicKey.isValid(signature, of: PersonalMessage.digest("hello")))
        #expect(!key.publicKey.isValid(signature, of: PersonalMessage.digest("hallo")))
    }

    @Test func aTransferIsSignedAsItsTokenWantsIt() throws {
        let token = try #require(EVMAddress(Self.token))
        let digest = try transfer.digest(domain: TypedData.domain(name: "USDC", version: "2", chainID: 84_532, contract: token))
        #expect(Hex.encode(digest) == "c66149da33ac4adb527f653414cc9d8d10ab1f948645114ff44b8f5122ff2de5")
        #expect(
            Hex.encode(try key.sign(digest).bytes)
                == "039b19e46a4e83224ca0d9860b875cc31fec70deed009a2b5d90b9f2da6f482c3c1597c070d86af60f383901a588f2d2f280ccca26c70efc35186a7b05a51ef51b"
        )
        for (name, chain) in [("USDT", UInt64(84_532)), ("USDC", 1)] {
            #expect(try transfer.digest(domain: TypedData.domain(name: name, version: "2", chainID: chain, contract: token)) != digest)
        }
    }

    @Test func aPermitIsSignedAsPermit2WantsIt() throws {
        let permit = UptoPermit(
            from: me, token: try #require(EVMAddress(Self.token)), amount: Word(10_000),
            spender: try #require(EVMAddress(UptoPermit.proxy)),
            nonce: try #require(Word(decimal: "57896044618658097711785492504343953926634992332820282019728792003956564832313")),
            deadline: Word(1_893_456_000), to: try address("2"), facilitator: try address("3"), validAfter: Word(0))
        let digest = try #require(permit.digest(chainID: 84_532))
        #expect(Hex.encode(digest) == "7a94e7d81caf778acc787e261623338bd3930c2bc07a25f3238bb7efbf460d6f")
        #expect(Hex.encode(try key.sign(digest).bytes).hasPrefix("c6c4093b1f44a0eb4fcea2faee2d33d1022140209f5809e868c67a6ad5cb81f6"))
    }

    @Test func aTransactionHasTheBytesThatOthersMake() throws {
        var transaction = FeeMarketTransaction(
            chainID: 84_532, nonce: 300, priorityFee: 1_000_000_000, maximumFee: 3_000_000_000, gas: 120_000,
            to: try #require(EVMAddress(Self.token)), data: (0..<80).map { UInt8($0 % 2) })
        let long = try transaction.signed(by: key)
        #expect(long.hash.hex == "0xcdb5bffc9ce3614f80e05d53128855fb42d0b5cc52ad1acde2688b2973247643")
        #expect(
            Hex.encode(long.raw).hasPrefix(
                "02f8c183014a3482012c843b9aca0084b2d05e008301d4c094036cbd53842c5426634e7929541ec2318f3dcf7e80b850"))
        transaction.nonce = 0
        transaction.data = []
        let short = try transaction.signed(by: key)
        #expect(short.hash.hex == "0xcfda5ae851ef01c08ff03b425d0a00aaab6f0a6d8ec342ee9595a808253dcbb3")
        #expect(
            Hex.encode(short.raw)
                == "02f86e83014a3480843b9aca0084b2d05e008301d4c094036cbd53842c5426634e7929541ec2318f3dcf7e8080c080a08bf1a5ac81a0965a2cce85e95046d58d501604d4efdc379303a938d9e52c0bfca020557d67fd2fc7e87a5464a870381bb67cfd9b06039065c14c816c0ebf50ba17"
        )
    }

    @Test func RLPFollowsItsRules() {
        let text = { (text: String) in RLP.bytes(Array(text.utf8)) }
        #expect(Hex.encode(text("dog").encoded) == "83646f67")
        #expect(Hex.encode(RLP.list([text("cat"), text("dog")]).encoded) == "c88363617483646f67")
        #expect(Hex.encode(RLP.list([]).encoded) == "c0")
        #expect(Hex.encode(RLP.number(0).encoded) == "80")
        #expect(Hex.encode(RLP.number(15).encoded) == "0f")
        #expect(Hex.encode(RLP.number(1_024).encoded) == "820400")
        #expect(RLP.bytes([UInt8](repeating: 9, count: 56)).encoded.prefix(2) == [0xb8, 56])
        #expect(RLP.bytes([UInt8](repeating: 9, count: 300)).encoded.prefix(3) == [0xb9, 1, 44])
    }

    @Test func aNumberIsReadExactlyOrNotAtAll() throws {
        let most = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        #expect(try #require(Word(decimal: most)).bytes == [UInt8](repeating: 0xff, count: 32))
        #expect(Word(decimal: "115792089237316195423570985008687907853269984665640564039457584007913129639936") == nil)
        for wrong in ["", "01", "-1", "+1", "1 ", "0x1", "1e3", "٣"] { #expect(Word(decimal: wrong) == nil, "\(wrong)") }
        #expect(Word(decimal: "0")?.number == 0)
        #expect(Word(decimal: "340282366920938463463374607431768211455")?.number == .max)
        #expect(Word(decimal: "340282366920938463463374607431768211456")?.number == nil)
        #expect(Word(9) < Word(10))
    }
}
