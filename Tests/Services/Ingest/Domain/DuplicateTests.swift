import Crypto
import Foundation
import IngestService
import TestSupport
import Testing

@testable import IngestDomain

@Suite struct DuplicateTests {
    private static func words(_ count: Int, _ generator: inout SeededGenerator) -> [UInt64] {
        (0..<count).map { _ in generator.next() }
    }

    @Test func resemblanceIsTheShareOfCommonRuns() {
        var generator = Seed.generator()
        let words = Self.words(104, &generator)
        #expect(Shingles(words).hashes.count == 100)
        #expect(Shingles(words).resemblance(Shingles(words)) == 1000)
        // One word changed changes the five runs that it is in.
        var changed = words
        changed[50] = 1
        #expect(Shingles(words).resemblance(Shingles(changed)) == 95 * 1000 / 105)
        #expect(Shingles(words).resemblance(Shingles(Self.words(104, &generator))) == 0)
        #expect(Shingles([]).resemblance(Shingles([])) == 0)
    }

    @Test func aSampleOfALongTextStillTellsTheResemblance() {
        var generator = Seed.generator()
        let words = Self.words(20_000, &generator)
        var changed = words
        for place in stride(from: 0, to: 20_000, by: 100) { changed[place] = generator.next() }
        let exact = 1000 * (19_996 - 1000) / (19_996 + 1000)
        #expect(abs(Shingles(words).resemblance(Shingles(changed)) - exact) < 40)
    }

    @Test func nearDuplicatesJoinTheEarliestOfTheirKind() {
        var generator = Seed.generator()
        var index = NearDuplicateIndex()
        let words = Self.words(200, &generator)
        #expect(index.add("a", Shingles(words)) == nil)
        var second = words
        second[10] = 1
        #expect(index.add("b", Shingles(second))?.head == "a")
        var third = second
        third[150] = 2
        #expect(index.add("c", Shingles(third))?.head == "a")
        #expect(index.add("d", Shingles(Self.words(200, &generator))) == nil)
        index.remove("a")
        #expect(index.match(Shingles(words))?.head == "a", "the cluster keeps its head")
        index.remove("b")
        index.remove("c")
        #expect(index.match(Shingles(words)) == nil)
    }

    /// What is erased leaves its name to its cluster, whether the index was there all the time or was filled again.
    @Test func aClusterKeepsItsNameThroughAnErasureAndAFilling() {
        var generator = Seed.generator()
        let words = Self.words(200, &generator)
        func variant(_ number: Int) -> Shingles {
            var changed = words
            changed[number] = UInt64(number)
            return Shingles(changed)
        }
        var lived = NearDuplicateIndex()
        lived.add("a", variant(1))
        lived.add("b", variant(2))
        lived.remove("a")
        var filled = NearDuplicateIndex()
        filled.add("b", variant(2), head: "a")
        #expect(lived.add("c", variant(3))?.head == "a")
        #expect(filled.add("c", variant(3))?.head == "a")
        #expect(lived.match(variant(4)) == filled.match(variant(4)))
    }

    /// Ground truth by comparing each with each; planted variants at many distances.
    @Test func almostAllPairsAboveTheThresholdAreFoundAndNoneBelow() {
        var bases: [[UInt64]] = []
        var generator = Seed.generator()
        var index = NearDuplicateIndex()
        var kept: [Shingles] = []
        var expected = 0
        var found = 0
        for number in 0..<600 {
            var words = Self.words(120, &generator)
            if number % 2 == 1, let base = bases.last {
                words = base
                for _ in 0..<Int.random(in: 0..<8, using: &generator) {
                    words[Int.random(in: 0..<120, using: &generator)] = generator.next()
                }
            }
            bases.append(words)
            let shingles = Shingles(words)
            let isNear = kept.contains { $0.resemblance(shingles) >= 800 }
            let match = index.add("\(number)", shingles)
            expected += isNear ? 1 : 0
            if match != nil {
                #expect(isNear, "seed \(generator.seed)")
                found += 1
            }
            kept.append(shingles)
        }
        #expect(expected > 100)
        #expect(found * 100 >= expected * 97, "\(found) of \(expected), seed \(generator.seed)")
    }

    /// Sketches on the disk or in memory: the same is found, and what is erased is not there to be found.
    @Test func whereSketchesAreKeptChangesNothing() throws {
        var generator = Seed.generator()
        let store = try SketchFile(folder: NSTemporaryDirectory())
        var kept = NearDuplicateIndex(store: store)
        var inMemory = NearDuplicateIndex()
        var bases: [[UInt64]] = []
        // More than the megabyte that waits in memory, so that some are read back from the file.
        for number in 0..<1_500 {
            var words = Self.words(Int.random(in: 1...600, using: &generator), &generator)
            if number % 3 == 1, let base = bases.randomElement(using: &generator) {
                words = base
                for _ in 0..<Int.random(in: 0..<8, using: &generator) {
                    words[Int.random(in: 0..<words.count, using: &generator)] = generator.next()
                }
            }
            bases.append(words)
            let sketch = Shingles(words)
            #expect(kept.add("\(number)", sketch) == inMemory.add("\(number)", sketch), "seed \(generator.seed)")
            if number % 5 == 0 {
                let gone = "\(Int.random(in: 0...number, using: &generator))"
                kept.remove(gone)
                inMemory.remove(gone)
            }
        }
        let probes = bases.indices.map { inMemory.match(Shingles(bases[$0])) }
        #expect(bases.indices.map { kept.match(Shingles(bases[$0])) } == probes && probes.count { $0 != nil } > 500)
        #expect(store.trouble == nil)
        #expect(kept.bytes * 2 < inMemory.bytes + kept.bytes, "in memory are the bands, names and places alone")
        let first = store.keep([1, 2, 3])
        store.forget(at: first, count: 3)
        #expect(store.withHashes(at: first, count: 3) { Array($0) } == [0, 0, 0])
        #expect(throws: SketchTrouble.self) { try SketchFile(folder: "/nowhere/at/all") }
    }

    @Test func aTemplateUsedAThousandTimesStaysCheap() {
        var generator = Seed.generator()
        let frame = Self.words(100, &generator)
        var index = NearDuplicateIndex()
        for number in 0..<1000 { index.add("\(number)", Shingles(frame + [UInt64(number)])) }
        #expect(index.count == 1000)
        #expect(index.match(Shingles(frame))?.head == "0")
    }

    @Test func sameTextButForCaseAndBlanksIsTheSame() {
        func print(_ text: String) -> Digest { ExactDuplicateIndex.fingerprint(Array(text.utf8)) }
        #expect(print("Hello  World\n") == print("hello world"))
        #expect(print("hello world") != print("helloworld"))
        var index = ExactDuplicateIndex()
        #expect(index.add("a", print("x")) == nil)
        #expect(index.add("b", print("X ")) == "a")
        index.remove("a")
        #expect(index.add("c", print("x")) == nil)
    }
}
