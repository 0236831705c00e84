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
        /// The question as the story shows it, on one line.
        var asked: String { DemoText.line(question, atMost: 110) }
        /// What the row says that was asked about.
        let expected: String

        /// How many of the row's words the answer has, from 0 to 1.
        var likeness: Double {
            let words = { (text: String) in Set(text.lowercased().split { !$0.isLetter && !$0.isNumber }) }
            let wanted = words(expected)
            return wanted.isEmpty ? 1 : Double(words(text).intersection(wanted).count) / Double(wanted.count)
        }
    }

    func ask(_ cast: Cast, _ model: String) async throws -> [Answer] {
        Terminal.say("\n4. The app and its agent ask, through OpenAI's own interface; each answer has its price.")
        _ = try await deposit(Amount(50_000_000, try Asset("USDC/6")), for: cast.app)
        let key = try await client.call("POST", "/v1/keys", as: cast.app.token, json: ["scopes": ["inferences:write", "inferences:read"]])
        guard let secret = key["secret"]?.stringValue else { throw CommandError("no API key came back") }
        try await grantMandate(cast, for: model)
        var answers: [Answer] = []
        for (index, (question, expected)) in data.flatMap({ $0.questions.prefix(2) }).enumerated() {
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
                Answer(
                    asker: isAgent ? cast.agent.name : cast.app.name, question: question, text: text, inference: inference, fee: fee,
                    expected: expected))
            Terminal.say("   \(isAgent ? "agent" : "app  ") \(fee)  \(DemoText.line(question, atMost: 110))")
            Terminal.say("         → \(DemoText.line(text, atMost: 140))")
        }
        try await spendTooMuch(cast, model)
        return answers
    }

    /// What the agent may spend of the app's money: so much a day, so much for one answer, and on this model alone.
    private func grantMandate(_ cast: Cast, for model: String) async throws {
        let asset = try Asset("USDC/6")
        let (budget, most) = (Amount(200_000, asset), Amount(50_000, asset))
        _ = try await client.call(
            "POST", "/v1/mandates", as: cast.app.token,
            json: [
                "agent": .string(cast.agent.principal),
                "terms": [
                    "budget": budget.json, "period": "day", "per_payment": most.json, "models": [.string(model)],
                    "expires": "2099-01-01T00:00:00.000000Z",
                ],
            ])
        Terminal.say("   The agent's mandate: \(budget) a day, \(most) an answer, \(model) only.")
    }

    /// An answer that could cost more than the mandate allows is refused before anything is held.
    private func spendTooMuch(_ cast: Cast, _ model: String) async throws {
        do {
            _ = try await client.call(
                "POST", "/v1/chat/completions", as: cast.agent.token,
                json: ["model": .string(model), "messages": [["role": "user", "content": "Tell me everything."]], "max_tokens": 400])
        } catch let refused as WayClient.Refused where refused.status == 403 && refused.detail.contains("mandate") {
            return Terminal.say("   The agent asks for a longer answer and is refused: \(refused.detail).")
        }
        throw CommandError("the agent spent more than its mandate allows")
    }
}
