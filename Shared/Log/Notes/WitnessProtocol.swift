public import Crypto

/// The body of `POST <prefix>/add-checkpoint` (C2SP tlog-witness): the size the witness knows, the proof from there, the
/// new checkpoint.
public struct AddCheckpointRequest: Sendable, Equatable {
    /// The size the sender believes the witness to know.
    public let oldSize: UInt64
    /// From there to the new checkpoint; at most 63 hashes.
    public let proof: [Digest]
    /// The checkpoint's note.
    public let checkpoint: String

    /// A request from its parts.
    public init(oldSize: UInt64, proof: [Digest], checkpoint: String) {
        self.oldSize = oldSize
        self.proof = proof
        self.checkpoint = checkpoint
    }

    /// Reads a body.
    public init(parsing body: String) throws(NoteError) {
        func fault(_ reason: String) -> NoteError { .malformed(what: "add-checkpoint request", reason: reason) }
        guard body.utf8.count <= SignedNote.maximumBytes else { throw fault("above \(SignedNote.maximumBytes) bytes") }
        guard let gap = body.range(ofFirst: "\n\n") else { throw fault("has no empty line before the checkpoint") }
        let lines = body[..<gap.lowerBound].split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, first.hasPrefix("old "), let size = UInt64(first.dropFirst(4)), String(size) == first.dropFirst(4)
        else { throw fault("does not begin with old <size>") }
        guard lines.count <= 64 else { throw fault("has more than 63 hashes") }
        var hashes: [Digest] = []
        for line in lines.dropFirst() {
            guard let bytes = Base64.decode(String(line)), let digest = Digest(bytes) else {
                throw fault("a hash is not base64 of 32 bytes")
            }
            hashes.append(digest)
        }
        self.init(oldSize: size, proof: hashes, checkpoint: String(body[gap.upperBound...]))
    }

    /// The body's text.
    public var encoded: String {
        (["old \(oldSize)"] + proof.map { Base64.encode($0.bytes) }).joined(separator: "\n") + "\n\n" + checkpoint
    }
}

/// What a witness remembers of a log, and what it answers (C2SP tlog-witness). Pure: the caller stores the state.
public struct WitnessState: Sendable, Equatable {
    /// The last checkpoint that was cosigned; size 0 before the first.
    public private(set) var size: UInt64 = 0
    /// Its root.
    public private(set) var root: Digest = Merkle.emptyRoot

    /// Knows nothing yet.
    public init() {}

    /// Knows a checkpoint.
    public init(size: UInt64, root: Digest) {
        self.size = size
        self.root = root
    }

    /// Why a witness does not cosign, with the HTTP status the protocol gives it.
    public enum Refusal: Error, Sendable, Equatable {
        /// 404: not a log this witness watches.
        case unknownOrigin
        /// 403: the log's signature is missing or wrong.
        case badSignature
        /// 400: old is above the checkpoint's size, or the body is no request.
        case malformed(String)
        /// 409, with the size the witness knows.
        case stale(size: UInt64)
        /// 422: the proof does not hold.
        case badProof(String)
    }

    /// Takes a request; the state afterwards is what must be stored before the cosignature is given away.
    public mutating func accept(_ request: AddCheckpointRequest, log keys: [VerifierKey]) throws(Refusal) -> SignedCheckpoint {
        let signed: SignedCheckpoint
        do { signed = try SignedCheckpoint(unverified: request.checkpoint) } catch { throw .malformed("\(error)") }
        guard keys.contains(where: { $0.name == signed.checkpoint.origin }) else { throw .unknownOrigin }
        guard (try? SignedCheckpoint(parsing: request.checkpoint, keys: keys)) != nil else { throw .badSignature }
        guard request.oldSize <= signed.checkpoint.size else { throw .malformed("old \(request.oldSize) is above the checkpoint's size") }
        guard request.oldSize == size else { throw .stale(size: size) }
        let proof = ConsistencyProof(oldSize: size, newSize: signed.checkpoint.size, hashes: request.proof)
        do { try proof.verify(oldRoot: root, newRoot: signed.checkpoint.root) } catch { throw .badProof("\(error)") }
        size = signed.checkpoint.size
        root = signed.checkpoint.root
        return signed
    }
}
