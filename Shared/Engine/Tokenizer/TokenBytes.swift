/// The bytes that each token stands for, in one block.
struct TokenBytes: Sendable {
    private var bytes: [UInt8] = []
    private var ends: [Int] = []

    init(_ tokens: [[UInt8]]) {
        ends.reserveCapacity(tokens.count)
        for token in tokens {
            bytes += token
            ends.append(bytes.count)
        }
    }

    var count: Int { ends.count }

    subscript(token: Int) -> ArraySlice<UInt8> { bytes[(token == 0 ? 0 : ends[token - 1])..<ends[token]] }
}
