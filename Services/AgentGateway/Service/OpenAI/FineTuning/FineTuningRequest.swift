internal import JSON
internal import Web

/// What a caller asks for, in OpenAI's words and in ours.
struct FineTuningRequest: Sendable {
    let model: String
    let trainingFile: String
    let suffix: String?
    let settings: JSONValue
    let metadata: JSONValue

    init(_ json: JSONValue) throws {
        let fields = try json.object()
        model = try fields.string("model", bytes: 1...200)
        trainingFile = try fields.string("training_file", bytes: 1...200)
        let named = fields.optionalField("suffix").flatMap { $0.value.isNull ? nil : $0 }
        suffix = try named.map { field in
            let text = try field.string(bytes: 1...40)
            guard text.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }),
                text.first != "-", text.first != "."
            else { throw field.error("must be of a-z, 0-9, - and .") }
            return text
        }
        if let validation = fields.optionalField("validation_file"), !validation.value.isNull {
            throw validation.error("is not taken: a part of the rows is held out by itself")
        }
        let method = fields.optionalField("method").flatMap { $0.value.isNull ? nil : $0 }
        if let method, try method.object().string("type") != "supervised" {
            throw try method.object().field("type").error("must be supervised")
        }
        let inner = try method?.object().optionalObject("supervised")?.optionalObject("hyperparameters")
        settings = try Self.settings(try inner ?? fields.optionalObject("hyperparameters"), seed: try Self.seed(fields))
        metadata = try fields.optionalObject("metadata").map { try Self.metadata($0) } ?? .object(JSONObject())
    }

    private static func seed(_ fields: JSONFields) throws -> Int? {
        guard let field = fields.optionalField("seed"), !field.value.isNull else { return nil }
        return try field.int(in: 0...Int(Int32.max))
    }

    /// `auto` leaves a value to us.
    private static func settings(_ fields: JSONFields?, seed: Int?) throws -> JSONValue {
        var settings = JSONObject()
        func given(_ name: String) -> JSONField? {
            guard let field = fields?.optionalField(name), !field.value.isNull, field.value.stringValue != "auto" else { return nil }
            return field
        }
        settings["epochs"] = try given("n_epochs").map { .int(Int64(try $0.int(in: 1...50))) } ?? 3
        settings["batch"] = try given("batch_size").map { .int(Int64(try $0.int(in: 1...256))) } ?? 8
        settings["learning_rate"] =
            try given("learning_rate_multiplier").map { .int(Int64((try $0.double(in: 0.0005...50) * 2_000).rounded())) } ?? 2_000
        settings["seed"] = .int(Int64(seed ?? 1))
        settings["maximum_tokens"] = 512
        return .object(settings)
    }

    private static func metadata(_ fields: JSONFields) throws -> JSONValue {
        guard fields.object.count <= 16 else { throw fields.error("has at most 16 pairs") }
        for member in fields.object.members { _ = try fields.field(member.key).string(bytes: 0...512) }
        return .object(fields.object)
    }

    /// The snapshot that a training file names instead of a file: `dn_…@3`.
    static func snapshot(_ text: String) -> (datanet: String, number: Int)? {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasPrefix("dn_"), let number = Int(parts[1]), number >= 1 else { return nil }
        return (String(parts[0]), number)
    }
}
