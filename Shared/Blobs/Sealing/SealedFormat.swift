internal import Crypto

/// The stored form of sealed content, read and written in chunks so that memory stays bounded and a range costs its
/// chunks only.
///
///     head   "OLBLOB1\n" ‖ chunk size (log2, 1 byte) ‖ 7 zero bytes ‖ key id (16) ‖ salt (32)
///     chunk  AES-256-GCM ciphertext ‖ tag (16); every chunk is full but the last, which may be empty
///
/// Each blob has a key of its own, HKDF(owner's data key, salt, "openledger/blob/v1"), so the counter nonces (3 zero
/// bytes ‖ chunk number (8, big-endian) ‖ 1 for the last chunk, else 0) never repeat under one key; that last byte makes
/// a cut at a chunk's end fail (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár, 2015). Head and blob
/// name are authenticated with every chunk: blobs cannot be exchanged for one another.
struct SealedFormat {
    static let headCount = 64
    static let chunkLog = 16
    static let tag = AESGCM.tagCount
    private static let magic = Array("OLBLOB1\n".utf8)

    let head: [UInt8]
    let chunk: Int
    private let cipher: AESGCM
    private let context: [UInt8]

    /// For sealing: a fresh salt.
    init(sealing name: BlobName, with key: OwnerKey) throws {
        let head = Self.magic + [UInt8(Self.chunkLog)] + [UInt8](repeating: 0, count: 7) + key.id + Random.bytes(32)
        try self.init(head: head, chunkLog: Self.chunkLog, name: name, key: key)
    }

    /// For opening: what the head says.
    init(opening head: [UInt8], of name: BlobName, with key: OwnerKey) throws {
        guard head.count == Self.headCount, head.starts(with: Self.magic), (10...24).contains(head[8]),
            head[9..<16].allSatisfy({ $0 == 0 })
        else { throw BlobError.damaged(name, reason: "it does not start as sealed content does") }
        // Another key than the owner's present one: that one was destroyed, and this content with it.
        guard Array(head[16..<32]) == key.id else { throw BlobError.erased(owner: key.owner) }
        try self.init(head: head, chunkLog: Int(head[8]), name: name, key: key)
    }

    private init(head: [UInt8], chunkLog: Int, name: BlobName, key: OwnerKey) throws {
        self.head = head
        chunk = 1 << chunkLog
        let blobKey = try HKDF.derive(key.dataKey, salt: Array(head[32...]), info: Array("openledger/blob/v1".utf8))
        cipher = try AESGCM(key: blobKey)
        context = head + Array(name.description.utf8)
    }

    func seal(_ plain: [UInt8], number: Int, isLast: Bool) throws -> ArraySlice<UInt8> {
        try cipher.seal(plain, nonce: Self.nonce(number, isLast), authenticating: context)[AESGCM.nonceCount...]
    }

    func open(_ sealed: [UInt8], number: Int, isLast: Bool, of name: BlobName) throws -> [UInt8] {
        do {
            return try cipher.open(Self.nonce(number, isLast) + sealed, authenticating: context)
        } catch CryptoError.notAuthentic {
            throw BlobError.damaged(name, reason: "chunk \(number) is not what was sealed")
        }
    }

    /// The plain size of a blob with so many stored bytes; nil when no blob has that size.
    func plainCount(stored: Int) -> Int? {
        let body = stored - Self.headCount
        guard body >= Self.tag else { return nil }
        let chunks = max(1, (body + chunk + Self.tag - 1) / (chunk + Self.tag))
        let rest = body - (chunks - 1) * (chunk + Self.tag)
        return rest >= Self.tag ? body - chunks * Self.tag : nil
    }

    private static func nonce(_ number: Int, _ isLast: Bool) -> [UInt8] {
        var nonce = [UInt8](repeating: 0, count: AESGCM.nonceCount)
        for place in 0..<8 { nonce[3 + place] = UInt8(truncatingIfNeeded: number >> (8 * (7 - place))) }
        nonce[11] = isLast ? 1 : 0
        return nonce
    }
}
