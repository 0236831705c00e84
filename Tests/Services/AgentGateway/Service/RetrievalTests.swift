import AgentGatewayDomain
import Events
import HTTPClient
import JSON
import ServiceTestSupport
import TestSupport
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
            // In the form that models of our own runner have learned.
            #expect(asked.count == 2 && asked.first?["role"] == "system" && asked.last?["content"]?.stringValue == question)
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

    @Test func theBestOfAllDatanetsComeAndALimitedKeyIsRefusedBeforeAnySearch() async throws {
        try await withGateway { gateway in
            try await gateway.publish(try Terms.model("acme/reader", retrieval: ["dn_1", "dn_2"]))
            gateway.standIns.change { contents in
                for net in ["dn_1", "dn_2"] {
                    contents.found[net] = (0..<3).map { number -> JSONValue in
                        ["item": .string("\(net).\(number)"), "contribution": "ct_1", "owner": "pia"]
                    }
                    for number in 0..<3 { contents.items["\(net).\(number)"] = .string("Text \(number) of \(net).") }
                }
            }
            gateway.standIns.answer(["See dn_2.0."])
            let answer = try await gateway.ask(try gateway.person(), [("model", "acme/reader")])
            try #require(answer.status == 200)
            guard case .entries(let passages) = try await gateway.completed().first?.passages else {
                Issue.record("the passages are not in the event")
                return
            }
            #expect(passages.map(\.item) == ["dn_1.0", "dn_2.0", "dn_1.1"] && passages.map(\.cited) == [false, true, false])
            let searches = gateway.standIns.searches.count

            try await gateway.append(
                PrincipalRegistered(principal: "ann", kind: "person", key: "did:key:ann"), by: .agentGateway, stream: "principal/ann")
            let owner = try gateway.house.token("ann", scopes: ["keys:write", "inferences:write"])
            try await eventually("ann is known") { try await gateway.call("GET", "/v1/principals/ann", token: owner).status == 200 }
            let limits: JSONValue = ["budget": ["asset": "USDC/6", "amount": "1"]]
            let issued = try await gateway.call("POST", "/v1/keys", token: owner, ["scopes": ["inferences:write"], "limits": limits])
            #expect(try await gateway.ask(try #require(issued.json["secret"]?.stringValue), [("model", "acme/reader")]).status == 402)
            #expect(gateway.standIns.searches.count == searches)
        }
    }

    @Test func anItemIsNamedByItsWholeIdAlone() {
        #expect(Citation.isNamed("ct_1.1", in: "as ct_1.1 says"))
        #expect(Citation.isNamed("ct_1.1", in: "It is so (ct_1.1)."))
        #expect(Citation.isNamed("ct_1.1", in: "see ct_1.10, and ct_1.1."))
        for other in ["ct_1.10", "ct_1.1.2", "act_1.1", "x.ct_1.1", "ct_1.1_2", ""] {
            #expect(!Citation.isNamed("ct_1.1", in: other), "\(other)")
        }
    }
}
