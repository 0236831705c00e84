import Crypto
import Foundation
import JSON
import Money

/// A fine-tuning, and the model that comes of it.
extension WayStory {
    func learn(_ cast: Cast, _ datanets: [Datanet]) async throws -> String {
        let taught = datanets
        let looked = datanets.last?.id ?? ""
        Terminal.say("\n3. A fine-tuning on the snapshots of \(taught.map(\.name).joined(separator: " and ")).")
        let base = try await client.wait(
            for: "the base model", "/v1/base-models", as: cast.maya.token, until: { $0["items"]?.arrayValue?.isEmpty == false })
        guard let name = base["items"]?.arrayValue?.first?["model"]?.stringValue else { throw CommandError("there is no base model") }
        let order: JSONValue = [
            "base": .string(name),
            "snapshots": .array(taught.map { ["datanet": .string($0.id), "number": 1] }),
            "settings": [
                "epochs": .int(Int64(epochs)), "learning_rate": 4_000, "rank": 16, "alpha": 32, "batch": 4, "holdout": 0, "passages": true,
                "maximum_tokens": 512,
            ],
        ]
        let quote = try await client.call("POST", "/v1/training-jobs/quote", as: cast.maya.token, json: order)
        let fee = try Self.amount(quote["fee"])
        _ = try await deposit(fee, for: cast.maya)
        let requested = try await client.call("POST", "/v1/training-jobs", as: cast.maya.token, json: order)
        guard let job = requested["job"]?.stringValue else { throw CommandError("no job came back") }
        Terminal.say("   \(DemoText.number(Int(quote["tokens"]?.intValue ?? 0))) tokens on \(name), for \(fee).")
        let meter = WayMeter()
        let done = try await client.wait(for: "the fine-tuning", limit: .seconds(900), "/v1/training-jobs/\(job)", as: cast.maya.token) {
            answer in
            meter.show(answer["progress"])
            return ["succeeded", "failed", "cancelled"].contains(answer["status"]?.stringValue)
        }
        meter.end()
        guard done["status"]?.stringValue == "succeeded" else {
            throw CommandError("the fine-tuning failed: \(done["reason"]?.stringValue ?? "no reason given")")
        }
        guard meter.first != "?" else { throw CommandError("the fine-tuning came to its end and never showed how it went") }
        Terminal.say("   Loss \(meter.first) → \(meter.last). Adapter \((done["adapter"]?.stringValue ?? "").prefix(19))…")
        // Names belong to whom they were first given: in a house that others use too, to an earlier Maya.
        let model = isGuest ? "maya-\(Hex.encode(Random.bytes(4)))/almanac" : "maya/almanac"
        let free: JSONValue = ["asset": "USDC/6", "amount": "0"]
        let published = try await client.call(
            "POST", "/v1/adapters", as: cast.maya.token,
            json: [
                "model": .string(model), "base": .string(name), "job": .string(job), "retrieval": [.string(looked)],
                "price": [
                    "request": ["asset": "USDC/6", "amount": "20000"], "input": free, "output": ["asset": "USDC/6", "amount": "100000000"],
                ],
                "split": ["owner": 2_000, "datanets": 1_000, "contributors": 6_000, "validators": 0, "compute": 1_000],
                "attribution": [
                    "rules": "attribution/3", "spans": 4_000, "influence": 3_000, "retrieval": 3_000, "threshold": 50_000_000,
                    "cap": 1_000_000_000, "fallback": "tokens", "minimum_span": 8,
                ],
            ])
        guard published["version"]?.intValue == 1 else { throw CommandError("the model was not published") }
        Terminal.say("   Published as \(model): 60 % of each net fee goes to contributors; \(datanets.last?.name ?? "") is looked up.")
        try await showOrigin(of: model, taught)
        return model
    }

    /// Anybody may ask what a model was trained on.
    private func showOrigin(of model: String, _ taught: [Datanet]) async throws {
        let summary = try await client.call("GET", "/v1/adapters/\(model)/training-summary", as: nil)
        let sources = summary["sources"]?["other"]?.arrayValue ?? []
        guard Set(sources.compactMap { $0["datanet"]?.stringValue }) == Set(taught.map(\.id)) else {
            throw CommandError("the summary of training content names other Datanets than those that \(model) learned from")
        }
        let items = sources.reduce(0) { $0 + Int($1["whole"]?["items"]?.intValue ?? 0) }
        let licences = Set(sources.flatMap { ($0["licences"]?.arrayValue ?? []).compactMap { $0["licence"]?.stringValue } }).sorted()
        guard items > 0, !licences.isEmpty else { throw CommandError("the summary of training content says nothing of items or licences") }
        Terminal.say(
            "   Its summary of training content (EU AI Act, Article 53(1)(d)) names \(sources.count) Datanets, \(items) items, \(licences.joined(separator: ", "))."
        )
    }

    static func amount(_ json: JSONValue?) throws -> Amount { try Amount(json: JSONField(json ?? .null)) }

    func deposit(_ amount: Amount, for person: WayPerson) async throws -> JSONValue {
        let account = "payer:" + person.principal
        _ = try await client.call(
            "POST", "/v1/accounts", as: person.token, json: ["account": .string(account), "asset": .string(amount.asset.text)])
        return try await client.call(
            "POST", "/v1/accounts/\(account)/deposits", as: administrator,
            json: ["amount": amount.json, "rail": "sandbox", "reference": .string("demo-\(person.principal)")])
    }
}
