internal import Crypto
public import EVM

/// An address and the amount it has earned in all, as a distributor contract sees it.
public struct WalletLeaf: Sendable, Hashable {
    /// 20 bytes.
    public let address: EVMAddress
    /// Minor units earned since the first epoch.
    public let cumulative: UInt128

    /// From its parts.
    public init(address: EVMAddress, cumulative: UInt128) {
        self.address = address
        self.cumulative = cumulative
    }
}

/// OpenZeppelin's StandardMerkleTree (`standard-v1`) over (address, uint256): what an EVM distributor pays by.
///
/// A leaf is Keccak-256 of Keccak-256 of the ABI encoding of its values; an inner node is Keccak-256 of its two children, the
/// smaller first. The leaves are sorted by hash and stand at the end of an array of 2n − 1 nodes, last leaf first; the children
/// of node i are 2i + 1 and 2i + 2.
public struct StandardMerkleTree: Sendable {
    /// The values in the order given.
    public let values: [WalletLeaf]
    /// The nodes, the root first.
    public let nodes: [[UInt8]]
    /// Where each value's leaf stands among the nodes.
    public let places: [Int]

    /// A tree over at least one leaf.
    public init?(_ values: [WalletLeaf]) {
        guard !values.isEmpty else { return nil }
        self.values = values
        let hashes = values.map(Self.leafHash)
        let order = values.indices.sorted { hashes[$0].lexicographicallyPrecedes(hashes[$1]) }
        var nodes = [[UInt8]](repeating: [], count: 2 * values.count - 1)
        var places = [Int](repeating: 0, count: values.count)
        for (rank, index) in order.enumerated() {
            nodes[nodes.count - 1 - rank] = hashes[index]
            places[index] = nodes.count - 1 - rank
        }
        for parent in stride(from: values.count - 2, through: 0, by: -1) {
            nodes[parent] = Self.nodeHash(nodes[2 * parent + 1], nodes[2 * parent + 2])
        }
        self.nodes = nodes
        self.places = places
    }

    /// 32 bytes.
    public var root: [UInt8] { nodes[0] }
    /// `0x` and 64 hexadecimal digits.
    public var rootText: String { "0x" + Hex.encode(root) }

    /// The siblings from a value's leaf up.
    public func proof(of index: Int) -> [[UInt8]] {
        var place = places[index]
        var proof: [[UInt8]] = []
        while place > 0 {
            proof.append(nodes[place % 2 == 1 ? place + 1 : place - 1])
            place = (place - 1) / 2
        }
        return proof
    }

    /// Whether a proof leads from a leaf to a root: what the contract computes.
    public static func verify(_ leaf: WalletLeaf, proof: [[UInt8]], root: [UInt8]) -> Bool {
        proof.reduce(leafHash(leaf)) { nodeHash($0, $1) } == root
    }

    static func leafHash(_ leaf: WalletLeaf) -> [UInt8] {
        var encoded = [UInt8](repeating: 0, count: 64)
        encoded.replaceSubrange(12..<32, with: leaf.address.bytes)
        for byte in 0..<16 { encoded[63 - byte] = UInt8(truncatingIfNeeded: leaf.cumulative >> UInt128(8 * byte)) }
        return Keccak256.hash(Keccak256.hash(encoded))
    }

    static func nodeHash(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] {
        Keccak256.hash(a.lexicographicallyPrecedes(b) ? a + b : b + a)
    }
}
