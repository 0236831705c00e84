internal import JSON

extension ModelConfiguration {
    /// The `config.json` that transformers reads as this configuration; the same bytes for the same configuration.
    /// - Parameter weightType: the type of the weights beside it, for readers who ask (`torch_dtype`).
    public func json(weightType: TensorType = .float32) -> [UInt8] {
        var object: JSONObject = [
            "architectures": [.string(architecture.rawValue)],
            "model_type": .string(architecture.modelType),
            "vocab_size": .int(Int64(vocabularySize)),
            "hidden_size": .int(Int64(hiddenSize)),
            "intermediate_size": .int(Int64(intermediateSize)),
            "num_hidden_layers": .int(Int64(layerCount)),
            "num_attention_heads": .int(Int64(headCount)),
            "num_key_value_heads": .int(Int64(keyValueHeadCount)),
            "head_dim": .int(Int64(headSize)),
            "max_position_embeddings": .int(Int64(contextLength)),
            "rms_norm_eps": .double(normEpsilon),
            "rope_theta": .double(ropeTheta),
            "rope_scaling": ropeScaling?.json ?? .null,
            "hidden_act": "silu",
            "tie_word_embeddings": .bool(tiesEmbeddings),
            "bos_token_id": beginToken.map { .int(Int64($0)) } ?? .null,
            "eos_token_id": endTokens.count == 1
                ? .int(Int64(endTokens[0])) : endTokens.isEmpty ? .null : .array(endTokens.map { .int(Int64($0)) }),
        ]
        switch architecture {
        case .llama:
            object["attention_bias"] = .bool(hasOutputBias)
            object["mlp_bias"] = .bool(hasFeedForwardBias)
        case .qwen2:
            object["use_sliding_window"] = .bool(slidingWindow != nil)
            object["sliding_window"] = slidingWindow.map { .int(Int64($0)) } ?? .null
            object["max_window_layers"] = .int(Int64(slidingWindow == nil ? layerCount : slidingWindowLayers.lowerBound))
        case .mistral: object["sliding_window"] = slidingWindow.map { .int(Int64($0)) } ?? .null
        }
        let names: [TensorType: String] = [.float32: "float32", .float16: "float16", .bfloat16: "bfloat16", .int8: "int8"]
        object["torch_dtype"] = names[weightType].map { .string($0) }
        return JSON.pretty(.object(object)) + [UInt8(ascii: "\n")]
    }
}

extension RoPEScaling {
    var json: JSONValue {
        switch self {
        case .linear(let factor): ["rope_type": "linear", "factor": .double(factor)]
        case .llama3(let factor, let low, let high, let original):
            [
                "rope_type": "llama3", "factor": .double(factor), "low_freq_factor": .double(low),
                "high_freq_factor": .double(high), "original_max_position_embeddings": .int(Int64(original)),
            ]
        }
    }
}
