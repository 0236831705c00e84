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
        for answer in answers {
            let attribution = try await client.wait(
                for: "the attribution of \(answer.inference)", "/v1/attributions/\(answer.inference)", as: administrator,
                until: { $0["attribution"] != nil })
            let settlement = try await settlement(of: answer.inference)
            earned[answer.inference] = Earned(attribution: attribution, settlement: settlement)
        }
        try checkMethods(earned)
        Terminal.say("   \(answers.count) attributions, \(answers.count) settlements; spans, influence and retrieval each moved money.")
        return earned
    }

    /// Each method has to have credited somebody to whom the settlement of that answer gave money.
    func checkMethods(_ earned: [String: Earned]) throws {
        var moved: Set<String> = []
        for one in earned.values {
            let paid = try Self.pending(in: one.settlement)
            for method in one.attribution["methods"]?.arrayValue ?? [] where method["weight"]?.intValue ?? 0 > 0 {
                let owners = (method["shares"]?.arrayValue ?? []).filter { $0["share"]?.intValue ?? 0 > 0 }
                let isPaid = owners.contains { paid["contributor:" + ($0["owner"]?.stringValue ?? ""), default: 0] > 0 }
                if isPaid, let name = method["method"]?.stringValue { moved.insert(name) }
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
    }

    /// The settlement as it stands on the log, where anyone can read it.
    func settlement(of inference: String) async throws -> JSONValue {
        try await onLog("settlement.posted", "the fee of \(inference) to be settled") { $0["reference"]?.stringValue == inference }
    }

    /// Waits until the log has an event of a type.
    /// - Returns: its data.
    func onLog(_ type: String, _ what: String, _ isWanted: (JSONValue) -> Bool) async throws -> JSONValue {
        let deadline = ContinuousClock.now + .seconds(120)
        var next = 0
        while ContinuousClock.now < deadline {
            let events = try await events(from: next)
            next += events.count
            let found = events.first { $0.type == type && isWanted($0.data) }
            if let found { return found.data }
            if events.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
        }
        throw CommandError("waited two minutes for \(what)")
    }

    private func events(from position: Int) async throws -> [(type: String, data: JSONValue)] {
        let batch = try await client.call("GET", "/log/v1/events?from=\(position)&limit=500", as: administrator)
        return (batch["events"]?.arrayValue ?? []).map { ($0["event"]?["type"]?.stringValue ?? "", $0["event"]?["data"] ?? .null) }
    }

    /// What each account has of the answers' fees in the end, after what flowed back and what was corrected, in minor units.
    func whatCameOfIt(_ earned: [String: Earned]) async throws -> [String: Int128] {
        let settlements = Set(earned.values.compactMap { $0.settlement["id"]?.stringValue })
        var units: [String: Int128] = [:]
        var next = 0
        while true {
            let events = try await events(from: next)
            if events.isEmpty { return units.filter { $0.value != 0 } }
            next += events.count
            for event in events {
                let settlement = event.type == "settlement.posted" ? event.data["id"] : event.data["settlement"]
                guard ["settlement.posted", "settlement.corrected", "refund.posted", "dispute.resolved"].contains(event.type),
                    let settlement = settlement?.stringValue, settlements.contains(settlement)
                else { continue }
                units.merge(try Self.pending(in: event.data)) { $0 + $1 }
            }
        }
    }
}
