public import Crypto
public import EventLog
public import Events
internal import JSON

/// The items of a snapshot in canonical order, under one root.
///
/// The order is that of the commitments' bytes, then of the item ids' UTF-8 bytes. The leaf of an item is the RFC 8785 form of
/// ``AdmittedItem``'s JSON, hashed as RFC 6962 §2.1 has it: SHA-256(0x00 ‖ those bytes). The tree is RFC 6962's. So the root
/// follows from the items alone, whoever computes it and wherever; the same bytes, joined by commas within brackets, are
/// the snapshot's list in the evidence store.
public struct SnapshotTree: Sendable {
    /// In canonical order.
    public let items: [AdmittedItem]
    /// Leaf hashes in the same order.
    private let leaves: [Digest]
    /// The root.
    public let root: Digest

    /// Over these items, in whatever order they come.
    /// - Throws: `JSONError` when an item has no canonical form, such as a count of 2^53.
    public init(_ items: [AdmittedItem]) throws {
        self.items = items.sorted(by: Self.precedes)
        leaves = try self.items.map { Merkle.leaf(try Self.leafBytes($0)) }
        root = Merkle.root(of: leaves)
    }

    /// The canonical order.
    public static func precedes(_ left: AdmittedItem, _ right: AdmittedItem) -> Bool {
        left.commitment == right.commitment
            ? left.item.utf8.lexicographicallyPrecedes(right.item.utf8) : left.commitment < right.commitment
    }

    /// What an item's leaf is the hash of.
    public static func leafBytes(_ item: AdmittedItem) throws -> [UInt8] { try JSON.canonical(item.json, allowFractions: false) }

    /// Where an item stands; nil when it is not in the snapshot.
    public func index(of item: String) -> Int? { items.firstIndex { $0.item == item } }

    /// Shows that the item at `index` is under the root.
    public func proof(at index: Int) -> InclusionProof { InclusionProof(of: index, in: leaves) }

    /// The list as it lies in the evidence store.
    public func list() throws -> [UInt8] { try EvidenceList.encode(items) }
}
