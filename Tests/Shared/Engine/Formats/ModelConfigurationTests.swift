import Engine
import JSON
import Testing

/// Configurations as Hugging Face repositories have them.
struct ModelConfigurationTests {
    private static let llama = """
        {"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":576,"intermediate_size":1536,"num_hidden_layers":30,
        "num_attention_heads":9,"num_key_value_heads":3,"vocab_size":49152,"max_position_embeddings":8192,"rms_norm_eps":1e-05,
        "rope_theta":100000,"rope_scaling":null,"hidden_act":"silu","tie_word_embeddings":true,"bos_token_id":1,"eos_token_id":2,
        "attention_bias":false,"initializer_range":0.02,"torch_dtype":"bfloat16"}
        """

    private func read(_ text: String) throws -> ModelConfiguration { try ModelConfiguration(json: Array(text.utf8)) }

    private func changed(_ changes: [String: JSONValue]) throws -> ModelConfiguration {
        var object = try #require(try JSON.parse(Self.llama).objectValue)
        for (key, value) in changes { object[key] = value }
        return try ModelConfiguration(json: JSON.write(.object(object)))
    }

    @Test func `a Llama configuration is read, with the parameters of the model`() throws {
        let model = try read(Self.llama)
        #expect(model.architecture == .llama && model.headSize == 64 && model.keyValueWidth == 192 && model.tiesEmbeddings)
        #expect(model.ropeTheta == 100_000 && model.ropeScaling == nil && model.endTokens == [2] && model.slidingWindow == nil)
        #expect(model.parameterCount == 134_515_008)
        #expect(!model.tensorShapes.contains { $0.name == "lm_head.weight" || $0.name.hasSuffix(".bias") })
    }

    @Test func `Qwen2 has biases on query, key and value, and its window holds from a layer on`() throws {
        let qwen: [String: JSONValue] = ["architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"]
        let plain = try changed(qwen.merging(["sliding_window": 4096, "use_sliding_window": false]) { $1 })
        #expect(plain.hasQueryKeyValueBias && !plain.hasOutputBias && plain.slidingWindow == nil)
        #expect(plain.tensorShapes.filter { $0.name.hasSuffix(".bias") }.count == 90)
        let sliding = try changed(qwen.merging(["sliding_window": 4096, "use_sliding_window": true, "max_window_layers": 20]) { $1 })
        #expect(sliding.slidingWindow(layer: 19) == nil && sliding.slidingWindow(layer: 20) == 4096)
        let types: [JSONValue] = (0..<30).map { $0 < 10 ? "full_attention" : "sliding_attention" }
        let typed = try changed(qwen.merging(["sliding_window": 64, "use_sliding_window": true, "layer_types": .array(types)]) { $1 })
        #expect(typed.slidingWindowLayers == 10..<30)
    }

    @Test func `Mistral's window holds everywhere, and null means none`() throws {
        let mistral: [String: JSONValue] = ["architectures": ["MistralForCausalLM"], "model_type": "mistral"]
        #expect(try changed(mistral).slidingWindow(layer: 0) == 4096)
        #expect(try changed(mistral.merging(["sliding_window": .null]) { $1 }).slidingWindow(layer: 0) == nil)
        #expect(try changed(mistral.merging(["sliding_window": 128]) { $1 }).slidingWindow(layer: 29) == 128)
    }

    @Test func `rotary scalings are read in the old and the new spelling`() throws {
        let three: JSONValue = [
            "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
        ]
        let scaling = try #require(try changed(["rope_scaling": three]).ropeScaling)
        #expect(scaling == .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192))
        #expect(scaling.scaled(1) == 1 && scaling.scaled(1e-6) == 1e-6 / 8)
        let middle = 2 * Double.pi / 4000
        #expect(scaling.scaled(middle) < middle && scaling.scaled(middle) > middle / 8)
        #expect(try changed(["rope_scaling": ["type": "linear", "factor": 4]]).ropeScaling == .linear(factor: 4))
        let modern = try changed(["rope_theta": .null, "rope_parameters": ["rope_type": "default", "rope_theta": 5000.0]])
        #expect(modern.ropeTheta == 5000 && modern.ropeScaling == nil)
    }

    @Test(
        arguments: [
            (
                ["architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"],
                "GPT2LMHeadModel is not supported; supported are LlamaForCausalLM"
            ),
            (["architectures": ["LlamaForCausalLM"], "model_type": "gemma"], "supported are"),
            (["rope_scaling": ["rope_type": "dynamic", "factor": 2]], "dynamic is not supported"),
            (["rope_scaling": ["type": "yarn", "factor": 2]], "yarn is not supported"),
            (["hidden_act": "gelu"], "gelu"), (["quantization_config": ["bits": 4]], "quantised"),
            (["num_key_value_heads": 4], "do not divide"), (["hidden_size": 0], "hidden_size"), (["vocab_size": 99_999_999], "vocab_size"),
            (["num_hidden_layers": 1_000_000], "num_hidden_layers"), (["head_dim": 63], "even"), (["eos_token_id": 60_000], "60000"),
            (["rms_norm_eps": 0], "rms_norm_eps"), (["num_attention_heads": "9"], "must be an integer"),
            (["partial_rotary_factor": 0.5], "part"),
            (["rope_scaling": ["rope_type": "linear", "factor": 0.5]], "factor"),
        ] as [([String: JSONValue], String)])
    func `what is not supported or cannot be is refused by its name`(changes: [String: JSONValue], reason: String) throws {
        let error = #expect(throws: FormatError.self) { try changed(changes) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func `what is written is read as the same configuration`() throws {
        var model = try read(Self.llama)
        #expect(try ModelConfiguration(json: model.json()) == model)
        model.ropeScaling = .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192)
        model.endTokens = [2, 5]
        model.hasQueryKeyValueBias = true
        model.hasOutputBias = true
        #expect(try ModelConfiguration(json: model.json(weightType: .bfloat16)) == model)
        for architecture in [ModelArchitecture.qwen2, .mistral] {
            let other = ModelConfiguration(
                architecture: architecture, vocabularySize: 50, hiddenSize: 32, intermediateSize: 64, layerCount: 4, headCount: 4,
                keyValueHeadCount: 2, contextLength: 128, hasQueryKeyValueBias: architecture == .qwen2, slidingWindow: 16,
                slidingWindowLayers: architecture == .qwen2 ? 1..<4 : nil)
            #expect(try ModelConfiguration(json: other.json()) == other)
        }
    }
}
