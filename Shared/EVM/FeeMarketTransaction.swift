public import Crypto

/// A transaction of type 2 (EIP-1559) that calls a contract and sends no coin.
public struct FeeMarketTransaction: Sendable, Hashable {
    /// The chain.
    public var chainID: UInt64
    /// The sender's number for it.
    public var nonce: UInt64
    /// Wei a unit of gas for whoever takes it into a block.
    public var priorityFee: UInt128
    /// The most wei a unit of gas.
    public var maximumFee: UInt128
    /// The most gas.
    public var gas: UInt64
    /// The contract.
    public var to: EVMAddress
    /// The call.
    public var data: [UInt8]

    /// From its parts.
    public init(
        chainID: UInt64, nonce: UInt64, priorityFee: UInt128, maximumFee: UInt128, gas: UInt64, to: EVMAddress, data: [UInt8]
    ) {
        self.chainID = chainID
        self.nonce = nonce
        self.priorityFee = priorityFee
        self.maximumFee = maximumFee
        self.gas = gas
        self.to = to
        self.data = data
    }

    private var fields: [RLP] {
        [
            .number(UInt128(chainID)), .number(UInt128(nonce)), .number(priorityFee), .number(maximumFee), .number(UInt128(gas)),
            .bytes(to.bytes), .number(0), .bytes(data), .list([]),
        ]
    }

    /// What is signed: Keccak-256 of the type and the fields.
    public var digest: [UInt8] { Keccak256.hash([2] + RLP.list(fields).encoded) }

    /// Signs it.
    /// - Returns: the bytes to send, and the hash that the chain knows it by.
    public func signed(by key: Secp256k1PrivateKey) throws(CryptoError) -> (raw: [UInt8], hash: Word) {
        let signature = try key.sign(digest)
        let parts = [
            RLP.number(UInt128(signature.recovery)), Self.trimmed(signature.compact[..<32]), Self.trimmed(signature.compact[32...]),
        ]
        let raw = [2] + RLP.list(fields + parts).encoded
        guard let hash = Word(Keccak256.hash(raw)) else { throw .outOfRange(what: "Keccak-256") }
        return (raw, hash)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> RLP { .bytes(Array(bytes.drop { $0 == 0 })) }
}
