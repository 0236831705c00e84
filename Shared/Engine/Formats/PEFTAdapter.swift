public import Crypto

/// A LoRA adapter as a PEFT directory: `adapter_config.json` and `adapter_model.safetensors`.
public struct PEFTAdapter: Sendable, Hashable {
    /// The names of the two files.
    public static let configurationFile = "adapter_config.json", weightsFile = "adapter_model.safetensors"

    /// What the configuration says.
    public var configuration: PEFTConfiguration
    /// The factors by the path of their module, as `model.layers.0.self_attn.q_proj`.
    public var modules: [String: LoRAWeights]
    /// Texts kept in the weights file (`__metadata__`): the hash of the lineage, for one.
    public var metadata: [String: String]

    /// An adapter by its parts.
    public init(configuration: PEFTConfiguration, modules: [String: LoRAWeights], metadata: [String: String] = [:]) {
        self.configuration = configuration
        self.modules = modules
        self.metadata = metadata
    }

    /// How many parameters the factors have.
    public var parameterCount: Int { modules.values.reduce(0) { $0 + $1.a.count + $1.b.count } }

    /// The bytes of the two files. The same adapter gives the same bytes, so their hashes name it.
    public func files() throws(FormatError) -> (configuration: [UInt8], weights: [UInt8]) {
        var tensors: [TensorContent] = []
        for (path, factors) in modules {
            guard factors.rank == configuration.rank else {
                throw FormatError(
                    .mismatch, file: Self.weightsFile, place: path, "has rank \(factors.rank), the configuration \(configuration.rank)")
            }
            let name = "base_model.model.\(path)"
            tensors.append(TensorContent(name: name + ".lora_A.weight", shape: [factors.rank, factors.inputSize], float32: factors.a))
            tensors.append(TensorContent(name: name + ".lora_B.weight", shape: [factors.outputSize, factors.rank], float32: factors.b))
        }
        // transformers and vLLM ask for this mark.
        let texts = metadata.merging(["format": "pt"]) { given, _ in given }
        return (configuration.json, try SafeTensorsWriter.bytes(tensors, metadata: texts))
    }

    /// Writes both files into a folder, which is made unless it is there, each in place at once; gives the hash of the weights file.
    @discardableResult
    public func write(to folder: String) throws(FormatError) -> Digest {
        let (configuration, weights) = try files()
        try WholeFile.makeFolder(folder)
        try WholeFile.replace(folder + "/" + Self.configurationFile, with: configuration)
        try WholeFile.replace(folder + "/" + Self.weightsFile, with: weights)
        return SHA256.hash(weights)
    }
}
