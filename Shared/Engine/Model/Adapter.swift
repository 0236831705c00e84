internal import Glibc

/// Where the factors of each adapted module stand in an adapter's flat buffer: A (rank × inputs), then Bᵀ (rank × outputs).
struct AdapterLayout: Sendable, Hashable {
    struct Part: Sendable, Hashable {
        let layer: Int
        let module: LinearModule
        let inputs: Int
        let outputs: Int
        /// Start of A.
        let a: Int
        /// Start of Bᵀ.
        let b: Int
    }

    let rank: Int
    let parts: [Part]
    let count: Int
    private let places: [Int?]

    init(_ configuration: ModelConfiguration, rank: Int, isAdapted: (_ layer: Int, _ module: LinearModule) -> Bool) {
        self.rank = rank
        var end = 0
        var parts: [Part] = []
        var places = [Int?](repeating: nil, count: configuration.layerCount * 7)
        for layer in 0..<configuration.layerCount {
            let shapes = configuration.projections(layer: layer)
            for module in LinearModule.allCases where isAdapted(layer, module) {
                let shape = shapes[module.rawValue]
                places[layer * 7 + module.rawValue] = parts.count
                let b = end + rank * shape.inputSize
                parts.append(
                    Part(layer: layer, module: module, inputs: shape.inputSize, outputs: shape.outputSize, a: end, b: b))
                end = b + rank * shape.outputSize
            }
        }
        self.parts = parts
        self.places = places
        count = end
    }

    func part(_ layer: Int, _ module: LinearModule) -> Part? { places[layer * 7 + module.rawValue].map { parts[$0] } }
}

/// A LoRA adapter resident in memory, in the form that batches of different adapters compute with. Immutable: a new version
/// is a new object, and who still answers with the old one keeps it.
public final class Adapter: Sendable {
    /// What B (A x) is multiplied by.
    public let scale: Float
    let layout: AdapterLayout
    let parameters: FloatBuffer

    /// Rows of A.
    public var rank: Int { layout.rank }
    /// Numbers in all factors.
    public var parameterCount: Int { layout.count }
    /// Bytes that it takes in memory.
    public var byteCount: Int { layout.count * 4 }
    /// The modules that it adapts in any layer.
    public var modules: Set<LinearModule> { Set(layout.parts.map(\.module)) }

    init(layout: AdapterLayout, scale: Float, parameters: FloatBuffer) {
        self.layout = layout
        self.scale = scale
        self.parameters = parameters
    }

    /// Takes over an adapter for a model of this shape. Throws when a module is unknown to the model, has other sizes, or holds
    /// a number that is not finite.
    public convenience init(_ adapter: PEFTAdapter, for configuration: ModelConfiguration) throws {
        try adapter.requireFit(configuration)
        let rank = adapter.configuration.rank
        let layout = AdapterLayout(configuration, rank: rank) { layer, module in
            adapter.modules["model.layers.\(layer).\(module.path)"] != nil
        }
        guard layout.parts.count == adapter.modules.count else {
            throw EngineError.adapterMismatch("it adapts modules that are not linear layers of this model's blocks")
        }
        let buffer = FloatBuffer(layout.count)
        for part in layout.parts {
            guard let factors = adapter.modules["model.layers.\(part.layer).\(part.module.path)"] else { continue }
            guard factors.rank == rank, factors.inputSize == part.inputs, factors.outputSize == part.outputs else {
                throw EngineError.adapterMismatch(
                    "layer \(part.layer) \(part.module) is \(factors.outputSize) × \(factors.rank) × \(factors.inputSize), "
                        + "the model needs \(part.outputs) × \(rank) × \(part.inputs)")
            }
            let a = buffer.base + part.a, b = buffer.base + part.b
            factors.a.withUnsafeBufferPointer { if let from = $0.baseAddress { memcpy(a, from, factors.a.count * 4) } }
            factors.b.withUnsafeBufferPointer { from in
                for output in 0..<part.outputs {
                    for row in 0..<rank { b[row &* part.outputs &+ output] = from[output &* rank &+ row] }
                }
            }
        }
        guard Kernels.isFinite(buffer.base, buffer.count) else {
            throw EngineError.adapterMismatch("it holds a number that is not finite")
        }
        self.init(layout: layout, scale: Float(adapter.configuration.scale), parameters: buffer)
    }

    /// Reads a PEFT directory.
    public convenience init(folder: String, for configuration: ModelConfiguration) throws {
        try self.init(PEFTAdapter(folder: folder), for: configuration)
    }

    /// The adapter in PEFT's form, to be written.
    public func peft(baseModel: String? = nil, metadata: [String: String] = [:]) throws -> PEFTAdapter {
        var factors: [String: LoRAWeights] = [:]
        for part in layout.parts {
            let a = Array(UnsafeBufferPointer(start: parameters.base + part.a, count: rank * part.inputs))
            var b = [Float](repeating: 0, count: rank * part.outputs)
            for output in 0..<part.outputs {
                for row in 0..<rank { b[output * rank + row] = parameters.base[part.b + row * part.outputs + output] }
            }
            factors["model.layers.\(part.layer).\(part.module.path)"] = try LoRAWeights(
                rank: rank, inputSize: part.inputs, outputSize: part.outputs, a: a, b: b)
        }
        return PEFTAdapter(
            configuration: PEFTConfiguration(
                rank: rank, alpha: Double(scale) * Double(rank), targetModules: modules.map(\.name), baseModel: baseModel),
            modules: factors, metadata: metadata)
    }

    /// A new adapter: A uniform in ±1/√inputs as PEFT's default (Kaiming uniform with a = √5), B zero, so that it changes nothing yet.
    public static func initial(_ options: LoRAOptions, for configuration: ModelConfiguration, seed: UInt64) throws -> Adapter {
        try options.check()
        let layout = AdapterLayout(configuration, rank: options.rank) { _, module in options.modules.contains(module) }
        let buffer = FloatBuffer(layout.count)
        var random = SeededRandom(seed)
        for part in layout.parts {
            let bound = 1 / Float(part.inputs).squareRoot()
            for index in 0..<options.rank * part.inputs { buffer.base[part.a + index] = (random.unit() * 2 - 1) * bound }
        }
        return Adapter(layout: layout, scale: options.alpha / Float(options.rank), parameters: buffer)
    }
}
