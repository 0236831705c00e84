internal import Crypto
internal import JSON

/// What is kept of an owner's key.
struct KeyRecord: Equatable {
    let owner: String
    let generation: Int
    let keyID: [UInt8]
    let fingerprint: Digest
    /// The wrapped 64 bytes and the master key that wrapped them; nil once destroyed.
    let wrapped: (master: String, bytes: [UInt8])?
    /// When it was destroyed, RFC 3339; nil while it lives.
    let destroyed: String?

    var receipt: ErasureReceipt? {
        destroyed.map { ErasureReceipt(owner: owner, generation: generation, keyFingerprint: fingerprint, time: $0) }
    }

    /// What the wrapping authenticates: a record moved to another owner does not open.
    var context: [UInt8] { Array("openledger/owner-key/v1\n\(owner)\n\(generation)\n".utf8) + keyID }

    var bytes: [UInt8] {
        var object: JSONObject = [
            "v": 1, "owner": .string(owner), "generation": .int(Int64(generation)), "key_id": .string(Hex.encode(keyID)),
            "fingerprint": .string(fingerprint.prefixed),
        ]
        if let wrapped {
            object["master"] = .string(wrapped.master)
            object["wrapped"] = .string(Base64URL.encode(wrapped.bytes))
        }
        if let destroyed { object["destroyed"] = .string(destroyed) }
        return JSON.write(.object(object))
    }

    static func read(_ bytes: [UInt8], owner: String) throws(BlobError) -> KeyRecord {
        do {
            let fields = try JSON.parse(bytes).object()
            guard try fields.int("v") == 1 else { throw fields.error("is of a version that is not known") }
            let named = try fields.string("owner")
            guard named == owner else { throw fields.error("is of another owner") }
            guard let keyID = Hex.decode(try fields.string("key_id")), keyID.count == 16,
                let fingerprint = Digest(prefixed: try fields.string("fingerprint"))
            else { throw fields.error("has a malformed key id or fingerprint") }
            var wrapped: (String, [UInt8])?
            if let master = try fields.optionalString("master") {
                guard let bytes = Base64URL.decode(try fields.string("wrapped")) else { throw fields.error("is not base64url") }
                wrapped = (master, bytes)
            }
            return KeyRecord(
                owner: owner, generation: try fields.int("generation", in: 1...1_000_000), keyID: keyID, fingerprint: fingerprint,
                wrapped: wrapped, destroyed: try fields.optionalString("destroyed"))
        } catch {
            throw .badKeyRecord(owner: owner, reason: "\(error)")
        }
    }

    static func == (a: KeyRecord, b: KeyRecord) -> Bool { a.bytes == b.bytes }
}
