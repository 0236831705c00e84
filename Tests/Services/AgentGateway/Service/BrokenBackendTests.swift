import Foundation
import Money
import ServiceShell
import ServiceTestSupport
import Events
import HTTPClient
import JSON
import TestSupport
import Testing

@Suite struct BrokenBackendTests {
    @Test func nothingIsChargedForAnAnswerThatNeverBegan() async throws {
        try await withGateway { gateway in
            let token = try gateway.person()
            gateway.standIns.change { $0.refusal = 503 }
            let refused = try await gateway.ask(token)
            #expect(refused.status == 502 && refused.code == "upstream_failed")
            gateway.standIns.change { $0.refusal = nil }
            let broken: [[StandIns.Step]] = [
                [.breaksOff], [.event("{\"choices\":")], [.event("{\"error\":{\"message\":\"out of memory\"}}")], [.event("[DONE]")], [],
            ]
            for steps in broken {
                gateway.standIns.runner(steps)
                #expect(try await gateway.ask(token).status == 502, "\(steps)")
            }
            #expect(gateway.standIns.released == (1...6).map { "hd_\($0)" })
            gateway.standIns.runner([.breaksOff])
            let stream = try await gateway.stream(token)
            #expect(stream.status == 502 && stream.code == "upstream_failed")
            gateway.standIns.runner([StandIns.piece("The "), .breaksOff])
            let cut = try await gateway.stream(token)
            #expect(cut.status == 200 && cut.events.contains { $0.contains("\"length\"") })
            gateway.standIns.runner([.event("{\"choices\":[]}")])
            #expect(try await gateway.stream(token).status == 502)
            #expect(try await gateway.completed().count == 1)
        }
    }

    @Test func anAnswerThatBreaksOffIsChargedByThePiecesThatCame() async throws {
        try await withGateway { gateway in
            let endings: [[StandIns.Step]] = [[.breaksOff], [.event("{")], [.event("[DONE]")]]
            for ending in endings {
                gateway.standIns.runner([StandIns.piece("The "), StandIns.piece("tides")] + ending)
                let answer = try await gateway.ask(try gateway.person())
                #expect(answer.status == 200 && answer.text == "The tides", "\(ending)")
                let inference = try #require(try await gateway.completed().last)
                #expect(inference.inputTokens == 0 && inference.outputTokens == 2 && inference.fee.units == 14, "\(ending)")
            }
            #expect(try await gateway.completed().count == endings.count)
            #expect(gateway.standIns.released.isEmpty)
        }
    }

    @Test func aModelServersCountIsBelievedAsFarAsWhatWasHeardBearsIt() async throws {
        try await withGateway { gateway in
            gateway.standIns.answer(["Yes"], input: 1_000_000_000, output: 1_000_000_000)
            #expect(try await gateway.ask(try gateway.person()).status == 200)
            let inference = try #require(try await gateway.completed().first)
            // Three bytes and what says nothing, however much was asked for; the prompt of 20 bytes with its templates.
            #expect(inference.outputTokens == 19 && inference.inputTokens == 52 && inference.fee.units == 10 + 52 + 38)
            gateway.standIns.answer(["Yes"], input: 7, output: 8_192)
            let more = try await gateway.ask(try gateway.person(), [("max_tokens", 8_192)])
            #expect(more.json["usage"]?["completion_tokens"] == 19)
            // What ends it is not told, and was made.
            gateway.standIns.answer(["Yes"], input: 7, output: 8_192)
            let stopped = try await gateway.ask(try gateway.person(), [("max_tokens", 8_192), ("stop", "### end")])
            #expect(stopped.json["usage"]?["completion_tokens"] == 26)
            // Nothing is not what an answer costs, nor its prompt.
            gateway.standIns.answer(["The ", "tides"], input: 0, output: 0)
            #expect(try await gateway.ask(try gateway.person()).status == 200)
            let free = try #require(try await gateway.completed().last)
            #expect(free.outputTokens == 2 && free.inputTokens == 2)
            // What it says of less than nothing does not count as said.
            gateway.standIns.answer(["Yes"], input: -5, output: -5)
            #expect(try await gateway.ask(try gateway.person()).status == 200)
            #expect(try await gateway.completed().last?.fee.units == 12)
            #expect(gateway.standIns.released.isEmpty)
        }
    }

    @Test func aHoldIsReleasedWhenTheCallerLeavesBeforeAnythingWasSaid() async throws {
        try await withGateway { gateway in
            gateway.standIns.runner([.waits])
            let token = try gateway.person()
            let asking = Task { try await gateway.stream(token) }
            try await eventually("the model is asked") { gateway.standIns.asked.count == 1 }
            asking.cancel()
            _ = await asking.result
            try await eventually("the hold is released") { gateway.standIns.released == ["hd_1"] }
            try await eventually("the model stops") { gateway.standIns.abandoned == 1 }
            #expect(try await gateway.completed().isEmpty)
        }
    }

