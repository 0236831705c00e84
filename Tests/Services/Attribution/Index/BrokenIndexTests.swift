import AttributionDomain
import Foundation
import Testing

@testable import CorpusIndex

/// A damaged index is refused, and the damaged file named.
@Suite struct BrokenIndexTests {
    func made() throws -> (ScratchFolder, segment: String, removed: String) {
        let scratch = ScratchFolder()
        let builder = try CorpusIndexBuilder(directory: scratch.path)
        try builder.build(root: root("r"), items: [item("a", "some words of an item"), item("b", "and some more words")])
        try builder.update(root: root("s"), removing: ["b"])
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
        return (
            scratch, scratch.path + "/" + (try #require(names.first { $0.hasPrefix("segment-") })),
            scratch.path + "/" + (try #require(names.first { $0.hasPrefix("removed-") }))
        )
    }

    func change(_ path: String, _ body: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        body(&data)
        try data.write(to: URL(fileURLWithPath: path))
    }

    func refusal(_ scratch: ScratchFolder, _ verification: CorpusIndex.Verification = .hashes) -> CorpusIndexError? {
        do {
            _ = try CorpusIndex(directory: scratch.path, verification: verification)
            return nil
        } catch { return error }
    }

    @Test func oneChangedBitAnywhereIsFoundAndTheFileNamed() throws {
        let (scratch, segment, removed) = try made()
        #expect(refusal(scratch) == nil)
        for path in [segment, removed, scratch.path + "/manifest.json"] {
            let count = try Data(contentsOf: URL(fileURLWithPath: path)).count
            for offset in Swift.stride(from: 0, to: count, by: max(1, count / 37)) {
                try change(path) { $0[offset] ^= 0x10 }
                let error = try #require(refusal(scratch), "a changed bit at \(offset) of \(path) went unseen")
                #expect("\(error)".contains(path))
                try change(path) { $0[offset] ^= 0x10 }
            }
        }
        #expect(refusal(scratch) == nil)
    }

    @Test func aFileCutShortIsFoundEvenWithoutHashes() throws {
        for index in 0..<2 {
            let (scratch, segment, removed) = try made()
            let path = [segment, removed][index]
            try change(path) { $0.removeLast(5) }
            #expect("\(try #require(refusal(scratch, .headers)))".contains(path))
            try change(path) { $0.removeAll() }
            #expect(refusal(scratch) == .corrupt(path: path, reason: "it is empty"))
            try FileManager.default.removeItem(atPath: path)
            #expect("\(try #require(refusal(scratch)))".contains(path))
        }
    }

    @Test func anotherVersionIsNamedAsSuch() throws {
        let (scratch, segment, _) = try made()
        try change(segment) { $0[8] = 9 }
        #expect(refusal(scratch, .headers) == .version(path: segment, found: 9, known: 1))
        let manifest = scratch.path + "/manifest.json"
        try change(manifest) {
            $0 = Data(String(decoding: $0, as: UTF8.self).replacingOccurrences(of: "\"format\":1", with: "\"format\":2").utf8)
        }
        #expect(refusal(scratch) == .version(path: manifest, found: 2, known: 1))
    }

    @Test func whatIsNoIndexIsSaidToBeMissing() throws {
        let scratch = ScratchFolder()
        #expect(refusal(scratch) == .missing(path: scratch.path))
        try CorpusIndexBuilder(directory: scratch.path).build(root: root("r"), items: [CorpusItem]())
        #expect(refusal(scratch) == nil)
    }

    @Test func aRebuildOverADamagedIndexHeals() throws {
        let (scratch, segment, _) = try made()
        try change(segment) { $0[200] ^= 1 }
        #expect(refusal(scratch) != nil)
        try CorpusIndexBuilder(directory: scratch.path).build(root: root("r"), items: [item("a", "some words of an item")])
        #expect(refusal(scratch) == nil)
    }

    @Test func itemsThatCannotBeIndexedAreNamed() throws {
        let scratch = ScratchFolder()
        let builder = try CorpusIndexBuilder(directory: scratch.path)
        #expect(throws: CorpusIndexError.duplicateItem("a")) {
            try builder.build(root: root("r"), items: [item("a", "x"), item("a", "y")])
        }
        #expect(throws: CorpusIndexError.badItem("")) { try builder.build(root: root("r"), items: [item("", "x")]) }
        try builder.build(root: root("r"), items: [item("a", "x")])
        #expect(throws: CorpusIndexError.duplicateItem("a")) { try builder.update(root: root("s"), adding: [item("a", "x")]) }
        #expect(throws: CorpusIndexError.unknownItem("z")) { try builder.update(root: root("s"), removing: ["z"]) }
        try builder.update(root: root("s"), adding: [item("a", "now other words")], removing: ["a"])
        #expect(try CorpusIndex(directory: scratch.path).count(try WordSequence("other words")) == 1)
    }

    @Test func aPurgedItemLeavesNothingBehind() throws {
        let scratch = ScratchFolder()
        let builder = try CorpusIndexBuilder(directory: scratch.path)
        try builder.build(root: root("r"), items: [item("a", "common words"), item("secret-id", "common confidential")])
        let before = try CorpusIndex(directory: scratch.path)
        let word = try #require(try WordSequence("confidential").hashes(key: before.manifest.key).first)
        let needle = withUnsafeBytes(of: word.high.littleEndian) { Data($0) }
        func holds(_ needle: Data) throws -> Bool {
            try FileManager.default.contentsOfDirectory(atPath: scratch.path).contains {
                try Data(contentsOf: URL(fileURLWithPath: scratch.path + "/" + $0)).range(of: needle) != nil
            }
        }
        #expect(try holds(needle))
        try builder.update(root: root("s"), removing: ["secret-id"])
        #expect(try holds(needle), "until the purge the words' hashes are still in the segment")
        #expect(try builder.purge())
        #expect(try !holds(needle))
        #expect(try !holds(Data("secret-id".utf8)))
        #expect(try !builder.purge())
        #expect(before.count(try WordSequence("confidential")) == 1, "who has the old index open keeps it")
    }
}
