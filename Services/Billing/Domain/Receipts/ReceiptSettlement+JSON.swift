internal import Crypto
internal import Events
public import JSON

extension ReceiptSettlement {
    /// As it is written.
    public var json: JSONValue {
        .members([
            "settled": .count(settled), "basis": .count(basis), "inference": inference.map { .count($0) },
            "model": model.map { .count($0) },
            "training": training.map { .count($0) }, "base": base.map { .count($0) }, "charges": Self.list(charges),
            "rules": rules.map { .count($0) },
            "datanets": .array(
                datanets.map {
                    .members([
                        "policy": .count($0.policy), "members": Self.list($0.members), "snapshot": $0.snapshot.map { .count($0) },
                    ])
                }),
            "sources": .array(sources.map(\.json)), "units": .string(String(units)),
            "why": Self.ways(why), "returns": Self.list(returns),
            "corrections": corrections.isEmpty ? nil : .array(corrections.map(\.json)), "left": .string(String(left)),
            "disputed": disputed.map { .count($0) }, "releases": Self.list(releases), "balance": balance.map { .string(String($0)) },
            "state": .string(state.rawValue),
        ])
    }

    private static func list(_ positions: [Int]) -> JSONValue { .array(positions.map { .count($0) }) }

    fileprivate static func ways(_ ways: [[SplitStep]]) -> JSONValue { .array(ways.map { .array($0.map(\.json)) }) }

    fileprivate static func ways(_ fields: JSONFields) throws(JSONFieldError) -> [[SplitStep]] {
        var ways: [[SplitStep]] = []
        for field in try fields.array("why", count: 0...100) {
            var steps: [SplitStep] = []
            for step in try field.array(count: 1...16) { steps.append(try SplitStep(try step.object())) }
            ways.append(steps)
        }
        return ways
    }

    init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "settled", "basis", "inference", "model", "training", "base", "charges", "rules", "datanets", "sources", "units", "why",
            "returns", "corrections", "left", "disputed", "releases", "balance", "state",
        ])
        let state = try fields.field("state")
        guard let known = ReceiptState(rawValue: try state.string()) else { throw state.error("is no state of a settlement") }
        self.init(
            settled: try fields.count("settled"), basis: try fields.count("basis"), charges: try fields.positions("charges"),
            datanets: try fields.all("datanets", 0...1_000) { entry throws(JSONFieldError) in
                try entry.refuseUnknown(keys: ["policy", "members", "snapshot"])
                return Datanet(
                    policy: try entry.count("policy"), members: try entry.positions("members"), snapshot: try entry.position("snapshot"))
            },
            units: try fields.units("units"), why: try Self.ways(fields), left: try fields.units("left"), state: known)
        inference = try fields.position("inference")
        model = try fields.position("model")
        training = try fields.position("training")
        base = try fields.position("base")
        rules = try fields.position("rules")
        sources = try fields.all("sources", 0...Receipt.maximumSources) { entry throws(JSONFieldError) in try Source(entry) }
        returns = try fields.positions("returns")
        if fields.optionalField("corrections") != nil {
            corrections = try fields.all("corrections", 1...Receipt.maximumCorrections) { entry throws(JSONFieldError) in
                try Correction(entry)
            }
        }
        disputed = try fields.position("disputed")
        releases = try fields.positions("releases")
        balance = fields.optionalField("balance") == nil ? nil : try fields.units("balance")
    }
}

extension ReceiptSettlement.Correction {
    var json: JSONValue {
        [
            "ruling": .count(ruling), "corrected": .count(corrected), "settled": .count(settled), "units": .string(String(units)),
            "why": ReceiptSettlement.ways(why),
        ]
    }

    fileprivate init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["ruling", "corrected", "settled", "units", "why"])
        self.init(
            ruling: try fields.count("ruling"), corrected: try fields.count("corrected"), settled: try fields.count("settled"),
            units: try fields.units("units"), why: try ReceiptSettlement.ways(fields))
    }
}

extension ReceiptSettlement.Source {
    var json: JSONValue {
        [
            "item": item.json, "index": .count(index), "proof": .texts(proof.map { Base64.encode($0) }),
            "contribution": .count(contribution),
            "screening": .count(screening), "admission": .count(admission), "snapshot": .count(snapshot), "named": .string(named.rawValue),
        ]
    }

    init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["item", "index", "proof", "contribution", "screening", "admission", "snapshot", "named"])
        item = try AdmittedItem(fields.object("item"))
        index = try fields.count("index")
        proof = try fields.hashes("proof")
        contribution = try fields.count("contribution")
        screening = try fields.count("screening")
        admission = try fields.count("admission")
        snapshot = try fields.count("snapshot")
        let name = try fields.field("named")
        guard let known = Named(rawValue: try name.string()) else { throw name.error("must be spans, passages or owner") }
        named = known
    }
}

extension SplitStep {
    var json: JSONValue {
        [
            "name": .string(name), "weight": Self.number(weight), "of": Self.number(of), "units": .string(String(units)),
        ]
    }

    /// From 2^53 on, where JSON's numbers end, as decimal text: of a task the weights are its amounts.
    private static func number(_ weight: UInt64) -> JSONValue {
        weight < 1 << 53 ? .count(Int(weight)) : .string(String(weight))
    }

    private static func number(_ fields: JSONFields, _ name: String) throws(JSONFieldError) -> UInt64 {
        let field = try fields.field(name)
        if let text = try? field.string() {
            guard let number = UInt64(text), String(number) == text, number >= 1 << 53 else {
                throw field.error("must be a number, and text only from 2^53 on")
            }
            return number
        }
        return UInt64(try fields.count(name))
    }

    fileprivate init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["name", "weight", "of", "units"])
        self.init(
            name: try fields.id("name"), weight: try Self.number(fields, "weight"), of: try Self.number(fields, "of"),
            units: try fields.units("units"))
    }
}
