internal import Glibc

/// A base model resident in memory: Llama-architecture decoders of the variants that ``ModelConfiguration`` describes.
/// Immutable and shared: training an adapter, attribution and serving all read the same weights.
public final class LanguageModel: Sendable {
    /// Its shape.
    public let configuration: ModelConfiguration
    /// How its matrices are stored.
    public let precision: WeightPrecision
    let weights: NetworkWeights
    let rotary: RotaryTable

    /// Bytes that the weights take.
    public var byteCount: Int { weights.byteCount }
    /// The longest row or conversation that is computed, in tokens.
    public var contextLength: Int { rotary.length }

    init(weights: NetworkWeights, precision: WeightPrecision, contextLimit: Int) {
        configuration = weights.configuration
        self.precision = precision
        self.weights = weights
        rotary = RotaryTable(weights.configuration, length: min(weights.configuration.contextLength, contextLimit))
    }

    /// Loads a Hugging Face folder: `config.json` and `model.safetensors` or its shards.
    /// - Parameters:
    ///   - precision: how to keep the matrices, whatever the file has; norms and biases stay float32.
    ///   - contextLimit: tokens at most, below what the model was made for, to bound memory.
    ///   - memoryLimit: bytes that the weights may take; refused before reading when they would take more.
    public convenience init(
        folder: String, precision: WeightPrecision = .float32, contextLimit: Int = 32_768, memoryLimit: Int = 16 << 30
    ) throws {
        let configuration = try ModelConfiguration(folder: folder)
        try Self.check(configuration, precision, memoryLimit: memoryLimit)
        let files = try ModelWeights(folder: folder)
        try files.requireFit(configuration)
        let weights = try NetworkWeights(configuration, precision: precision) { name, shape in
            try files.tensor(name, shape: shape).floats()
        }
        self.init(weights: weights, precision: precision, contextLimit: contextLimit)
    }

    /// A model of given numbers, by Hugging Face's names, row by row.
    public convenience init(
        configuration: ModelConfiguration, tensors: [String: [Float]], precision: WeightPrecision = .float32, contextLimit: Int = 32_768
    ) throws {
        try Self.check(configuration, precision, memoryLimit: .max)
        let weights = try NetworkWeights(configuration, precision: precision) { name, shape in
            guard let values = tensors[name], values.count == shape.reduce(1, *) else {
                throw EngineError.badWeights("\(name) must have shape \(shape)")
            }
            return values
        }
        self.init(weights: weights, precision: precision, contextLimit: contextLimit)
    }

    /// The numbers of a tensor by its Hugging Face name, as stored (rounded for bfloat16 and int8); nil when there is none.
    public func tensor(_ name: String) -> [Float]? { weights.values(name) }

    /// Writes `config.json` and `model.safetensors`, each in place at once.
    /// - Parameter type: `.float32`, `.bfloat16` or `.float16`.
    public func write(to folder: String, type: TensorType = .float32, metadata: [String: String] = [:]) throws {
        var contents: [TensorContent] = []
        for shape in configuration.tensorShapes {
            guard let values = tensor(shape.name) else { continue }
            switch type {
            case .float32: contents.append(TensorContent(name: shape.name, shape: shape.shape, float32: values))
            case .bfloat16: contents.append(TensorContent(name: shape.name, shape: shape.shape, bfloat16: values))
            case .float16: contents.append(TensorContent(name: shape.name, shape: shape.shape, float16: values))
            default: throw EngineError.unsupported("writing a model as \(type.rawValue): F32, BF16 and F16 are written")
            }
        }
        try WholeFile.makeFolder(folder)
        try WholeFile.replace(folder + "/config.json", with: configuration.json(weightType: type))
        let texts = metadata.merging(["format": "pt"]) { given, _ in given }
        try SafeTensorsWriter.write(contents, metadata: texts, to: folder + "/model.safetensors")
    }

    /// The same weights in another storage form.
    public func converted(to precision: WeightPrecision) throws -> LanguageModel {
        let weights = try NetworkWeights(configuration, precision: precision) { name, _ in self.tensor(name) ?? [] }
        return LanguageModel(weights: weights, precision: precision, contextLimit: rotary.length)
    }

    /// Bytes that the weights of a model of this shape take.
    public static func byteCount(_ configuration: ModelConfiguration, precision: WeightPrecision) -> Int {
        configuration.tensorShapes.reduce(0) { total, tensor in
            total + (tensor.shape.count == 2 ? precision.byteCount(rows: tensor.shape[0], columns: tensor.shape[1]) : tensor.count * 4)
        }
    }

    private static func check(_ configuration: ModelConfiguration, _ precision: WeightPrecision, memoryLimit: Int) throws {
        try configuration.check()
        let needed = byteCount(configuration, precision: precision)
        guard needed <= memoryLimit else {
            throw EngineError.outOfMemory(needed: needed, limit: memoryLimit, what: "the model in \(precision.rawValue)")
        }
    }
}
