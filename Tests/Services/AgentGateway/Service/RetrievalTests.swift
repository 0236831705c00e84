import Events
import JSON
import Testing

@Suite struct RetrievalTests {
    @Test func passagesAreGivenToTheModelAndNamedOnTheLog() async throws {
        try await withGateway { gateway in
            try await gateway.publish(try Terms.model("acme/reader", retrieval: ["dn_away", "dn_1"]))
            let long = "Tides " + String(repeating: "é", count: 2_000)
            gateway.standIns.change { contents in
                contents.found["dn_1"] = (0..<4).map { number -> JSONValue in
                    ["item": .string("it_\(number)"), "contribution": "ct_1", "owner": .string("owner\(number)")]
                }
                contents.items = [
                    "it_0": "The moon moves it.", "it_1": ["prompt": "Who?", "completion": "Whales."], "it_2": ["text": .string(long)],
                    "it_3": "The fourth.",
                ]
            }
            gateway.standIns.answer(["It is the moon, see it_0."])
            let question = "Which whales " + (0..<40).map { "antidisestablishmentarianism\($0)" }.joined(separator: " ")
            let answer = try await gateway.ask(
                try gateway.person(), [("model", "acme/reader"), ("messages", [["role": "user", "content": .string(question)]])])
            try #require(answer.status == 200)
            let asked = try #require(gateway.standIns.asked.last?["messages"]?.arrayValue)
            let context = try #require(asked.first?["content"]?.stringValue)
            #expect(asked.count == 2 && asked.first?["role"] == "system")
            #expect(context.contains("The moon moves it.") && context.contains("Who?\nWhales.") && !context.contains("The fourth."))
            let inference = try #require(try await gateway.completed().first)
            guard case .entries(let passages) = inference.passages else {
                Issue.record("the passages are not in the event")
                return
            }
            #expect(passages.map(\.item) == ["it_0", "it_1", "it_2"] && passages.map(\.cited) == [true, false, false])
            #expect(passages.map(\.owner) == ["owner0", "owner1", "owner2"])
            #expect(passages.last?.length == 1_200)
            #expect(gateway.standIns.searches.last?.hasPrefix("which or whales or ") == true)
        }
    }
}
