internal import Crypto
internal import EVM
internal import Foundation
internal import Money
internal import Telemetry

/// Where payments may be made: on this house's own network, where the credit of its accounts moves at once, and on a chain whose token a
/// configured node carries out.
struct PaymentNetworks: Sendable {
    /// A token on a chain (EIP-3009), as the deployment names it.
    struct Token: Sendable {
        let chain: Int
        let address: EVMAddress
        let name: String
        let version: String
        /// What a unit of it is worth here.
        let asset: Asset
        /// The node.
        let url: String
    }

    /// The number of this house's own network.
    let chain: Int
    /// The assets that are taken on it.
    let assets: [Asset]
    let token: Token?
    /// Signs transactions; its address is the facilitator's, and receives what is bought here on the chain.
    let key: Secp256k1PrivateKey
    /// The facilitator's address.
    let facilitator: EVMAddress

    /// The version of every token of the house's own network.
    static let version = "1"

    /// - Parameter folder: where the key is kept, and made when it is not there.
    /// - Throws: `ConfigurationError`, or `CryptoError` for a key that is none.
    init(_ settings: Configuration, folder: String) throws {
        chain = try settings.integer("X402_CHAIN", in: 1...9_007_199_254_740_991, default: 1_330_398_532)
        assets = try settings.list("X402_ASSETS", default: ["USDC/6"]).map { try Asset($0) }
        token = try Self.token(settings)
        key = try Self.loadKey(folder + "/x402.key")
        facilitator = EVMAddress(key.publicKey)
    }

    private static func token(_ settings: Configuration) throws -> Token? {
        let url = settings.string("X402_RPC", default: "")
        guard !url.isEmpty else { return nil }
        let text = settings.string("X402_TOKEN", default: "")
        guard let address = EVMAddress(text) else {
            throw ConfigurationError(key: "OPENLEDGER_X402_TOKEN", expected: "the address of a token with EIP-3009", found: text)
        }
        return Token(
            chain: try settings.integer("X402_TOKEN_CHAIN", in: 1...9_007_199_254_740_991, default: 8_453), address: address,
            name: settings.string("X402_TOKEN_NAME", default: "USD Coin"), version: settings.string("X402_TOKEN_VERSION", default: "2"),
            asset: try Asset(settings.string("X402_TOKEN_ASSET", default: "USDC/6")), url: url)
    }

    private static func loadKey(_ path: String) throws -> Secp256k1PrivateKey {
        if let data = FileManager.default.contents(atPath: path) { return try Secp256k1PrivateKey(Array(data)) }
        let bytes = Random.bytes(32)
        let key = try Secp256k1PrivateKey(bytes)
        guard FileManager.default.createFile(atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600]) else {
            throw ConfigurationError(key: "the folder of the gateway", expected: "a place for x402.key", found: path)
        }
        return key
    }

    /// The address by which an asset is named on the house's own network.
    static func address(of asset: Asset) -> EVMAddress { EVMAddress(naming: "openledger/asset\n" + asset.text) }

    /// The asset that an address of the house's own network names.
    func asset(at address: String) -> Asset? { assets.first { Self.address(of: $0).description == address } }

    /// A network's name by CAIP-2.
    static func name(_ chain: Int) -> String { "eip155:\(chain)" }

    /// A network's name in version 1, for the chains that have one there.
    static func oldName(_ chain: Int) -> String { oldNames.first { $0.value == chain }?.key ?? name(chain) }

    /// The chain of a name of either version.
    static func chain(_ name: String) -> Int? {
        if let chain = oldNames[name] { return chain }
        guard name.hasPrefix("eip155:"), let chain = Int(name.dropFirst(7)), chain > 0, Self.name(chain) == name else { return nil }
        return chain
    }

    private static let oldNames = [
        "base": 8_453, "base-sepolia": 84_532, "ethereum": 1, "polygon": 137, "polygon-amoy": 80_002, "avalanche": 43_114,
        "avalanche-fuji": 43_113, "sei": 1_329, "sei-testnet": 1_328, "celo": 42_220,
    ]
}
