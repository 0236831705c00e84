public import Crypto
public import Events

/// What one account is owed.
public struct Liability: Sendable, Hashable {
    /// The account.
    public let account: AccountID
    /// Minor units, above zero.
    public let units: UInt128

    /// From its parts.
    public init(account: AccountID, units: UInt128) {
        self.account = account
        self.units = units
    }
}

/// A Merkle tree whose every node commits to a hash and a sum (Maxwell's proof of liabilities): the root's sum is what all
/// accounts are owed, and each holder can check that their balance is counted in it.
///
/// A leaf is SHA-256(0x00 ‖ name's length in 2 bytes ‖ name ‖ sum in 16 bytes); an inner node SHA-256(0x01 ‖ left hash ‖ left sum ‖
/// right hash ‖ right sum), numbers big-endian, its sum that of its children. Leaves stand in the order of the accounts' names; a
/// node without a neighbour goes up as it is.
public struct LiabilityTree: Sendable {
    /// A hash and the sum beneath it.
    public struct Node: Sendable, Hashable {
        /// The hash.
        public let hash: Digest
        /// What the accounts beneath are owed.
        public let sum: UInt128

        /// From its parts.
        public init(hash: Digest, sum: UInt128) {
            self.hash = hash
            self.sum = sum
        }
    }

    /// A neighbour on the way up.
    public struct Step: Sendable, Hashable {
        /// The neighbour.
        public let node: Node
        /// Whether it stands to the left.
        public let isLeft: Bool

        /// From its parts.
        public init(node: Node, isLeft: Bool) {
            self.node = node
            self.isLeft = isLeft
        }
    }

    /// The accounts in the order of their names.
    public let liabilities: [Liability]
    private let levels: [[Node]]

    /// A tree over accounts of different names; the sum of all must fit 128 bits. Nil otherwise.
    public init?(_ liabilities: [Liability]) {
        let sorted = liabilities.sorted { $0.account < $1.account }
        var total: UInt128 = 0
        for (index, liability) in sorted.enumerated() {
            let (sum, overflow) = total.addingReportingOverflow(liability.units)
            guard !overflow, index == 0 || sorted[index - 1].account != liability.account else { return nil }
            total = sum
        }
        self.liabilities = sorted
        var levels = [sorted.map(Self.leaf)]
        while let below = levels.last, below.count > 1 {
            levels.append(
                stride(from: 0, to: below.count, by: 2).map { $0 + 1 < below.count ? Self.join(below[$0], below[$0 + 1]) : below[$0] })
        }
        self.levels = levels
    }

    /// The root; of no accounts it is the hash of nothing and zero.
    public var root: Node { levels.last?.first ?? Node(hash: SHA256.hash([]), sum: 0) }

    /// The way from an account's leaf to the root; nil when the account is not counted.
    public func proof(of account: AccountID) -> [Step]? {
        var low = 0
        var high = liabilities.count
        while low < high {
            let middle = (low + high) / 2
            if liabilities[middle].account < account { low = middle + 1 } else { high = middle }
        }
        guard low < liabilities.count, liabilities[low].account == account else { return nil }
        var index = low
        var steps: [Step] = []
        for level in levels.dropLast() {
            let neighbour = index ^ 1
            if neighbour < level.count { steps.append(Step(node: level[neighbour], isLeft: neighbour < index)) }
            index /= 2
        }
        return steps
    }

    /// Whether a proof leads from an account's balance to a root. A neighbour's sum cannot be negative, and sums that overflow
    /// are refused, so nobody's balance can be hidden beneath.
    public static func verify(_ liability: Liability, proof: [Step], root: Node) -> Bool {
        var node = leaf(liability)
        for step in proof {
            guard !node.sum.addingReportingOverflow(step.node.sum).overflow else { return false }
            node = step.isLeft ? join(step.node, node) : join(node, step.node)
        }
        return node == root
    }

    private static func leaf(_ liability: Liability) -> Node {
        let name = Array(liability.account.text.utf8)
        var bytes: [UInt8] = [0, UInt8(truncatingIfNeeded: name.count >> 8), UInt8(truncatingIfNeeded: name.count)]
        bytes += name
        append(liability.units, to: &bytes)
        return Node(hash: SHA256.hash(bytes), sum: liability.units)
    }

    private static func join(_ left: Node, _ right: Node) -> Node {
        var bytes: [UInt8] = [1]
        left.hash.append(to: &bytes)
        append(left.sum, to: &bytes)
        right.hash.append(to: &bytes)
        append(right.sum, to: &bytes)
        return Node(hash: SHA256.hash(bytes), sum: left.sum &+ right.sum)
    }

    private static func append(_ value: UInt128, to bytes: inout [UInt8]) {
        for shift in stride(from: 120, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt128(shift))) }
    }
}
