public import Crypto

/// An Ed25519 private key in a file: PKCS#8 PEM, readable for its owner only. These calls block; make them at the start.
public enum KeyFile {
    private static let largest = 16_384

    /// Reads the key. Refuses a file that others may read or write.
    public static func load(_ path: String) throws(FileError) -> Ed25519PrivateKey {
        let bytes = try SmallFile.read(path, limit: largest, isPrivate: true)
        do throws(CryptoError) {
            return try Ed25519PrivateKey(pem: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw .malformed(path: path, reason: "\(error)")
        }
    }

    /// Reads the key, or makes one where there is no file. Of several processes that start at once all get the same key.
    public static func loadOrCreate(_ path: String) throws(FileError) -> Ed25519PrivateKey {
        if !SmallFile.exists(path) { _ = try SmallFile.create(path, with: newKey(for: path), mode: 0o600) }
        return try load(path)
    }

    private static func newKey(for path: String) throws(FileError) -> [UInt8] {
        do throws(CryptoError) { return Array(try Ed25519PrivateKey.generate().pem().utf8) } catch {
            throw .malformed(path: path, reason: "\(error)")
        }
    }
}
