/// The two factors that LoRA adds to a linear projection: y += scale · B (A x) (arXiv 2106.09685).
public struct LoRAWeights: Sendable, Hashable {
    /// Rows of A, columns of B.
    public let rank: Int
    /// Columns of A.
    public let inputSize: Int
    /// Rows of B.
    public let outputSize: Int
    /// rank × inputSize, row by row.
    public var a: [Float]
    /// outputSize × rank, row by row.
    public var b: [Float]

    /// Factors of these sizes; throws when an array has another count.
    public init(rank: Int, inputSize: Int, outputSize: Int, a: [Float], b: [Float]) throws(FormatError) {
        guard rank > 0, inputSize > 0, outputSize > 0, a.count == rank * inputSize, b.count == outputSize * rank else {
            throw FormatError(
                .mismatch, file: "LoRA factors",
                "rank \(rank), \(inputSize) in, \(outputSize) out do not go with \(a.count) and \(b.count) numbers")
        }
        self.rank = rank
        self.inputSize = inputSize
        self.outputSize = outputSize
        self.a = a
        self.b = b
    }
}
