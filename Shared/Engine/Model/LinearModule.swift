/// The linear layers of one decoder block, by the names that Hugging Face and PEFT use for them. The raw value is the
/// module's place in the block.
public enum LinearModule: Int, CaseIterable, Sendable, Comparable, CustomStringConvertible {
    case query, key, value, output, gate, up, down

    /// The name in `target_modules`: `q_proj`, …, `down_proj`.
    public var name: String {
        switch self {
        case .query: "q_proj"
        case .key: "k_proj"
        case .value: "v_proj"
        case .output: "o_proj"
        case .gate: "gate_proj"
        case .up: "up_proj"
        case .down: "down_proj"
        }
    }

    /// The name below `model.layers.N.`: `self_attn.q_proj`, …, `mlp.down_proj`.
    public var path: String { (self < .gate ? "self_attn." : "mlp.") + name }

    /// The PEFT name.
    public var description: String { name }

    /// The module with that PEFT name, or nil.
    public init?(name: String) {
        guard let found = LinearModule.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// By the place in the block.
    public static func < (left: LinearModule, right: LinearModule) -> Bool { left.rawValue < right.rawValue }
}
