import Events
import HTTP
import HTTPClient
import JSON
import ServiceTestSupport
import TestSupport
import Testing

@testable import AgentGatewayService

/// A request that its caller has named is answered and paid once, however often it is made.
@Suite struct RepeatedRequestTests {
    private static func send(_ gateway: GatewayHouse, _ key: String, _ json: JSONValue) async throws -> GatewayHouse.Answer {
        var request = gateway.request("POST", "/v1/chat/completions", token: try gateway.person(), json)
        request.headers.set("Idempotency-Key", key)
        let response = try await gateway.house.transport.send(request)
        guard json["stream"] == true, response.status == 200 else {
            return GatewayHouse.Answer(status: response.status, json: try JSON.parse(try await response.body.collect(upTo: 1 << 20)))
        }
        var events: [String] = []
        for try await event in ServerSentEvents(response.body) { events.append(event.data) }
        return GatewayHouse.Answer(status: 200, json: .null, events: events)
    }

    @Test func aRepeatIsToldTheSameAndPaysNothing() async throws {
        try await withGateway { gateway in
            gateway.standIns.answer(["The ", "tides."], finish: "length")
            let question = gateway.chat()
            let first = try await Self.send(gateway, "one", question)
            let again = try await Self.send(gateway, "one", question)
            #expect(first.status == 200 && again.status == 200)
            for member in ["id", "choices", "usage", "model"] { #expect(first.json[member] == again.json[member], "\(member)") }
            #expect(first.json["openledger"]?["position"] == again.json["openledger"]?["position"])
            #expect(again.json["openledger"]?["repeated"] == true && first.json["openledger"]?["repeated"] == nil)
            // The same as a stream is another request; a stream is repeated as a whole.
            #expect(try await Self.send(gateway, "one", gateway.chat([("stream", true)])).code == "idempotency_key_reused")
            let stream = try await Self.send(gateway, "two", gateway.chat([("stream", true)]))
            let same = try await Self.send(gateway, "two", gateway.chat([("stream", true)]))
            #expect(stream.events.last == "[DONE]" && same.events.last == "[DONE]" && same.events.joined().contains("The tides."))
            let other = try await Self.send(gateway, "one", gateway.chat([("temperature", 0)]))
            #expect(other.status == 422 && other.code == "idempotency_key_reused", "\(other.json)")
            // Other names are other requests, and so are another's.
            #expect(try await Self.send(gateway, "three", question).json["id"] != first.json["id"])
            #expect(try await Self.send(gateway, "no\"key", question).status == 400)
            #expect(gateway.standIns.asked.count == 3 && gateway.standIns.holds.count == 3)
            let count = try await gateway.completed().count
            #expect(count == 3)
        }
    }

    @Test func whatIsBeingAnsweredIsNotAskedTwice() async throws {
        try await withGateway { gateway in
            gateway.standIns.runner([StandIns.piece("The "), .waits])
            let stream = gateway.chat([("stream", true)])
            let asking = Task { try await Self.send(gateway, "one", stream) }
            try await eventually("the model is asked") { gateway.standIns.asked.count == 1 }
            let second = try await Self.send(gateway, "one", stream)
            #expect(second.status == 409 && second.code == "command_in_flight")
            asking.cancel()
            _ = await asking.result
            // Whoever left is told what there was.
            try await eventually("what was heard is there") { try await Self.send(gateway, "one", stream).status == 200 }
            let count = try await gateway.completed().count
            #expect(count == 1 && gateway.standIns.asked.count == 1)
        }
    }

    @Test func anAnswerThatNeverBeganIsAskedAnew() async throws {
        try await withGateway { gateway in
            gateway.standIns.runner([.breaksOff])
            #expect(try await Self.send(gateway, "one", gateway.chat()).status == 502)
            gateway.standIns.answer(["Yes"])
            let answer = try await Self.send(gateway, "one", gateway.chat())
            #expect(answer.status == 200 && answer.text == "Yes")
        }
    }
}
