public import Crypto

/// Why a Merkle proof does not hold.
public enum ProofError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An index or size that the tree does not have.
    case outOfRange(String)
    /// Too few or too many hashes for these sizes.
    case wrongLength(expected: Int, found: Int)
    /// The hashes do not lead to the root that was promised.
    case rootDiffers(what: String, expected: Digest, computed: Digest)

    /// What is wrong, for a person.
    public var description: String {
        switch self {
        case .outOfRange(let what): what
        case .wrongLength(let expected, let found): "the proof has \(found) hashes where \(expected) belong"
        case .rootDiffers(let what, let expected, let computed): "\(what): the proof leads to \(computed.hex), not to \(expected.hex)"
        }
    }
}

/// Shows that a leaf is in a tree (RFC 6962 §2.1.1; verified by RFC 9162 §2.1.3.2).
public struct InclusionProof: Sendable, Equatable {
    /// The leaf's index, which is the event's position.
    public let index: UInt64
    /// The size of the tree.
    public let size: UInt64
    /// Sibling hashes from the leaf to the root.
    public let hashes: [Digest]

    /// A proof from its parts.
    public init(index: UInt64, size: UInt64, hashes: [Digest]) {
        self.index = index
        self.size = size
        self.hashes = hashes
    }

    /// Shows that a leaf is in a tree whose leaves are all at hand.
    public init(of index: Int, in leaves: [Digest]) {
        var hashes: [Digest] = []
        for parts in ProofPlan.inclusion(index: UInt64(index), size: UInt64(leaves.count)) {
            guard let first = parts.first, let last = parts.last else { continue }
            let start = Int(first.index << UInt64(first.level))
            let end = Int((last.index + 1) << UInt64(last.level))
            hashes.append(Merkle.root(of: leaves[start..<end]))
        }
        self.init(index: UInt64(index), size: UInt64(leaves.count), hashes: hashes)
    }

    /// The root that a leaf and this proof lead to.
    public func root(from leaf: Digest) throws(ProofError) -> Digest {
        guard index < size else { throw .outOfRange("leaf \(index) is not in a tree of \(size)") }
        var node = index
        var last = size - 1
        var hash = leaf
        var used = 0
        let needed = Self.length(index: index, size: size)
        guard hashes.count == needed else { throw .wrongLength(expected: needed, found: hashes.count) }
        while last > 0 {
            if node & 1 == 1 {
                hash = Merkle.node(hashes[used], hash)
                used += 1
            } else if node < last {
                hash = Merkle.node(hash, hashes[used])
                used += 1
            }
            node >>= 1
            last >>= 1
        }
        return hash
    }

    /// Throws unless the leaf is in the tree with this root.
    public func verify(leaf: Digest, root: Digest) throws(ProofError) {
        let computed = try self.root(from: leaf)
        guard computed == root else { throw .rootDiffers(what: "inclusion of leaf \(index)", expected: root, computed: computed) }
    }

    /// How many hashes a proof for this leaf in a tree of this size has.
    public static func length(index: UInt64, size: UInt64) -> Int {
        guard index < size else { return 0 }
        // Levels below the point where the paths of the leaf and of the last leaf part always have a sibling; above it
        // only where the path turns left.
        let inner = 64 - (index ^ (size - 1)).leadingZeroBitCount
        let border = inner >= 64 ? 0 : (index >> UInt64(inner)).nonzeroBitCount
        return inner + border
    }
}

/// Shows that a tree is the beginning of a later one (RFC 6962 §2.1.2; verified by RFC 9162 §2.1.4.2).
public struct ConsistencyProof: Sendable, Equatable {
    /// The earlier size.
    public let oldSize: UInt64
    /// The later size.
    public let newSize: UInt64
    /// The hashes, in RFC 6962's order.
    public let hashes: [Digest]

    /// A proof from its parts.
    public init(oldSize: UInt64, newSize: UInt64, hashes: [Digest]) {
        self.oldSize = oldSize
        self.newSize = newSize
        self.hashes = hashes
    }

    /// Throws unless the tree with `oldRoot` is the beginning of the one with `newRoot`.
    public func verify(oldRoot: Digest, newRoot: Digest) throws(ProofError) {
        guard oldSize <= newSize else { throw .outOfRange("a tree of \(newSize) can't continue one of \(oldSize)") }
        if oldSize == 0 || oldSize == newSize {
            guard hashes.isEmpty else { throw .wrongLength(expected: 0, found: hashes.count) }
            if oldSize == newSize, oldRoot != newRoot {
                throw .rootDiffers(what: "two roots of one size \(oldSize)", expected: oldRoot, computed: newRoot)
            }
            if oldSize == 0, oldRoot != Merkle.emptyRoot {
                throw .rootDiffers(what: "the empty tree", expected: oldRoot, computed: Merkle.emptyRoot)
            }
            return
        }
        // A power of two is its own first hash, so the proof leaves it out.
        var path = hashes[...]
        if oldSize.nonzeroBitCount == 1 { path = [oldRoot] + path }
        guard let first = path.first else { throw .wrongLength(expected: 1, found: 0) }
        var node = oldSize - 1
        var last = newSize - 1
        while node & 1 == 1 {
            node >>= 1
            last >>= 1
        }
        var old = first
        var new = first
        for hash in path.dropFirst() {
            guard last > 0 else { throw .wrongLength(expected: hashes.count - 1, found: hashes.count) }
            if node & 1 == 1 || node == last {
                old = Merkle.node(hash, old)
                new = Merkle.node(hash, new)
                while node & 1 == 0, node > 0 {
                    node >>= 1
                    last >>= 1
                }
            } else {
                new = Merkle.node(new, hash)
            }
            node >>= 1
            last >>= 1
        }
        guard last == 0 else { throw .wrongLength(expected: hashes.count + 1, found: hashes.count) }
        guard old == oldRoot else { throw .rootDiffers(what: "the tree of \(oldSize)", expected: oldRoot, computed: old) }
        guard new == newRoot else { throw .rootDiffers(what: "the tree of \(newSize)", expected: newRoot, computed: new) }
    }
}
