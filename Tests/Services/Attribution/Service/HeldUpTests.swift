import AttributionDomain
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import JSON
import Money
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing
import Web

@testable import AttributionService

private let ann = AttributionHouse.Item(id: "a", owner: "ann", text: words(0..<60))
private let bob = AttributionHouse.Item(id: "b", owner: "bob", text: words(100..<220))

@Suite("One that fails does not hold up the rest") struct HeldUpTests {
    @Test func anAnswerThatCannotBeAttributedNowIsPassedOverAndComesLater() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            house.standIns.change {
                $0.failing = ["inf_1"]
                $0.unreadable = ["inf_2"]
            }
            for number in 1...3 { try await house.answer("inf_\(number)", words(0..<20)) }
            try await house.serving { service in
                _ = try await house.attribution(of: "inf_3")
                #expect(try await house.attribution(of: "inf_2").missing == ["content-unreadable", "no-rows"])
                #expect(try await house.events(AttributionComputed.self).map(\.inference) == ["inf_2", "inf_3"])
                let check = try #require(service.mount.checks.first { $0.name == "attribution" })
                try await eventually("it is shown") {
                    if case .degraded(let why) = await check.state() { why.contains("1 answers") } else { false }
                }
                house.standIns.change { $0.failing = [] }
                #expect(try await house.attribution(of: "inf_1").shares.byOwner == ["ann": 1_000_000_000])
                try await eventually("all is well") { await check.state() == .ready }
            }
        }
    }

    @Test func aSnapshotThatCannotBeIndexedNowHoldsUpNeitherOthersNorTheirAnswers() async throws {
        try await withAttributionHouse { house in
            let first = try await house.publish([ann])
            let second = try await house.publish([bob], datanet: "dn_2")
            house.standIns.change { $0.failingExports = ["dn_1/1"] }
            try await house.publishModel([first])
            try await house.publishModel([second], version: 2)
            try await house.answer("inf_1", words(0..<20))
            try await house.answer("inf_2", words(100..<120), version: 2)
            try await house.serving { service in
                #expect(try await house.attribution(of: "inf_2").shares.byOwner == ["bob": 1_000_000_000])
                #expect(try await house.events(IndexBuilt.self).map(\.snapshot) == [second.snapshot])
                #expect(try await house.events(AttributionComputed.self).count == 1)
                house.standIns.change { $0.failingExports = [] }
                #expect(try await house.attribution(of: "inf_1").shares.byOwner == ["ann": 1_000_000_000])
                let check = try #require(service.mount.checks.first { $0.name == "attribution" })
                try await eventually("all is well") { await check.state() == .ready }
            }
        }
    }

    @Test func imagesHaveNoTextAndTheTextsBesideThemAreIndexed() async throws {
        try await withAttributionHouse { house in
            let picture = AttributionHouse.Item(
                id: "p", owner: "pia", text: nil, media: String(repeating: "iVBORw0KGgoAAAANSUhEUg", count: 100_000))
            let small = AttributionHouse.Item(id: "s", owner: "pia", text: nil, media: "aGVsbG8=")
            let snapshot = try await house.publish([ann, picture, small, bob])
            try await house.publishModel([snapshot])
            try await house.answer("inf_1", words(100..<120))
            try await house.serving { _ in
                #expect(try await house.attribution(of: "inf_1").shares.byOwner == ["bob": 1_000_000_000])
                let built = try #require(try await house.events(IndexBuilt.self).first)
                #expect(built.items == 4 && built.bytes == (ann.text ?? "").utf8.count + (bob.text ?? "").utf8.count)
            }
        }
    }

    @Test func linesComeWholeHoweverTheyAreCutAndOfMediaOnlyTheBeginning() throws {
        var random = Seed.generator()
        let text = "{\"item\":\"a\",\"content\":\"no \\\",\\\"content\\\":{\\\"media_type\\\" here\"}"
        let media =
            "{\"item\":\"b\",\"content\":{\"media_type\":\"image/png\",\"base64\":\"" + String(repeating: "QUJD", count: 200) + "\"}}"
        let more =
            "{\"item\":\"c\",\"content\":{\"media_type\":\"x\",\"base64\":\"QUJD\",\"text\":\"" + String(repeating: "w ", count: 100)
            + "\"}}"
        func cut(_ bytes: [UInt8], longest: Int = 400, glance: Int = 80) throws -> [ContentLines.Line] {
            var lines = ContentLines(longest: longest, glance: glance)
            var found: [ContentLines.Line] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...90, using: &random))
                try lines.add(Array(piece)) { found.append($0) }
                rest = rest.dropFirst(piece.count)
            }
            #expect(lines.isEmpty == (bytes.last == 0x0A))
            return found
        }
        for _ in 0..<50 {
            let found = try cut(Array((text + "\n" + media + "\n" + text + "\n").utf8))
            #expect(
                found == [.whole(Array(text.utf8)), .media(Array("{\"item\":\"b\"}".utf8)), .whole(Array(text.utf8))], "seed \(random.seed)"
            )
        }
        // What has more than bytes is no image, and a text that long is refused.
        #expect(throws: ContentLines.TooLong.self) { try cut(Array((more + "\n").utf8)) }
        #expect(throws: ContentLines.TooLong.self) { try cut(Array(("{\"content\":\"" + String(repeating: "x", count: 500)).utf8)) }
        #expect(try cut(Array((media + "\n").utf8), longest: 4_000, glance: 4_000) == [.whole(Array(media.utf8))])
    }

    @Test func delaysGrowEachByItself() {
        let now = ContinuousClock.now
        var delays = Delays<String>(.seconds(1), upTo: .seconds(60))
        for _ in 0..<5 { delays.failed("a", "it fails", at: now) }
        delays.failed("b", "too", at: now)
        #expect(delays.waiting(at: now) == ["a", "b"] && delays.waiting(at: now + .seconds(2)) == ["a"])
        #expect(delays.waiting(at: now + .seconds(17)).isEmpty && delays.next == now + .seconds(1))
        #expect(delays.failing(5) == ["a"] && delays.example?.key == "a" && delays.keys == ["a", "b"])
        for _ in 0..<100 { delays.failed("b", "too", at: now) }
        #expect(delays.waiting(at: now + .seconds(61)).isEmpty && delays.waiting(at: now + .seconds(59)) == ["b"])
        delays.done("a")
        delays.done("b")
        #expect(delays.count == 0 && delays.next == nil)
    }

    @Test func ofAnswersFarBehindOnlyThePlaceIsKept() throws {
        var waiting = WaitingInferences(keeping: 2)
        func entry(_ number: Int) throws -> WaitingInferences.Entry {
            let completed = InferenceCompleted(
                inference: "inf_\(number)", payer: "pia", actor: "bot", model: "m", version: 1, base: "b", prompt: .zero, answer: .zero,
                inputTokens: 1, outputTokens: 1, fee: try .init(0, .init("USDC/6")), runner: "r", passages: .entries([]))
            return WaitingInferences.Entry(completed: completed, trigger: try trigger(UInt64(number)))
        }
        for number in 0..<5 { waiting.add(try entry(number)) }
        waiting.add(try entry(3))
        #expect(waiting.count == 5 && waiting.first(9).map { $0.entry != nil } == [true, true, false, false, false])
        #expect(waiting.first(2, without: [0]).map(\.position) == [1, 2] && waiting.firstPosition(without: [0, 1]) == 2)
        #expect(waiting.remove("inf_0") == ["pia", "bot"] && waiting.remove("inf_0") == [])
        waiting.add(try entry(5))
        #expect(waiting.first(9).map(\.position) == [1, 2, 3, 4, 5] && waiting.first(9).last?.entry != nil)
        #expect(waiting.contains("inf_4") && waiting.contains(position: 4) && !waiting.contains(position: 0))
    }

    private func trigger(_ position: UInt64) throws -> Trigger {
        let event = Event(
            type: "inference.completed", stream: try #require(StreamName("inference/x")), time: Timestamp(microseconds: 1), actor: "a",
            cause: .command(id: "c\(position)", digest: .zero), ordinal: 0, correlation: AttributionHouse.trace, data: .null)
        return Trigger(try Fact(.init(position: position, version: 0, bytes: event.encoded())), position: position)
    }

    @Test func whatWasKeptLongestUnusedGoesFirst() {
        var cache = SizedCache<String, Int>(limit: 10, most: 3)
        for (key, bytes) in [("a", 4), ("b", 4)] { cache.keep(bytes, for: key, bytes: bytes) }
        #expect(cache["a"] == 4)
        cache.keep(3, for: "c", bytes: 3)
        #expect(cache["b"] == nil && cache["a"] == 4 && cache["c"] == 3 && cache.bytes == 7)
        cache.keep(99, for: "d", bytes: 99)
        #expect(cache.count == 1 && cache["d"] == 99)
        cache.keep(1, for: "d", bytes: 1)
        for key in ["e", "f", "g"] { cache.keep(1, for: key, bytes: 1) }
        #expect(cache.count == 3 && cache["d"] == nil && cache.bytes == 3)
        cache.remove("e")
        #expect(cache.count == 2 && cache.bytes == 2)
    }
}
