internal import JSON

extension ModelConfiguration {
    /// Reads `config.json`. What would change a result and is not supported is refused by name; what only describes is passed over.
    /// - Parameter file: the name for messages.
    public init(json: [UInt8], file: String = "config.json") throws(FormatError) {
        do {
            let fields = try JSON.parse(json, limits: JSONLimits(depth: 16, bytes: 1 << 20, items: 50_000)).object()
            self = try ConfigurationReader(fields: fields, file: file).configuration()
        } catch let error as FormatError {
            throw error
        } catch let error as JSONFieldError {
            throw FormatError(.malformed, file: file, place: error.pointer, error.reason)
        } catch {
            throw FormatError(.malformed, file: file, "\(error)")
        }
        try check(file: file)
    }

    /// Reads the `config.json` of a model's folder.
    public init(folder: String) throws(FormatError) {
        let path = folder + "/config.json"
        try self.init(json: try WholeFile.read(path, limit: 1 << 20), file: path)
    }
}

/// The members of `config.json`, with transformers' defaults for what a file leaves out.
private struct ConfigurationReader {
    let fields: JSONFields
    let file: String

    func configuration() throws -> ModelConfiguration {
        let architecture = try architecture()
        try refuseWhatChangesResults(architecture)
        let heads = try fields.int("num_attention_heads", in: 1...1024)
        let layers = try fields.int("num_hidden_layers", in: 1...512)
        let bias = try fields.optionalBool("attention_bias") ?? false
        let (window, windowLayers) = try window(architecture, layers)
        return ModelConfiguration(
            architecture: architecture,
            vocabularySize: try fields.int("vocab_size", in: 1...1 << 20),
            hiddenSize: try fields.int("hidden_size", in: 1...1 << 15),
            intermediateSize: try fields.int("intermediate_size", in: 1...1 << 17),
            layerCount: layers,
            headCount: heads,
            keyValueHeadCount: try fields.optionalInt("num_key_value_heads", in: 1...1024)
                ?? (architecture == .mistral ? 8 : heads),
            headSize: try fields.optionalInt("head_dim", in: 2...1024),
            contextLength: try fields.optionalInt("max_position_embeddings", in: 1...1 << 24) ?? defaultContext(architecture),
            normEpsilon: try fields.optionalDouble("rms_norm_eps") ?? 1e-6,
            ropeTheta: try rope?.optionalDouble("rope_theta") ?? fields.optionalDouble("rope_theta") ?? 10_000,
            ropeScaling: try scaling(),
            hasQueryKeyValueBias: architecture == .qwen2 || (architecture == .llama && bias),
            hasOutputBias: architecture == .llama && bias,
            hasFeedForwardBias: architecture == .llama ? try fields.optionalBool("mlp_bias") ?? false : false,
            tiesEmbeddings: try fields.optionalBool("tie_word_embeddings") ?? false,
            slidingWindow: window,
            slidingWindowLayers: windowLayers,
            beginToken: try fields.optionalInt("bos_token_id"),
            endTokens: try endTokens())
    }

    private func architecture() throws -> ModelArchitecture {
        let modelType = try fields.optionalString("model_type", bytes: 0...200)
        let name = try fields.optionalArray("architectures", count: 0...8)?.first?.string(bytes: 0...200)
        let found = ModelArchitecture.allCases.first { name == nil ? modelType == $0.modelType : name == $0.rawValue }
        guard let found, modelType == nil || modelType == found.modelType else {
            throw FormatError(
                .unsupported, file: file, place: name == nil ? "/model_type" : "/architectures",
                "\(clipped(name ?? modelType ?? "a model without architectures")) is not supported; supported are \(ModelArchitecture.supportedNames)"
            )
        }
        return found
    }

    private func refuseWhatChangesResults(_ architecture: ModelArchitecture) throws {
        let activation = try fields.optionalString("hidden_act", bytes: 0...200) ?? "silu"
        guard activation == "silu" || activation == "swish" else {
            throw unsupported("hidden_act", "\(clipped(activation)) is not supported; silu is")
        }
        guard fields.optionalField("quantization_config") == nil else {
            throw unsupported("quantization_config", "quantised checkpoints are not supported; take the one in bf16, fp16 or fp32")
        }
        if try fields.optionalBool("is_encoder_decoder") == true {
            throw unsupported("is_encoder_decoder", "only decoders are supported")
        }
        if architecture == .mistral, try fields.optionalBool("attention_bias") == true {
            throw unsupported("attention_bias", "MistralForCausalLM has no biases")
        }
        if let factor = try fields.optionalDouble("partial_rotary_factor"), factor != 1 {
            throw unsupported("partial_rotary_factor", "rotary positions on a part of the head are not supported")
        }
    }

    /// `rope_parameters` of transformers 5, `rope_scaling` of those before.
    private var rope: JSONFields? {
        get throws { try fields.optionalObject("rope_parameters") ?? fields.optionalObject("rope_scaling") }
    }

    private func scaling() throws -> RoPEScaling? {
        guard let rope = try rope else { return nil }
        let kind = try rope.optionalString("rope_type", bytes: 0...64) ?? rope.optionalString("type", bytes: 0...64) ?? "default"
        switch kind {
        case "default": return nil
        case "linear": return .linear(factor: try rope.field("factor").double())
        case "llama3":
            return .llama3(
                factor: try rope.field("factor").double(),
                lowFrequencyFactor: try rope.field("low_freq_factor").double(),
                highFrequencyFactor: try rope.field("high_freq_factor").double(),
                originalContext: try rope.int("original_max_position_embeddings", in: 1...1 << 24))
        default:
            throw FormatError(
                .unsupported, file: file, place: rope.pointer,
                "rotary scaling \(clipped(kind)) is not supported; supported are default, linear, llama3")
        }
    }

    private func window(_ architecture: ModelArchitecture, _ layers: Int) throws -> (Int?, Range<Int>?) {
        switch architecture {
        case .llama: return (nil, nil)
        case .mistral:
            // Absent means 4,096 to transformers, null means none.
            guard fields.object["sliding_window"] != nil else { return (4096, nil) }
            return (try fields.optionalInt("sliding_window"), nil)
        case .qwen2:
            guard try fields.optionalBool("use_sliding_window") ?? false else { return (nil, nil) }
            guard fields.object["sliding_window"].map({ !$0.isNull }) ?? true else { return (nil, nil) }
            let window = try fields.optionalInt("sliding_window") ?? 4096
            if let types = try fields.optionalArray("layer_types", count: layers...layers) {
                let slides = try types.map { try $0.string(bytes: 0...64) == "sliding_attention" }
                guard let first = slides.firstIndex(of: true) else { return (nil, nil) }
                guard slides[first...].allSatisfy({ $0 }) else {
                    throw unsupported("layer_types", "sliding layers must be the last ones, from one layer to the end")
                }
                return (window, first..<layers)
            }
            let first = try fields.optionalInt("max_window_layers", in: 0...1 << 16) ?? 28
            return first < layers ? (window, first..<layers) : (nil, nil)
        }
    }

    private func endTokens() throws -> [Int] {
        guard let field = fields.optionalField("eos_token_id") else { return [] }
        if case .array = field.value { return try field.array(count: 0...64).map { try $0.int() } }
        return [try field.int()]
    }

    private func defaultContext(_ architecture: ModelArchitecture) -> Int {
        switch architecture {
        case .llama: 2048
        case .qwen2: 32_768
        case .mistral: 131_072
        }
    }

    private func unsupported(_ name: String, _ reason: String) -> FormatError {
        FormatError(.unsupported, file: file, place: "/" + name, reason)
    }
}
