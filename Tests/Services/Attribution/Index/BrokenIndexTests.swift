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

    @Test func noByteOfADamagedSegmentGetsANewHash() throws {
        let scratch = ScratchFolder()
        let (old, new) = (scratch.path + "-old", scratch.path + "-new")
        defer { for path in [old, new] { try? FileManager.default.removeItem(atPath: path) } }
        let texts = ["a": "some words of an item that is long enough", "b": "and some more words of another item", "c": "a third one"]
        func build(_ directory: String, _ groups: [[String]], earlier: String? = nil) throws {
            try CorpusIndexBuilder(directory: directory).build(
                root: root("r"), origin: root("o"), groups: groups, earlier: earlier
            ) { texts[$0].map { Array($0.utf8) } }
        }
        try build(old, [["a", "b"]])
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: old).first { $0.hasPrefix("segment-") })
        let count = try Data(contentsOf: URL(fileURLWithPath: old + "/" + name)).count
        for offset in stride(from: 0, to: count, by: max(1, count / 23)) {
            try change(old + "/" + name) { $0[offset] ^= 0x10 }
            // Taken over as a file, and word by word.
            for groups in [[["a", "b"], ["c"]], [["a", "b", "c"]]] {
                #expect(throws: CorpusIndexError.self, "byte \(offset)") { try build(new, groups, earlier: old) }
            }
            let builder = try CorpusIndexBuilder(directory: old)
            #expect(throws: CorpusIndexError.self) { try builder.merge() }
            #expect(throws: CorpusIndexError.self) { try builder.purge() }
            try change(old + "/" + name) { $0[offset] ^= 0x10 }
        }
        try build(new, [["a", "b"], ["c"]], earlier: old)
        #expect(try CorpusIndex(directory: new).count(try WordSequence("words of")) == 2)
    }

    @Test func filesThatNoIndexHasAreRemoved() throws {
        let scratch = ScratchFolder()
        let (kept, begun) = (scratch.path + "/kept", scratch.path + "/begun")
        _ = try CorpusIndexBuilder(directory: scratch.path)
        try CorpusIndexBuilder(directory: kept).build(root: root("r"), items: [item("a", "some words")])
        _ = try CorpusIndexBuilder(directory: begun)
        let orphans = [kept + "/segment-0123", kept + "/removed.new", kept + "/manifest.json.new", begun + "/segment-4567"]
        func put() throws { for path in orphans { try Data([1]).write(to: URL(fileURLWithPath: path)) } }
        try put()
        #expect(CorpusIndexBuilder.tidy(folders: scratch.path) == 4 && CorpusIndexBuilder.tidy(folders: scratch.path) == 0)
        #expect(try CorpusIndex(directory: kept).count(try WordSequence("some words")) == 1)
        // A new index in their place leaves none either.
        try put()
        try CorpusIndexBuilder(directory: kept).build(root: root("s"), items: [item("b", "other words")])
        #expect(try FileManager.default.contentsOfDirectory(atPath: kept).count == 2)
    }

    @Test func anIndexWithoutSomeItemsAnswersAsIfTheyHadNeverBeenThere() throws {
        let scratch = ScratchFolder()
        let builder = try CorpusIndexBuilder(directory: scratch.path)
        try builder.build(root: root("r"), items: [item("a", "some words here"), item("b", "some words there"), item("c", "none")])
        try builder.update(root: root("s"), removing: ["c"])
        let all = try CorpusIndex(directory: scratch.path)
        let some = all.without(["b", "nobody"])
        let text = try WordSequence("some words")
        #expect(some.count(text) == 1 && all.count(text) == 2 && some.items().map(\.id) == ["a"])
        #expect(all.without(["a", "b"]).maximalSpans(of: text, minimumTokens: 1, occurrenceLimit: 10).isEmpty)
    }
}
