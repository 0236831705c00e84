internal import Crypto
internal import Foundation

/// The secrets that webhooks are signed by. Each follows from one master key in the service's folder, the webhook's id and how often
/// its secret was changed: so none lies in the database.
public struct WebhookSecrets: Sendable {
    private let master: [UInt8]

    /// From a master key of 32 bytes.
    public init(master: [UInt8]) { self.master = master }

    /// Reads the master key, or makes it.
    /// - Parameter folder: of the service.
    public static func open(_ folder: String) throws -> WebhookSecrets {
        let path = folder + "/webhooks.key"
        if let data = FileManager.default.contents(atPath: path) {
            guard data.count == 32 else { throw WebhookFault("\(path) must have 32 bytes, it has \(data.count)") }
            return WebhookSecrets(master: Array(data))
        }
        let key = Random.bytes(32)
        guard FileManager.default.createFile(atPath: path, contents: Data(key), attributes: [.posixPermissions: 0o600]) else {
            throw WebhookFault("\(path) cannot be written")
        }
        return WebhookSecrets(master: key)
    }

    private func key(_ webhook: String, _ generation: Int) -> [UInt8] {
        HMACSHA256.code(Array("openledger/webhook\n\(webhook)\n\(generation)".utf8), key: master).bytes
    }

    /// What its owner is shown: Standard Webhooks' `whsec_` and Base64 of 32 bytes.
    public func text(_ webhook: String, _ generation: Int) -> String { "whsec_" + Base64.encode(key(webhook, generation)) }

    /// The value of `webhook-signature` (Standard Webhooks 1.0): `v1,` and Base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`, for the
    /// present secret and, soon after it was changed, for the one before.
    public func signature(_ webhook: String, _ generations: [Int], id: String, timestamp: Int64, body: [UInt8]) -> String {
        let signed = Array("\(id).\(timestamp).".utf8) + body
        return generations.map { "v1," + Base64.encode(HMACSHA256.code(signed, key: key(webhook, $0)).bytes) }.joined(separator: " ")
    }
}

extension WebhookSecrets {
    private func box() throws(CryptoError) -> AESGCM {
        try AESGCM(key: HMACSHA256.code(Array("openledger/webhook-sealed".utf8), key: master).bytes)
    }

    /// Seals what only the sender of a webhook may read, such as a receiver's token.
    public func seal(_ text: [UInt8], of webhook: String) throws -> [UInt8] { try box().seal(text, authenticating: Array(webhook.utf8)) }

    /// Opens what was sealed for that webhook.
    public func open(_ sealed: [UInt8], of webhook: String) throws -> [UInt8] {
        try box().open(sealed, authenticating: Array(webhook.utf8))
    }
}

/// Webhooks cannot be served.
public struct WebhookFault: Error, CustomStringConvertible {
    /// The reason.
    public let description: String

    init(_ description: String) { self.description = description }
}
