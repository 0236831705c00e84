/// Where each tensor of a model stands in one flat buffer: the order of ``ModelConfiguration/tensorShapes``.
struct ParameterLayout: Sendable {
    let configuration: ModelConfiguration
    let count: Int
    private let ranges: [String: Range<Int>]
    /// Norms and biases, which do not decay, and matrices, which do, in order.
    let parts: [(range: Range<Int>, decays: Bool)]

    init(_ configuration: ModelConfiguration) {
        self.configuration = configuration
        var end = 0
        var ranges: [String: Range<Int>] = [:]
        var parts: [(range: Range<Int>, decays: Bool)] = []
        for tensor in configuration.tensorShapes {
            let range = end..<end + tensor.count
            ranges[tensor.name] = range
            parts.append((range, tensor.shape.count > 1))
            end = range.upperBound
        }
        count = end
        self.ranges = ranges
        self.parts = parts
    }

    /// The place of a tensor that the configuration has.
    func range(_ name: String) -> Range<Int> { ranges[name] ?? 0..<0 }
}
