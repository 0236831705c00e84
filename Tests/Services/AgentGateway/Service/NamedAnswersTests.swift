import Crypto
import Events
import Postgres
import ServiceShell
import ServiceTestSupport
import Telemetry
import TestSupport
import Testing
import Web

@testable import AgentGatewayService

/// One attempt at a time answers a question that its caller has named, among all gateways of a house.
@Suite struct NamedAnswersTests {
    private static let question = SHA256.hash(utf8: "What moves the pool?")

    private func withTwo(_ body: @Sendable (NamedAnswers, NamedAnswers, ServiceHouse) async throws -> Void) async throws {
        try await withServiceHouse { house in
            let stores = try (0..<2).map { _ in NamedAnswerStore(pool: PostgresPool(try house.context(.agentGateway).database, size: 4)) }
            let keepers = stores.map { NamedAnswers($0, logger: .silent) }
            try await body(keepers[0], keepers[1], house)
            for store in stores { await store.pool.close() }
        }
    }

    private func code(_ work: () async throws -> Void) async throws -> String? {
        do {
            try await work()
            return nil
        } catch let problem as Problem { return problem.type.code }
    }

    @Test func ofManyAtOnceOneWins() async throws {
        try await withTwo { one, two, _ in
            let codes = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        try await code {
                            _ = try await (number % 2 == 0 ? one : two).take(
                                "in_1", attempt: "at_\(number)", digest: Self.question, cut: AnswerCut())
                        }
                    }
                }
                var codes: [String?] = []
                for try await code in group { codes.append(code) }
                return codes
            }
            #expect(codes.count { $0 == nil } == 1 && codes.count { $0 == "command-in-flight" } == 23, "\(codes)")
        }
    }

    @Test func whatCameToNothingIsTheNextOnesAndWhatWasToldIsNobodys() async throws {
        try await withTwo { one, two, _ in
            _ = try await one.take("in_1", attempt: "at_1", digest: Self.question, cut: AnswerCut())
            await one.giveUp("in_1", attempt: "at_1")
            guard case .mine = try await two.take("in_1", attempt: "at_2", digest: Self.question, cut: AnswerCut()) else {
                Issue.record("it is nobody's")
                return
            }
            // What is late of the first ends nothing of the second.
            await one.giveUp("in_1", attempt: "at_1")
            let telling = NamedAnswerStore.Telling(finish: "length", textBytes: 7)
            await one.tell("in_1", attempt: "at_1", NamedAnswerStore.Telling(finish: "stop", textBytes: 3))
            await two.tell("in_1", attempt: "at_2", telling)
            await two.giveUp("in_1", attempt: "at_2")
            guard case .told("at_2", telling) = try await one.take("in_1", attempt: "at_3", digest: Self.question, cut: AnswerCut()) else {
                Issue.record("it is not told")
                return
            }
            let other = try await code {
                _ = try await one.take("in_1", attempt: "at_4", digest: SHA256.hash(utf8: "Another"), cut: AnswerCut())
            }
            #expect(other == "idempotency-key-reused")
        }
    }

    @Test func aTurnThatNobodySaysAgainIsTakenOverAndItsAnswerEnds() async throws {
        try await withTwo { one, two, house in
            let (first, second) = (AnswerCut(), AnswerCut())
            _ = try await one.take("in_1", attempt: "at_1", digest: Self.question, cut: first)
            _ = try await one.take("in_2", attempt: "at_2", digest: Self.question, cut: second)
            let past = "update agent_gateway.named_answers set until = clock_timestamp() - interval '1 second'"
            _ = try await house.database.sql(past)
            // Said again in time, it goes on.
            await one.renew()
            let early = try await code { _ = try await two.take("in_1", attempt: "at_3", digest: Self.question, cut: AnswerCut()) }
            #expect(early == "command-in-flight")
            _ = try await house.database.sql(past + " where inference = 'in_1'")
            guard case .mine = try await two.take("in_1", attempt: "at_3", digest: Self.question, cut: AnswerCut()) else {
                Issue.record("it is not taken over")
                return
            }
            await one.renew()
            #expect(first.why?.type == .commandInFlight && second.why == nil)
        }
    }
}
