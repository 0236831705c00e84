internal import CCrypto

/// An EVP_PKEY, freed with its last reference.
// Unchecked: the key is never changed after `init`. libcrypto's operations on a finished EVP_PKEY only read it and count
// references atomically, and it guards its own cache of exported key data by a lock of the key (openssl-threads(7)).
final class KeyHandle: @unchecked Sendable {
    let raw: OpaquePointer

    init(_ raw: OpaquePointer) { self.raw = raw }

    deinit { EVP_PKEY_free(raw) }

    /// Refuses keys of other algorithms, which a PEM text may hold.
    func requireEd25519() throws(CryptoError) {
        guard EVP_PKEY_is_a(raw, "ED25519") == 1 else { throw .malformed(what: "Ed25519 key: it is of another algorithm") }
    }

    func publicBytes() throws(CryptoError) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32), count = 32
        try check(EVP_PKEY_get_raw_public_key(raw, &out, &count), "export of a public key")
        return out
    }

    func privateBytes() throws(CryptoError) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32), count = 32
        try check(EVP_PKEY_get_raw_private_key(raw, &out, &count), "export of a private key")
        return out
    }

    /// Runs a PEM writer into memory that is wiped when it is freed.
    static func pem(_ operation: String, _ write: (OpaquePointer) -> Int32) throws(CryptoError) -> String {
        guard let bio = ccrypto_bio_memory() else { throw .drain(operation) }
        defer { BIO_free(bio) }
        try check(write(bio), operation)
        var start: UnsafeMutablePointer<CChar>?
        let count = ccrypto_bio_contents(bio, &start)
        return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Reads a PEM text with one of libcrypto's readers. Encrypted keys are refused: nobody is there to type a passphrase.
    static func read(pem text: String, what: String, _ read: (OpaquePointer) -> OpaquePointer?) throws(CryptoError) -> KeyHandle {
        var text = text
        let key = text.withUTF8 { bytes -> OpaquePointer? in
            guard bytes.count < 65_536, let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            return read(bio)
        }
        // The reader leaves entries of decoders that it tried in vain, even when another succeeded.
        ERR_clear_error()
        guard let key else { throw .malformed(what: what) }
        let handle = KeyHandle(key)
        try handle.requireEd25519()
        return handle
    }
}
