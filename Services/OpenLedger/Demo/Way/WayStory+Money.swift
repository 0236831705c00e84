import Foundation
import JSON

/// Attribution and settlement.
extension WayStory {
    /// What became of an answer's fee.
    struct Earned: Sendable {
        let attribution: JSONValue
        let settlement: JSONValue
    }

    func settle(_ answers: [Answer]) async throws -> [String: Earned] {
        Terminal.say("\n5. Each answer is attributed, and its fee shared out by the model's published policy.")
        var earned: [String: Earned] = [:]
        var moved: Set<String> = []
        for answer in answers {
            let attribution = try await client.wait(
                for: "the attribution of \(answer.inference)", "/v1/attributions/\(answer.inference)", as: administrator,
                until: { $0["attribution"] != nil })
            let settlement = try await settlement(of: answer.inference)
            earned[answer.inference] = Earned(attribution: attribution, settlement: settlement)
            for method in attribution["methods"]?.arrayValue ?? [] where method["weight"]?.intValue ?? 0 > 0 {
                if let name = method["method"]?.stringValue { moved.insert(name) }
            }
        }
        for method in ["spans", "influence", "retrieval"] where !moved.contains(method) {
            let told = earned.values.map { String(decoding: JSON.write($0.attribution["methods"] ?? .null), as: UTF8.self) }
            let missing = earned.values.flatMap { $0.attribution["missing"]?.arrayValue ?? [] }.compactMap(\.stringValue)
            let passages = earned.values.flatMap { $0.attribution["passages"]?.arrayValue ?? [] }
            throw CommandError(
                "\(method) moved no money in any answer (missing: \(missing); passages: \(String(decoding: JSON.write(.array(passages)), as: UTF8.self)); methods: \(told.joined(separator: " ")))"
            )
        }
        Terminal.say("   \(answers.count) attributions, \(answers.count) settlements; spans, influence and retrieval each moved money.")
        return earned
    }

    /// The settlement as it stands on the log, where anyone can read it.
    func settlement(of inference: String) async throws -> JSONValue {
        let deadline = ContinuousClock.now + .seconds(120)
        var next = 0
        while ContinuousClock.now < deadline {
            let batch = try await client.call("GET", "/log/v1/events?from=\(next)&limit=500", as: administrator)
            let events = batch["events"]?.arrayValue ?? []
            next += events.count
            let found = events.compactMap { $0["event"] }.first {
                $0["type"]?.stringValue == "settlement.posted" && $0["data"]?["reference"]?.stringValue == inference
            }
            if let data = found?["data"] { return data }
            if events.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
        }
        throw CommandError("the fee of \(inference) was not settled")
    }
}
