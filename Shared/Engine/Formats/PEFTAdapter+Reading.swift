extension PEFTAdapter {
    /// The greatest weights file that is read: rank 64 on every projection of a model of 7 G parameters has 640 MB in fp32.
    public static let greatestWeightsFile = 1 << 30

    /// Reads an adapter directory. Every tensor in it must be a factor of some module, and every module must have both.
    public init(folder: String) throws(FormatError) {
        let configurationPath = folder + "/" + Self.configurationFile
        configuration = try PEFTConfiguration(json: try WholeFile.read(configurationPath, limit: 1 << 20), file: configurationPath)
        let file = try SafeTensors(path: folder + "/" + Self.weightsFile)
        metadata = file.metadata
        modules = try Self.modules(file, configuration)
    }

    private static func modules(_ file: SafeTensors, _ configuration: PEFTConfiguration) throws(FormatError) -> [String: LoRAWeights] {
        let size = file.tensors.reduce(0) { $0 + $1.range.count }
        guard size <= greatestWeightsFile else {
            throw FormatError(.tooLarge, file: file.path, "has \(size) bytes, more than the \(greatestWeightsFile) that are read")
        }
        var modules: [String: LoRAWeights] = [:]
        var factors = 0
        for info in file.tensors {
            guard let path = modulePath(info.name, ".lora_A.weight") else { continue }
            factors += 2
            let base = info.name.dropLast(".lora_A.weight".count)
            guard let a = file.tensor(info.name), let b = file.tensor(base + ".lora_B.weight") else {
                throw FormatError(.missing, file: file.path, place: path, "has lora_A and no lora_B")
            }
            let rank = configuration.rank
            guard a.info.shape.count == 2, b.info.shape.count == 2, a.info.shape[0] == rank, b.info.shape[1] == rank else {
                throw FormatError(
                    .mismatch, file: file.path, place: path,
                    "A is \(a.info.shape) and B \(b.info.shape); with r \(rank) they must be [\(rank), in] and [out, \(rank)]")
            }
            let leaf = path.split(separator: ".").last.map(String.init) ?? path
            guard configuration.targetModules.contains(where: { $0 == leaf || $0 == path || path.hasSuffix("." + $0) }) else {
                throw FormatError(.mismatch, file: file.path, place: path, "is not among the target_modules of \(configurationFile)")
            }
            modules[path] = try LoRAWeights(
                rank: rank, inputSize: a.info.shape[1], outputSize: b.info.shape[0], a: a.floats(), b: b.floats())
        }
        guard !modules.isEmpty else { throw FormatError(.missing, file: file.path, "holds no LoRA factor") }
        if factors != file.tensors.count {
            let stray = file.tensors.first { info in
                guard let path = modulePath(info.name, ".lora_A.weight") ?? modulePath(info.name, ".lora_B.weight") else { return true }
                return modules[path] == nil
            }
            throw FormatError(
                .unsupported, file: file.path, place: stray?.name ?? "", "is not one of a pair of LoRA factors of a linear projection")
        }
        return modules
    }

    /// `base_model.model.<path><ending>`; PEFT's own prefix may be missing, as some converters leave it out.
    private static func modulePath(_ name: String, _ ending: String) -> String? {
        guard name.hasSuffix(ending) else { return nil }
        let path = name.dropLast(ending.count)
        let prefix = "base_model.model."
        return String(path.hasPrefix(prefix) ? path.dropFirst(prefix.count) : path)
    }

    /// Throws unless every module is a projection of that model, with factors of its sizes.
    public func requireFit(_ model: ModelConfiguration) throws(FormatError) {
        var sizes: [String: (out: Int, in: Int)] = [:]
        for layer in 0..<model.layerCount {
            for part in model.projections(layer: layer) { sizes[part.path] = (part.outputSize, part.inputSize) }
        }
        for (path, factors) in modules.sorted(by: { $0.key < $1.key }) {
            guard let size = sizes[path] else {
                throw FormatError(.mismatch, file: Self.weightsFile, place: path, "the base model has no such projection")
            }
            guard size.in == factors.inputSize, size.out == factors.outputSize else {
                throw FormatError(
                    .mismatch, file: Self.weightsFile, place: path,
                    "adapts \(factors.inputSize) to \(factors.outputSize), the base model's has \(size.in) to \(size.out): is it another base?"
                )
            }
        }
    }
}
