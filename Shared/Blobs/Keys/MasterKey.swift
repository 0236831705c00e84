internal import Crypto
internal import Glibc

/// The key that wraps the owners' keys. Whoever has it and the records has everything; it belongs in a file of its own,
/// not beside the blobs and not in the database's backup.
public struct MasterKey: Sendable, CustomStringConvertible {
    /// 16 hexadecimal digits that name it: the start of a hash of it.
    public let id: String
    private let sealer: AESGCM

    /// Takes 32 bytes.
    public init(_ bytes: [UInt8]) throws(BlobError) {
        do throws(CryptoError) { sealer = try AESGCM(key: bytes) } catch { throw .crypto(error) }
        id = String(SHA256.hash(Array("openledger/master-key/v1\n".utf8) + bytes).hex.prefix(16))
    }

    /// Reads the key file, 64 hexadecimal digits, or makes one (mode 0600) where there is none. Blocks; programs call it
    /// when they start.
    /// - Throws: ``BlobError/badSetting(name:reason:)`` when others may read the file or it holds something else.
    public static func loadOrCreate(_ path: String) throws(BlobError) -> MasterKey {
        if let found = try load(path) { return found }
        let draft = try FileCalls.writeDraft(beside: path, Array((Hex.encode(Random.bytes(32)) + "\n").utf8))
        defer { unlink(draft) }
        // Of two that start at once, one makes the key and both use it.
        guard link(draft, path) == 0 || errno == EEXIST else { throw FileCalls.failed("create", path) }
        guard let made = try load(path) else { throw FileCalls.failed("read", path) }
        return made
    }

    private static func load(_ path: String) throws(BlobError) -> MasterKey? {
        guard let bytes = try FileCalls.readSmall(path, limit: 128) else { return nil }
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileCalls.failed("read", path) }
        guard status.st_mode & 0o077 == 0 else {
            throw .badSetting(name: path, reason: "holds a master key and others may read it: chmod 600")
        }
        var text = String(decoding: bytes, as: UTF8.self)
        while text.last?.isNewline == true { text.removeLast() }
        guard let key = Hex.decode(text), key.count == 32 else {
            throw .badSetting(name: path, reason: "does not hold 64 hexadecimal digits")
        }
        return try MasterKey(key)
    }

    func wrap(_ secret: [UInt8], for context: [UInt8]) throws(BlobError) -> [UInt8] {
        do throws(CryptoError) { return try sealer.seal(secret, authenticating: context) } catch { throw .crypto(error) }
    }

    func unwrap(_ wrapped: [UInt8], for context: [UInt8]) throws(CryptoError) -> [UInt8] {
        try sealer.open(wrapped, authenticating: context)
    }

    /// Its id; never the key.
    public var description: String { "master key \(id)" }
}
