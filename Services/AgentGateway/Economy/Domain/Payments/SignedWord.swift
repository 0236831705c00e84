public import Crypto
public import EVM
public import Events

/// What a payer signed, read and ready to be checked.
public struct SignedWord: Sendable {
    /// As it was given.
    public let word: PaymentWord
    /// Who pays.
    public let from: EVMAddress
    /// Who is paid.
    public let to: EVMAddress
    /// The token.
    public let token: EVMAddress
    /// The amount, or the most of it.
    public let value: Word
    /// What an EIP-3009 contract carries out; nil for a permit.
    public let transfer: TransferAuthorization?
    /// The signature; nil where it is kept elsewhere.
    public let signature: Secp256k1Signature?
    private let digest: [UInt8]
    private let validAfter: Word
    private let validBefore: Word

    /// Reads it.
    /// - Throws: ``PaymentError/malformed(_:)`` or ``PaymentError/signature(scheme:)`` for one that no key makes.
    public init(_ word: PaymentWord) throws(PaymentError) {
        self.word = word
        from = try Self.address("from", word.from)
        to = try Self.address("to", word.to)
        token = try Self.address("asset", word.token)
        value = try Self.number("value", word.value)
        validAfter = try Self.number("validAfter", word.validAfter)
        validBefore = try Self.number("validBefore", word.validBefore)
        signature = try word.signature.map { text throws(PaymentError) in
            guard text.hasPrefix("0x"), let bytes = Hex.decode(String(text.dropFirst(2))), let signature = Secp256k1Signature(bytes) else {
                throw .signature(scheme: word.scheme)
            }
            return signature
        }
        let chain = UInt64(word.chain)
        switch word.scheme {
        case "exact":
            guard let nonce = Word(hex: word.nonce) else { throw .malformed("nonce must be 32 bytes, 0x and 64 digits") }
            guard let name = word.name, let version = word.version else { throw .malformed("extra must have the token's name and version") }
            let transfer = TransferAuthorization(
                from: from, to: to, value: value, validAfter: validAfter, validBefore: validBefore, nonce: nonce)
            digest = transfer.digest(domain: TypedData.domain(name: name, version: version, chainID: chain, contract: token))
            self.transfer = transfer
        case "upto":
            guard let spender = EVMAddress(UptoPermit.proxy) else { throw .malformed("spender") }
            let permit = UptoPermit(
                from: from, token: token, amount: value, spender: spender, nonce: try Self.number("nonce", word.nonce),
                deadline: validBefore, to: to, facilitator: try Self.address("facilitator", word.facilitator ?? ""),
                validAfter: validAfter)
            guard let digest = permit.digest(chainID: chain) else { throw .malformed("permit") }
            self.digest = digest
            transfer = nil
        default: throw .scheme(word.scheme)
        }
    }

    private static func address(_ name: String, _ text: String) throws(PaymentError) -> EVMAddress {
        guard let address = EVMAddress(text), address.description == text else {
            throw .malformed("\(name) must be an address, 0x and 40 lower-case digits")
        }
        return address
    }

    private static func number(_ name: String, _ text: String) throws(PaymentError) -> Word {
        guard let number = Word(decimal: text) else { throw .malformed("\(name) must be a decimal number below 2^256") }
        return number
    }

    /// Whether the payer signed it.
    public var isSigned: Bool {
        guard let key = signature?.signer(of: digest) else { return false }
        return EVMAddress(key) == from
    }

    /// Throws unless it holds at a moment.
    public func check(at time: Timestamp) throws(PaymentError) {
        let now = Word(UInt128(max(0, time.microseconds / 1_000_000)))
        guard validAfter <= now else { throw .early(scheme: word.scheme) }
        guard now < validBefore else { throw .expired(scheme: word.scheme) }
    }
}
