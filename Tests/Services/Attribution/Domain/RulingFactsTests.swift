import Crypto
import Decisions
import EventLog
import Events
import Money
import TestSupport
import Testing

@testable import AttributionDomain

@Suite struct RulingFactsTests {
    private struct Log {
        var facts = AttributionFacts()
        private var position: UInt64 = 0

        /// When what comes next happens.
        var time: Int64 = 1

        mutating func take<Payload: EventData>(_ data: Payload, isOwn: Bool = false) throws {
            let stream = try #require(StreamName(kind: String(Payload.type.prefix { $0 != "." }), id: "t"))
            let event = Event(
                type: Payload.type, stream: stream, time: Timestamp(microseconds: time), actor: "a",
                cause: .command(id: "c\(position)", digest: .zero), ordinal: 0, correlation: AttributionHouse.trace, data: data.json)
            let fact = try Fact(LoggedEvent(position: position, version: 0, bytes: event.encoded()))
            try facts.apply(isOwn ? fact.own : fact)
            position += 1
        }

        mutating func answer(_ number: Int) throws {
            try take(
                InferenceCompleted(
                    inference: "inf_\(number)", payer: "pia", actor: "bot", model: "m", version: 1, base: "b", prompt: .zero, answer: .zero,
                    inputTokens: 1, outputTokens: 1, fee: Amount(0, Asset("USDC/6")), runner: "r", passages: .entries([])))
        }

        mutating func attribute(_ number: Int) throws {
            try take(
                AttributionComputed(
                    attribution: "at_\(number)", inference: "inf_\(number)", model: "m", version: 1, rules: "attribution/3", methods: [],
                    fallback: true, shares: .entries([]), evidence: .zero, missing: []), isOwn: true)
        }
    }

    @Test func aRulingThatNoCorrectionFollowsIsFoundOnceALaterAnswerHasItsAttribution() throws {
        var log = Log()
        try log.answer(0)
        try log.answer(1)
        // It is there before the attribution is.
        try log.take(
            RulingMade(
                ruling: "ru_1", about: "dispute", subject: "inf_1", upheld: true, penalties: [Penalty(principal: "ann", points: 100)]))
        try log.answer(2)
        #expect(log.facts.unfollowed().isEmpty)
        try log.attribute(1)
        #expect(log.facts.unfollowed().map(\.isPassedOver) == [false])
        // An answer from before the ruling says nothing of it.
        try log.attribute(0)
        #expect(log.facts.unfollowed().map(\.isPassedOver) == [false])
        // Nor do those that were on their way.
        try log.attribute(2)
        for number in 3...AttributionFacts.underWay + 2 {
            #expect(log.facts.unfollowed().map(\.isPassedOver) == [false])
            try log.answer(number)
            try log.attribute(number)
        }
        #expect(log.facts.unfollowed().map(\.isPassedOver) == [true])
        try log.take(AttributionCorrected(attribution: "at_1", ruling: "ru_1", shares: .entries([]), evidence: .zero), isOwn: true)
        #expect(log.facts.unfollowed().isEmpty)
    }

    @Test func inAQuietHouseAnAnswerFromLongAfterTheRulingTellsToo() throws {
        var log = Log()
        try log.answer(0)
        try log.attribute(0)
        try log.take(
            RulingMade(
                ruling: "ru_1", about: "dispute", subject: "inf_0", upheld: true, penalties: [Penalty(principal: "ann", points: 100)]))
        log.time += AttributionFacts.patience
        try log.answer(1)
        try log.attribute(1)
        #expect(log.facts.unfollowed().map(\.isPassedOver) == [false])
        log.time += 1
        try log.answer(2)
        #expect(log.facts.unfollowed().map(\.isPassedOver) == [false])
        try log.attribute(2)
        #expect(log.facts.unfollowed().map(\.isPassedOver) == [true])
    }
}
