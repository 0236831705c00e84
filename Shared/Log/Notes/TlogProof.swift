public import Crypto

/// A file that proves one entry without any server (C2SP tlog-proof, version 1; extension `.tlog-proof`).
///
/// Ours carries the event's bytes as the extra data, so that the file is all a verifier needs besides the log's key.
public struct TlogProof: Sendable, Equatable {
    /// The format's first line.
    public static let header = "c2sp.org/tlog-proof@v1"
    /// The largest event in base64, 63 hashes and a checkpoint with many cosignatures fit.
    public static let maximumBytes = 512 << 10

    /// Any bytes; here those of the event.
    public let extra: [UInt8]?
    /// The entry's index, which is the event's position.
    public let index: UInt64
    /// From the leaf to the root.
    public let hashes: [Digest]
    /// The checkpoint's note as it was served.
    public let checkpoint: String

    /// A file from its parts.
    public init(extra: [UInt8]?, index: UInt64, hashes: [Digest], checkpoint: String) {
        self.extra = extra
        self.index = index
        self.hashes = hashes
        self.checkpoint = checkpoint
    }

    /// Reads a file.
    public init(parsing text: String) throws(NoteError) {
        func fault(_ reason: String) -> NoteError { .malformed(what: "proof file", reason: reason) }
        guard text.utf8.count <= Self.maximumBytes else { throw fault("above \(Self.maximumBytes) bytes") }
        guard let gap = text.range(ofFirst: "\n\n") else { throw fault("has no empty line before the checkpoint") }
        var lines = text[..<gap.lowerBound].split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popFirst() == Self.header[...] else { throw fault("does not begin with \(Self.header)") }
        var extra: [UInt8]?
        if let line = lines.first, line.hasPrefix("extra ") {
            guard let bytes = Base64.decode(String(line.dropFirst(6))) else { throw fault("its extra data is not base64") }
            extra = bytes
            lines.removeFirst()
        }
        guard let line = lines.popFirst(), line.hasPrefix("index "), let index = UInt64(line.dropFirst(6)),
            String(index) == line.dropFirst(6)
        else { throw fault("has no index line") }
        guard lines.count <= 63 else { throw fault("has more than 63 hashes") }
        var hashes: [Digest] = []
        for line in lines {
            guard let bytes = Base64.decode(String(line)), let digest = Digest(bytes) else {
                throw fault("a hash is not base64 of 32 bytes")
            }
            hashes.append(digest)
        }
        self.init(extra: extra, index: index, hashes: hashes, checkpoint: String(text[gap.upperBound...]))
    }

    /// The file's text.
    public var encoded: String {
        var lines = [Self.header]
        if let extra { lines.append("extra " + Base64.encode(extra)) }
        lines.append("index \(index)")
        lines += hashes.map { Base64.encode($0.bytes) }
        return lines.joined(separator: "\n") + "\n\n" + checkpoint
    }

    /// Verifies everything the file says, with no server, database or network: the checkpoint's signature by one of the
    /// keys, and the entry's way to its root.
    /// - Parameter entry: the event's bytes; those in the file when nil.
    /// - Returns: the checkpoint that now vouches for the entry.
    public func verify(entry: [UInt8]? = nil, keys: [VerifierKey]) throws -> SignedCheckpoint {
        let signed = try SignedCheckpoint(parsing: checkpoint, keys: keys)
        _ = try check(entry: entry, under: signed)
        return signed
    }

    /// Verifies the entry's way to the root of a checkpoint that the caller has verified: the one in this file.
    /// - Returns: the entry's bytes.
    public func check(entry: [UInt8]? = nil, under signed: SignedCheckpoint) throws -> [UInt8] {
        guard let entry = entry ?? extra else {
            throw NoteError.malformed(what: "proof file", reason: "carries no event; give the event's bytes beside it")
        }
        let proof = InclusionProof(index: index, size: signed.checkpoint.size, hashes: hashes)
        try proof.verify(leaf: Merkle.leaf(entry), root: signed.checkpoint.root)
        return entry
    }
}

extension String {
    /// Where a text first stands in this one.
    func range(ofFirst needle: String) -> Range<String.Index>? {
        let bytes = Array(utf8)
        let wanted = Array(needle.utf8)
        guard bytes.count >= wanted.count else { return nil }
        for start in 0...(bytes.count - wanted.count) where bytes[start..<start + wanted.count].elementsEqual(wanted) {
            let lower = utf8.index(startIndex, offsetBy: start)
            return lower..<utf8.index(lower, offsetBy: wanted.count)
        }
        return nil
    }
}
