/// The families of models that the engine runs: decoders with RMS norms, rotary positions, grouped-query attention and a
/// gated SiLU feed-forward, all laid out as Llama's.
public enum ModelArchitecture: String, Sendable, Hashable, CaseIterable {
    /// `LlamaForCausalLM`.
    case llama = "LlamaForCausalLM"
    /// `Qwen2ForCausalLM`: biases on the query, key and value projections.
    case qwen2 = "Qwen2ForCausalLM"
    /// `MistralForCausalLM`: a sliding window in some versions.
    case mistral = "MistralForCausalLM"

    /// The `model_type` that goes with it.
    public var modelType: String {
        switch self {
        case .llama: "llama"
        case .qwen2: "qwen2"
        case .mistral: "mistral"
        }
    }

    static var supportedNames: String { allCases.map(\.rawValue).joined(separator: ", ") }
}
