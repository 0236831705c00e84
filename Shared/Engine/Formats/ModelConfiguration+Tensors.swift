extension ModelConfiguration {
    /// A tensor that a model of this shape has.
    public struct TensorShape: Sendable, Hashable {
        /// The name in Hugging Face's files.
        public let name: String
        /// The sizes; a projection is [out, in].
        public let shape: [Int]

        /// A name and its sizes.
        public init(name: String, shape: [Int]) {
            self.name = name
            self.shape = shape
        }

        /// How many numbers.
        public var count: Int { shape.reduce(1, *) }
    }

    /// The linear projections of a layer by their module names, with their sizes: what LoRA may adapt.
    public func projections(layer: Int) -> [(path: String, outputSize: Int, inputSize: Int, hasBias: Bool)] {
        let path = "model.layers.\(layer)"
        return [
            ("\(path).self_attn.q_proj", queryWidth, hiddenSize, hasQueryKeyValueBias),
            ("\(path).self_attn.k_proj", keyValueWidth, hiddenSize, hasQueryKeyValueBias),
            ("\(path).self_attn.v_proj", keyValueWidth, hiddenSize, hasQueryKeyValueBias),
            ("\(path).self_attn.o_proj", hiddenSize, queryWidth, hasOutputBias),
            ("\(path).mlp.gate_proj", intermediateSize, hiddenSize, hasFeedForwardBias),
            ("\(path).mlp.up_proj", intermediateSize, hiddenSize, hasFeedForwardBias),
            ("\(path).mlp.down_proj", hiddenSize, intermediateSize, hasFeedForwardBias),
        ]
    }

    /// Every tensor of the model, in the order in which a forward pass meets them.
    public var tensorShapes: [TensorShape] {
        var shapes = [TensorShape(name: "model.embed_tokens.weight", shape: [vocabularySize, hiddenSize])]
        for layer in 0..<layerCount {
            shapes.append(TensorShape(name: "model.layers.\(layer).input_layernorm.weight", shape: [hiddenSize]))
            for (index, part) in projections(layer: layer).enumerated() {
                if index == 4 {
                    shapes.append(TensorShape(name: "model.layers.\(layer).post_attention_layernorm.weight", shape: [hiddenSize]))
                }
                shapes.append(TensorShape(name: part.path + ".weight", shape: [part.outputSize, part.inputSize]))
                if part.hasBias { shapes.append(TensorShape(name: part.path + ".bias", shape: [part.outputSize])) }
            }
        }
        shapes.append(TensorShape(name: "model.norm.weight", shape: [hiddenSize]))
        if !tiesEmbeddings { shapes.append(TensorShape(name: "lm_head.weight", shape: [vocabularySize, hiddenSize])) }
        return shapes
    }

    /// How many parameters the model has; a tied embedding counts once.
    public var parameterCount: Int { tensorShapes.reduce(0) { $0 + $1.count } }
}