    @Test func aCallerWhoLeavesMidAnswerPaysForWhatCame() async throws {
        try await withGateway { gateway in
            gateway.standIns.runner([StandIns.piece("The "), StandIns.piece("tides"), .waits])
            let request = gateway.request(
                "POST", "/v1/chat/completions", token: try gateway.person(), gateway.chat([("stream", true)]))
            let asking = Task {
                for try await event in ServerSentEvents(try await gateway.house.transport.send(request).body)
                where event.data.contains("tides") { return }
            }
            try await asking.value
            try await eventually("it is on the log") { try await gateway.completed().count == 1 }
            #expect(try await gateway.completed().first?.outputTokens == 2)
            // Its prompt of 20 bytes was read for it, and nobody has counted that: the least that it can be.
            #expect(try await gateway.completed().first?.inputTokens == 2)
            #expect(gateway.standIns.released.isEmpty)
        }
    }

    @Test func aCallerWhoLeavesPaysForThePromptThatTheServerHasCounted() async throws {
        try await withGateway { gateway in
            gateway.standIns.runner([
                .event(
                    #"{"choices":[{"delta":{"content":"tides"},"finish_reason":null}],"usage":{"prompt_tokens":11,"completion_tokens":3}}"#),
                .waits,
            ])
            let request = gateway.request(
                "POST", "/v1/chat/completions", token: try gateway.person(), gateway.chat([("stream", true)]))
            let asking = Task {
                for try await event in ServerSentEvents(try await gateway.house.transport.send(request).body)
                where event.data.contains("tides") { return }
            }
            try await asking.value
            try await eventually("it is on the log") { try await gateway.completed().count == 1 }
            let left = try await gateway.completed().first
            #expect(left?.inputTokens == 11 && left?.outputTokens == 3)
            // What a server's fault cuts short costs no prompt, whatever was counted; and a count with nothing of the answer in it is none.
            gateway.standIns.runner([
                .event(
                    #"{"choices":[{"delta":{"content":"tides"},"finish_reason":null}],"usage":{"prompt_tokens":11,"completion_tokens":0}}"#),
                .event("[DONE]"),
            ])
            #expect(try await gateway.ask(try gateway.person()).status == 200)
            let broken = try await gateway.completed().last
            #expect(broken?.inputTokens == 0 && broken?.outputTokens == 1)
        }
    }

    @Test func anAnswerThatIsTalkedForTooLongEndsAsOneThatReachedItsLimit() async throws {
        try await withGateway(settings: ["OPENLEDGER_LONGEST_ANSWER": "2s"]) { gateway in
            gateway.standIns.runner([StandIns.piece("The "), StandIns.piece("tides"), .waits])
            let stream = try await gateway.stream(try gateway.person())
            #expect(stream.status == 200 && stream.events.last == "[DONE]")
            #expect(stream.events.contains { $0.contains("\"length\"") })
            let whole = try await gateway.ask(try gateway.person())
            #expect(whole.text == "The tides" && whole.json["choices"]?.arrayValue?.first?["finish_reason"] == "length")
            try await eventually("the model stops") { gateway.standIns.abandoned == 2 }
            #expect(try await gateway.completed().map(\.outputTokens) == [2, 2])
            #expect(gateway.standIns.released.isEmpty)
        }
    }

    /// What can't be recorded for good costs nothing, and nothing stays held for it.
    @Test func aHoldIsReleasedWhenItsAnswerCanNeverBeRecorded() async throws {
        try await withGateway { gateway in
            gateway.standIns.runner([StandIns.piece("The "), StandIns.piece("tides"), .waits])
            let request = gateway.request(
                "POST", "/v1/chat/completions", token: try gateway.person(), gateway.chat([("stream", true)]))
            let asking = Task {
                for try await event in ServerSentEvents(try await gateway.house.transport.send(request).body)
                where event.data.contains("tides") {
                    // The gateway stops deciding at an event that it can't apply.
                    try await gateway.append(
                        KeyRotated(principal: "pr_nobody", removed: "did:key:z0"), by: .agentGateway, stream: "principal/pr_nobody")
                    let token = try gateway.person()
                    try await eventually("the gateway stands still") {
                        try await gateway.call("GET", "/v1/models", token: token).status == 503
                    }
                    return
                }
            }
            try await asking.value
            try await eventually("the hold is released") { gateway.standIns.released == ["hd_1"] }
            #expect(try await gateway.completed().isEmpty)
        }
    }

    /// What was told is charged, though its texts could not be kept at once.
    @Test func anAnswerIsRecordedWhenTheDiskIsBack() async throws {
        try await withGateway { gateway in
            gateway.standIns.answer(["The tides."])
            let token = try gateway.person()
            #expect(try await gateway.ask(token).status == 200)
            let keys = try gateway.house.context(.agentGateway).folder + "/owners"
            let files = FileManager.default
            try files.moveItem(atPath: keys, toPath: keys + "-away")
            try Data().write(to: URL(fileURLWithPath: keys))
            let asking = Task { try await gateway.stream(token) }
            try await eventually("the model is asked") { gateway.standIns.asked.count == 2 }
            #expect(try await gateway.completed().count == 1)
            try files.removeItem(atPath: keys)
            try files.moveItem(atPath: keys + "-away", toPath: keys)
            #expect(try await asking.value.events.last == "[DONE]")
            let answers = try await gateway.completed()
            #expect(answers.count == 2)
            let content = try await gateway.call("GET", "/v1/inferences/\(answers[1].inference)/content", token: token)
            #expect(content.json["answer"] == "The tides.")
        }
    }
}
