internal import JSON

extension PEFTConfiguration {
    /// The greatest rank that is read.
    public static let greatestRank = 1024

    /// Reads `adapter_config.json`. Variants that would need other arithmetic are refused by their member's name.
    public init(json: [UInt8], file: String = "adapter_config.json") throws(FormatError) {
        do {
            let fields = try JSON.parse(json, limits: JSONLimits(depth: 16, bytes: 1 << 20, items: 50_000)).object()
            try Self.refuseVariants(fields, file)
            rank = try fields.int("r", in: 1...Self.greatestRank)
            alpha = try fields.optionalDouble("lora_alpha", in: 0...1e6) ?? 8
            usesRankStabilisedScale = try fields.optionalBool("use_rslora") ?? false
            dropout = try fields.optionalDouble("lora_dropout", in: 0...1) ?? 0
            baseModel = try fields.optionalString("base_model_name_or_path")
            baseRevision = try fields.optionalString("revision")
            targetModules = try Self.targets(try fields.field("target_modules"), file)
        } catch let error as FormatError {
            throw error
        } catch let error as JSONFieldError {
            throw FormatError(.malformed, file: file, place: error.pointer, error.reason)
        } catch {
            throw FormatError(.malformed, file: file, "\(error)")
        }
    }

    private static func targets(_ field: JSONField, _ file: String) throws -> [String] {
        if case .string(let text) = field.value {
            // PEFT's word for all linear layers but the output; any other text is a regular expression. The tensors tell which they are.
            guard text == "all-linear" else {
                throw FormatError(
                    .unsupported, file: file, place: field.pointer, "a regular expression is not supported; write a list of module names")
            }
            return ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
        }
        let names = try field.array(count: 1...10_000).map { try $0.string(bytes: 1...500) }
        return Set(names).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func refuseVariants(_ fields: JSONFields, _ file: String) throws {
        let type = try fields.optionalString("peft_type", bytes: 0...64) ?? "LORA"
        guard type == "LORA" else { throw unsupported(file, "peft_type", "\(clipped(type)) is not supported; LORA is") }
        for name in ["use_dora", "fan_in_fan_out", "use_qalora", "use_bdlora", "lora_bias", "alora_invocation_tokens"] {
            switch fields.object[name] {
            case nil, .null, .bool(false): break
            default: throw unsupported(file, name, "this variant of LoRA is not supported")
            }
        }
        for name in ["rank_pattern", "alpha_pattern"] {
            guard let object = try fields.optionalObject(name), !object.object.isEmpty else { continue }
            throw unsupported(file, name, "one rank and alpha for all modules are supported")
        }
        for name in [
            "modules_to_save", "layer_replication", "trainable_token_indices", "target_parameters", "corda_config", "arrow_config",
        ] {
            guard let value = fields.object[name], !value.isNull, value != .array([]), value != .object([:]) else { continue }
            throw unsupported(file, name, "is not supported; adapt linear projections only")
        }
        if let bias = try fields.optionalString("bias", bytes: 0...64), bias != "none" {
            throw unsupported(file, "bias", "trained biases are not supported; none is")
        }
    }

    private static func unsupported(_ file: String, _ name: String, _ reason: String) -> FormatError {
        FormatError(.unsupported, file: file, place: "/" + name, reason)
    }

    /// The `adapter_config.json` that PEFT, vLLM and others read; the same bytes for the same configuration.
    public var json: [UInt8] {
        let object: JSONObject = [
            "base_model_name_or_path": baseModel.map { .string($0) } ?? .null,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "lora_alpha": alpha == alpha.rounded() ? .int(Int64(alpha)) : .double(alpha),
            "lora_dropout": .double(dropout),
            "modules_to_save": .null,
            "peft_type": "LORA",
            "r": .int(Int64(rank)),
            "revision": baseRevision.map { .string($0) } ?? .null,
            "target_modules": .array(targetModules.map { .string($0) }),
            "task_type": "CAUSAL_LM",
            "use_dora": false,
            "use_rslora": .bool(usesRankStabilisedScale),
        ]
        return JSON.pretty(.object(object)) + [UInt8(ascii: "\n")]
    }
}
