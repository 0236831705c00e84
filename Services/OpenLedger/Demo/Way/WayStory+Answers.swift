import Foundation
import JSON
import Money

/// Questions by an app and an agent.
extension WayStory {
    /// An answer and what it cost.
    struct Answer: Sendable {
        let asker: String
        let question: String
        let text: String
        let inference: String
        let fee: Amount
    }

    func ask(_ cast: Cast, _ model: String) async throws -> [Answer] {
        Terminal.say("\n4. The app and its agent ask, through OpenAI's own interface; each answer has its price.")
        _ = try await deposit(Amount(50_000_000, try Asset("USDC/6")), for: cast.app)
        let key = try await client.call("POST", "/v1/keys", as: cast.app.token, json: ["scopes": ["inferences:write", "inferences:read"]])
        guard let secret = key["secret"]?.stringValue else { throw CommandError("no API key came back") }
        var answers: [Answer] = []
        for (index, question) in data.flatMap({ $0.questions.prefix(2) }).enumerated() {
            let isAgent = index % 2 == 1
            let reply = try await client.call(
                "POST", "/v1/chat/completions", as: isAgent ? cast.agent.token : secret,
                json: [
                    "model": .string(model), "messages": [["role": "user", "content": .string(question)]], "temperature": 0,
                    "max_tokens": 96,
                ])
            guard let text = reply["choices"]?.arrayValue?.first?["message"]?["content"]?.stringValue,
                let inference = reply["openledger"]?["inference"]?.stringValue
            else { throw CommandError("no answer came back") }
            let fee = try Self.amount(reply["openledger"]?["fee"])
            answers.append(
                Answer(asker: isAgent ? cast.agent.name : cast.app.name, question: question, text: text, inference: inference, fee: fee))
            Terminal.say("   \(isAgent ? "agent" : "app  ") \(fee)  \(question)")
            Terminal.say("         → \(text.split(separator: "\n").joined(separator: " ").prefix(140))")
        }
        return answers
    }
}
