internal import Blobs
internal import Crypto
internal import Events
internal import IngestDomain
internal import JSON

/// Where the content of items lies, for the lists that were asked for last: 40 bytes an item, so that to read one costs no more in a
/// contribution of a hundred thousand than in one of ten.
actor ItemPlaces {
    /// Where one item lies.
    struct Place: Sendable {
        let owner: String
        let commitment: Digest
        /// Whether what is kept is the note on a row that could not be read, and not a content.
        let isNote: Bool
    }

    private struct Row {
        let commitment: Digest
        let owner: UInt32
        let isNote: Bool
    }

    private struct Table: Sendable {
        var owners: [String] = []
        var rows: [Row] = []
        /// Their common beginning, `<contribution>.`; the n-th row is item n.
        let contribution: String
    }

    private let evidence: EvidenceStore
    /// The last used last.
    private var tables: [(list: Digest, table: Task<Table, any Error>, count: Int)] = []
    /// The most items that are remembered, unless one list alone has more.
    private static let most = 500_000

    init(_ evidence: EvidenceStore) { self.evidence = evidence }

    /// Where an item of a contribution lies; nil when it has no such item.
    func place(of item: String, in contribution: ContributionState) async throws -> Place? {
        guard let parts = ItemID.parts(item), parts.contribution == contribution.submitted.contribution else { return nil }
        switch contribution.screened?.items {
        case nil: return nil
        case .entries(let entries):
            return entries.first { $0.item == item }.map {
                Place(owner: $0.owner, commitment: $0.commitment, isNote: Self.isNote($0))
            }
        case .evidence(let list, let count):
            let table = try await table(list, count, parts.contribution)
            guard parts.number <= table.rows.count else { return nil }
            let row = table.rows[parts.number - 1]
            return Place(owner: table.owners[Int(row.owner)], commitment: row.commitment, isNote: row.isNote)
        }
    }

    /// Whether any item of a contribution is somebody's.
    func hasItem(of owner: String, in contribution: ContributionState) async throws -> Bool {
        switch contribution.screened?.items {
        case nil: false
        case .entries(let entries): entries.contains { $0.owner == owner }
        case .evidence(let list, let count):
            try await table(list, count, contribution.submitted.contribution).owners.contains(owner)
        }
    }

    /// The items of a contribution that are somebody's, in the order of the upload.
    func items(of owner: String, in contribution: ContributionState) async throws -> [String] {
        switch contribution.screened?.items {
        case nil: return []
        case .entries(let entries): return entries.filter { $0.owner == owner }.map(\.item)
        case .evidence(let list, let count):
            let id = contribution.submitted.contribution
            let table = try await table(list, count, id)
            guard let number = table.owners.firstIndex(of: owner).map({ UInt32($0) }) else { return [] }
            return table.rows.enumerated().filter { $0.element.owner == number }.map { ItemID.make(id, $0.offset + 1) }
        }
    }

    /// Many ask for the same list at once: it is read for all of them together.
    private func table(_ list: Digest, _ count: Int, _ contribution: String) async throws -> Table {
        if let index = tables.firstIndex(where: { $0.list == list }) {
            let known = tables.remove(at: index)
            tables.append(known)
            return try await known.table.value
        }
        let evidence = evidence
        let reading = Task { try await Self.read(list, contribution, evidence) }
        tables.append((list, reading, count))
        while tables.count > 1, tables.reduce(0, { $0 + $1.count }) > Self.most { tables.removeFirst() }
        do { return try await reading.value } catch {
            tables.removeAll { $0.list == list }
            throw error
        }
    }

    private static func read(_ list: Digest, _ contribution: String, _ evidence: EvidenceStore) async throws -> Table {
        var table = Table(contribution: contribution)
        var numbers: [String: UInt32] = [:]
        for (index, item) in try await ItemLists.read(list, evidence).enumerated() {
            guard item.item == ItemID.make(contribution, index + 1) else {
                throw MisplacedItem(item: item.item, contribution: contribution)
            }
            let number = numbers[item.owner] ?? UInt32(table.owners.count)
            if numbers.updateValue(number, forKey: item.owner) == nil { table.owners.append(item.owner) }
            table.rows.append(Row(commitment: item.commitment, owner: number, isNote: isNote(item)))
        }
        return table
    }

    /// Rows that could not be read, and files of another kind, are kept as a note on what was wrong with them.
    static func isNote(_ item: ScreenedItem) -> Bool {
        item.reasons.contains { ReasonCode(rawValue: $0)?.isOfUnreadRow == true }
    }
}

/// A list of items that is not in the order of the upload.
struct MisplacedItem: Error, CustomStringConvertible {
    let item: String
    let contribution: String
    var description: String { "\(item) stands in the list of \(contribution) where another item belongs" }
}
