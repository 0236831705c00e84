public import JSON

/// A principal has proven that an Ethereum address is its own: what that key signs from now on is the principal's word for a payment.
public struct WalletLinked: EventData, Hashable {
    /// `wallet.linked`.
    public static let type = "wallet.linked"

    /// The principal.
    public var principal: String
    /// The address, `0x` and 40 lower-case digits.
    public var address: String
    /// By the address's key over `openledger/link-wallet`, the principal and the address, one a line (EIP-191): `0x` and 130 digits.
    public var signature: String

    /// From its parts.
    public init(principal: String, address: String, signature: String) {
        self.principal = principal
        self.address = address
        self.signature = signature
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "address", "signature"])
        principal = try fields.id("principal")
        address = try fields.id("address")
        signature = try fields.id("signature")
    }

    /// As it is written.
    public var json: JSONValue {
        ["principal": .string(principal), "address": .string(address), "signature": .string(signature)]
    }
}

/// An address is a principal's no more.
public struct WalletUnlinked: EventData, Hashable {
    /// `wallet.unlinked`.
    public static let type = "wallet.unlinked"

    /// The principal.
    public var principal: String
    /// The address.
    public var address: String

    /// From its parts.
    public init(principal: String, address: String) {
        self.principal = principal
        self.address = address
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["principal", "address"])
        principal = try fields.id("principal")
        address = try fields.id("address")
    }

    /// As it is written.
    public var json: JSONValue { ["principal": .string(principal), "address": .string(address)] }
}
