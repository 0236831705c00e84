/// A tensor in a safetensors file: its name, what it holds and where.
public struct TensorInfo: Sendable, Hashable {
    /// The name, as in `model.layers.0.self_attn.q_proj.weight`.
    public let name: String
    /// The type of its numbers.
    public let type: TensorType
    /// The sizes of its dimensions, the last one contiguous; empty for a single number.
    public let shape: [Int]
    /// Where its bytes are, counted from the end of the header.
    public let range: Range<Int>

    /// How many numbers it has.
    public var count: Int { range.count / type.size }
}
