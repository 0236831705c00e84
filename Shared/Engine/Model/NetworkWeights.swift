/// One decoder block's weights.
struct BlockWeights: Sendable {
    /// By the module's place.
    let matrices: [WeightMatrix]
    /// By the module's place; nil where the architecture has none.
    let biases: [Slice?]
    let inputNorm: Slice
    let attentionNorm: Slice

    subscript(module: LinearModule) -> WeightMatrix { matrices[module.rawValue] }
}

/// A vector inside a buffer.
struct Slice: Sendable {
    let buffer: FloatBuffer
    let offset: Int
    let count: Int
    var base: UnsafeMutablePointer<Float> { buffer.base + offset }
}

/// All weights of a network in the forms that the kernels read.
final class NetworkWeights: Sendable {
    let configuration: ModelConfiguration
    let embedding: WeightMatrix
    /// The embedding itself when the two are tied.
    let head: WeightMatrix
    let finalNorm: Slice
    let blocks: [BlockWeights]

    init(
        configuration: ModelConfiguration, embedding: WeightMatrix, head: WeightMatrix, finalNorm: Slice, blocks: [BlockWeights]
    ) {
        self.configuration = configuration
        self.embedding = embedding
        self.head = head
        self.finalNorm = finalNorm
        self.blocks = blocks
    }

    /// Takes every tensor from `read`, which gives its numbers row by row.
    convenience init(
        _ configuration: ModelConfiguration, precision: WeightPrecision, read: (_ name: String, _ shape: [Int]) throws -> [Float]
    ) throws {
        func vector(_ name: String, _ count: Int) throws -> Slice {
            let values = try read(name, [count])
            guard values.allSatisfy(\.isFinite) else { throw EngineError.badWeights("\(name) holds a number that is not finite") }
            return Slice(buffer: FloatBuffer(values), offset: 0, count: count)
        }
        func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> WeightMatrix {
            let values = try read(name, [rows, columns])
            guard values.count == rows * columns else { throw EngineError.badWeights("\(name) is not \(rows) × \(columns)") }
            let packed = values.withUnsafeBufferPointer { values in
                values.baseAddress.flatMap { WeightMatrix($0, rows: rows, columns: columns, precision: precision) }
            }
            guard let packed else { throw EngineError.badWeights("\(name) holds a number that is not finite") }
            return packed
        }
        let width = configuration.hiddenSize
        let embedding = try matrix("model.embed_tokens.weight", configuration.vocabularySize, width)
        let blocks = try (0..<configuration.layerCount).map { layer in
            let parts = configuration.projections(layer: layer)
            return BlockWeights(
                matrices: try parts.map { try matrix($0.path + ".weight", $0.outputSize, $0.inputSize) },
                biases: try parts.map { $0.hasBias ? try vector($0.path + ".bias", $0.outputSize) : nil },
                inputNorm: try vector("model.layers.\(layer).input_layernorm.weight", width),
                attentionNorm: try vector("model.layers.\(layer).post_attention_layernorm.weight", width))
        }
        self.init(
            configuration: configuration, embedding: embedding,
            head: configuration.tiesEmbeddings ? embedding : try matrix("lm_head.weight", configuration.vocabularySize, width),
            finalNorm: try vector("model.norm.weight", width), blocks: blocks)
    }

    /// A network whose weights are views of one buffer, laid out as `layout` says.
    convenience init(_ layout: ParameterLayout, in buffer: FloatBuffer) {
        let configuration = layout.configuration
        func slice(_ name: String) -> Slice {
            let range = layout.range(name)
            return Slice(buffer: buffer, offset: range.lowerBound, count: range.count)
        }
        func matrix(_ name: String, _ rows: Int, _ columns: Int) -> WeightMatrix {
            WeightMatrix(viewing: buffer, offset: layout.range(name).lowerBound, rows: rows, columns: columns)
        }
        let width = configuration.hiddenSize
        let embedding = matrix("model.embed_tokens.weight", configuration.vocabularySize, width)
        self.init(
            configuration: configuration, embedding: embedding,
            head: configuration.tiesEmbeddings ? embedding : matrix("lm_head.weight", configuration.vocabularySize, width),
            finalNorm: slice("model.norm.weight"),
            blocks: (0..<configuration.layerCount).map { layer in
                let parts = configuration.projections(layer: layer)
                return BlockWeights(
                    matrices: parts.map { matrix($0.path + ".weight", $0.outputSize, $0.inputSize) },
                    biases: parts.map { $0.hasBias ? slice($0.path + ".bias") : nil },
                    inputNorm: slice("model.layers.\(layer).input_layernorm.weight"),
                    attentionNorm: slice("model.layers.\(layer).post_attention_layernorm.weight"))
            })
    }

    /// The numbers of a tensor by its Hugging Face name; nil when there is no such tensor.
    func values(_ name: String) -> [Float]? {
        func slice(_ slice: Slice) -> [Float] { Array(UnsafeBufferPointer(start: slice.base, count: slice.count)) }
        switch name {
        case "model.embed_tokens.weight": return embedding.values
        case "lm_head.weight": return head.values
        case "model.norm.weight": return slice(finalNorm)
        default: break
        }
        for (layer, block) in blocks.enumerated() where name.hasPrefix("model.layers.\(layer).") {
            if name.hasSuffix(".input_layernorm.weight") { return slice(block.inputNorm) }
            if name.hasSuffix(".post_attention_layernorm.weight") { return slice(block.attentionNorm) }
            for (place, part) in configuration.projections(layer: layer).enumerated() {
                if name == part.path + ".weight" { return block.matrices[place].values }
                if name == part.path + ".bias" { return block.biases[place].map(slice) }
            }
        }
        return nil
    }

    /// Bytes of the matrices and vectors.
    var byteCount: Int {
        let parts = blocks.reduce(0) { total, block in
            total + block.matrices.reduce(0) { $0 + $1.byteCount } + block.biases.reduce(0) { $0 + ($1?.count ?? 0) * 4 }
                + (block.inputNorm.count + block.attentionNorm.count) * 4
        }
        return parts + embedding.byteCount + (head === embedding ? 0 : head.byteCount) + finalNorm.count * 4
    }
}
