import AgentGatewayDomain
import Events
import HTTPClient
import JSON
import ServiceTestSupport
import TestSupport
import Testing

@testable import AgentGatewayService

@Suite struct StoppingTests {
    /// Streams, a whole answer, one whose caller leaves just then, and one that has not begun to be given.
    @Test func aGatewayThatStopsEndsItsAnswersAndStaysUntilTheyAreOnTheLog() async throws {
        try await withGatewayService { gateway, service in
            let token = try gateway.person()
            gateway.standIns.runner([StandIns.piece("The "), StandIns.piece("tides"), .waits])
            let streams = (0..<3).map { _ in Task { try await gateway.stream(token) } }
            let whole = Task { try await gateway.ask(token) }
            let leaving = gateway.request("POST", "/v1/chat/completions", token: token, gateway.chat([("stream", true)]))
            let left = Task {
                for try await event in ServerSentEvents(try await gateway.house.transport.send(leaving).body)
                where event.data.contains("tides") { return }
            }
            try await left.value
            try await eventually("all have begun") { gateway.standIns.asked.count == 5 && service.underWay.count >= 4 }
            gateway.standIns.runner([.waits])
            let silent = Task { try await gateway.stream(token) }
            try await eventually("the last waits") { gateway.standIns.asked.count == 6 }

            let unrecorded = await service.underWay.stop(patience: .zero, recording: .seconds(60))
            #expect(unrecorded == 0)
            // No more is waited for: whatever was heard stands there.
            let answers = try await gateway.completed()
            for stream in streams {
                let stream = try await stream.value
                let heard = stream.events.contains { $0.contains("tides") }
                #expect(stream.status == 503 || (heard && stream.events.last == "[DONE]" && stream.events.joined().contains("\"length\"")))
            }
            let text = try await whole.value
            #expect(text.status == 503 || text.text?.hasPrefix("The ") == true)
            let ended = try await streams.asyncCount { try await $0.value.status == 200 } + (text.status == 200 ? 1 : 0)
            #expect(answers.count == ended + 1 && ended > 0)
            #expect(try await silent.value.status == 503)
            #expect(try await gateway.ask(token).status == 503)
        }
    }

    /// An answer that is talked for as long as it may be, and recorded as late as may be, still finds its money.
    @Test func aHoldOutlivesTheLongestAnswer() {
        #expect(Duration.seconds(HoldDesk.time) >= InferenceBounds.answer + InferenceBounds.recording)
        #expect(ChatRoutes.deadline < Duration.seconds(HoldDesk.time))
    }

    @Test func aGatewayThatStopsLetsAnswersEndByThemselves() async throws {
        try await withGatewayService { gateway, service in
            gateway.standIns.answer(["The ", "tides."])
            let answer = try await gateway.ask(try gateway.person())
            #expect(answer.text == "The tides.")
            #expect(await service.underWay.stop(patience: .seconds(60), recording: .zero) == 0)
        }
    }
}

extension Array where Element: Sendable {
    fileprivate func asyncCount(_ isCounted: (Element) async throws -> Bool) async rethrows -> Int {
        var count = 0
        for element in self where try await isCounted(element) { count += 1 }
        return count
    }
}
