import TestSupport
import Testing

@testable import IngestDomain

@Suite struct BandTableTests {
    /// The same as a dictionary of lists, whatever comes in whatever order.
    @Test func itHoldsWhatADictionaryOfListsHolds() {
        var generator = Seed.generator()
        var table = BandTable()
        var lists: [UInt64: [Int32]] = [:]
        // Few hashes, so that bands fill; their low bits alike, so that they stand in one another's way.
        let hashes = (0..<3_000).map { _ in generator.next() & ~0xff }
        for item in 0..<Int32(20_000) {
            let hash = hashes[Int(generator.next() % UInt64(item % 2 == 0 ? 20 : hashes.count))]
            func isOfOneKind(_ other: Int32) -> Bool { other % 100 == item % 100 }
            table.insert(item, hash, mostOfKind: 4, isOfOneKind)
            let list = lists[hash] ?? []
            if list.count < BandTable.most, list.count(where: isOfOneKind) < 4 { lists[hash] = list + [item] }
        }
        for hash in hashes {
            var found: [Int32] = []
            table.forEach(of: hash) { found.append($0) }
            #expect(found == (lists[hash] ?? []).reversed(), "seed \(generator.seed)")
        }
        var none = 0
        table.forEach(of: 1) { _ in none += 1 }
        #expect(none == 0)
    }
}
