import Events
import HTTP
import HTTPClient
import JSON
import ServiceTestSupport
import Synchronization
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

    /// Whoever has named a whole answer and lost the connection finds all of it, and has paid for all of it, once.
    @Test func aNamedAnswerIsGivenToItsEndThoughItsCallerHasLeft() async throws {
        try await withGateway { gateway in
            let goesOn = Mutex(false)
            gateway.standIns.answer(["The ", "tides."])
            let steps = gateway.standIns.change { $0.steps }
            gateway.standIns.runner([steps[0], .waitsUntil { goesOn.withLock { $0 } }] + steps.dropFirst())
            let question = gateway.chat()
            let asking = Task { try await Self.send(gateway, "one", question) }
            try await eventually("the model is asked") { gateway.standIns.asked.count == 1 }
            asking.cancel()
            _ = await asking.result
            #expect(try await Self.send(gateway, "one", question).code == "command_in_flight")
            goesOn.withLock { $0 = true }
            try await eventually("it is there") { try await Self.send(gateway, "one", question).status == 200 }
            let again = try await Self.send(gateway, "one", question)
            #expect(again.text == "The tides." && again.json["openledger"]?["cut"] == nil)
            let answers = try await gateway.completed()
            #expect(answers.count == 1 && answers.first?.outputTokens == 2 && answers.first?.cut == nil)
            #expect(gateway.standIns.asked.count == 1 && gateway.standIns.abandoned == 0 && gateway.standIns.released.isEmpty)
        }
    }

    /// Another gateway, which has seen nothing of it, lets nobody answer a second time, and tells how it was answered.
    @Test func anotherGatewayAnswersNothingTwiceAndTellsTheSame() async throws {
        try await withGateway { gateway in
            let goesOn = Mutex(false)
            gateway.standIns.answer(["The ", "tides."], finish: "length")
            let steps = gateway.standIns.change { $0.steps }
            gateway.standIns.runner([steps[0], .waitsUntil { goesOn.withLock { $0 } }] + steps.dropFirst())
            let question = gateway.chat([("stream", true)])
            let asking = Task { try await Self.send(gateway, "one", question) }
            try await eventually("the model is asked") { gateway.standIns.asked.count == 1 }
            try await gateway.withAnother { _ in
                #expect(try await Self.send(gateway, "one", question).code == "command_in_flight")
                let other = try await Self.send(gateway, "one", gateway.chat([("stream", true), ("temperature", 0)]))
                #expect(other.status == 422 && other.code == "idempotency_key_reused", "\(other.json)")
                #expect(gateway.standIns.asked.count == 1 && gateway.standIns.holds.count == 1)
                goesOn.withLock { $0 = true }
                #expect(try await asking.value.events.last == "[DONE]")
                let again = try await Self.send(gateway, "one", question)
                // It ended by its limit, which the count of its tokens does not say.
                #expect(again.events.joined().contains(#""finish_reason":"length""#) && again.events.joined().contains("The tides."))
                let late = try await Self.send(gateway, "one", gateway.chat([("stream", true), ("temperature", 0)]))
                #expect(late.status == 422)
                let count = try await gateway.completed().count
                #expect(count == 1 && gateway.standIns.asked.count == 1)
            }
        }
    }

    /// What is answered already is told, whatever has become of its model.
    @Test func anAnswerIsToldAgainOnceItsModelIsRetired() async throws {
        try await withGateway { gateway in
            gateway.standIns.answer(["The ", "tides."])
            let first = try await Self.send(gateway, "one", gateway.chat())
            #expect(first.status == 200)
            try await gateway.append(ModelRetired(model: "acme/defi"), by: .training, stream: "model/acme-defi")
            try await eventually("it is retired") { try await gateway.ask(try gateway.person()).status == 404 }
            let again = try await Self.send(gateway, "one", gateway.chat())
            #expect(again.status == 200 && again.json["choices"] == first.json["choices"])
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
