import Testing

@testable import Kafka

@Suite struct AbsentTopicsTests {
    private let start = ContinuousClock.now

    @Test func aTopicIsAskedForWithGrowingPausesUntilItsTimeIsUp() {
        var topics = AbsentTopics(patience: .seconds(10))
        topics.add(["a"], now: start)
        var asked: [Duration] = []
        while let next = topics.nextAsk, asked.count < 9 {
            let early = topics.due(now: next - .nanoseconds(1))
            let due = topics.due(now: next)
            #expect(early.isEmpty && due == ["a"])
            asked.append(next - start)
            if topics.isOverdue("a", now: next) { break }
        }
        #expect(asked == [0.1, 0.3, 0.7, 1.5, 3.1, 5.1, 7.1, 9.1, 10].map { .milliseconds(Int($0 * 1_000)) })
    }

    @Test func whatWasOverdueGetsItsTimeAgain() {
        var topics = AbsentTopics(patience: .seconds(1))
        topics.add(["a"], now: start)
        #expect(!topics.isOverdue("a", now: start + .milliseconds(999)))
        #expect(topics.isOverdue("a", now: start + .seconds(1)))
        topics.beginAgain("a", now: start + .seconds(1))
        #expect(!topics.isOverdue("a", now: start + .milliseconds(1_999)))
        #expect(topics.isOverdue("a", now: start + .seconds(2)))
    }

    @Test func newsOfATopicThatIsWaitedForDoesNotProlongItsTime() {
        var topics = AbsentTopics(patience: .seconds(1))
        topics.add(["a"], now: start)
        topics.add(["a", "b"], now: start + .milliseconds(900))
        #expect(topics.isOverdue("a", now: start + .seconds(1)))
        #expect(!topics.isOverdue("b", now: start + .seconds(1)))
    }

    @Test func aTopicThatIsFoundIsForgotten() {
        var topics = AbsentTopics(patience: .seconds(1))
        topics.add(["a", "b"], now: start)
        topics.remove("a")
        let due = topics.due(now: start + .seconds(1))
        #expect(due == ["b"])
        #expect(!topics.isOverdue("a", now: start + .seconds(9)))
        topics.removeAll()
        #expect(topics.isEmpty && topics.nextAsk == nil)
    }

    @Test func withoutPatienceTheFirstQuestionIsTheLast() {
        var topics = AbsentTopics(patience: .zero)
        topics.add(["a"], now: start)
        let due = topics.due(now: start)
        #expect(due == ["a"])
        #expect(topics.isOverdue("a", now: start))
    }
}
