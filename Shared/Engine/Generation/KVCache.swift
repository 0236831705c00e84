internal import Glibc

// Unchecked: one sequence writes its own cache, on the generator's thread; a cache that others read (a stored prefix) is not
// written any more.
/// Keys and values of one sequence, for each layer and key head `capacity` rows of the head's size.
final class KVCache: @unchecked Sendable {
    let capacity: Int
    /// Positions filled.
    var count = 0
    private let keys: [FloatBuffer]
    private let values: [FloatBuffer]
    private let headSize: Int
    private let heads: Int

    init(_ configuration: ModelConfiguration, capacity: Int) {
        self.capacity = capacity
        headSize = configuration.headSize
        heads = configuration.keyValueHeadCount
        let size = capacity * configuration.keyValueWidth
        keys = (0..<configuration.layerCount).map { _ in FloatBuffer(size) }
        values = (0..<configuration.layerCount).map { _ in FloatBuffer(size) }
    }

    /// Bytes that a cache of so many positions takes.
    static func byteCount(_ configuration: ModelConfiguration, capacity: Int) -> Int {
        configuration.layerCount * 2 * capacity * configuration.keyValueWidth * 4
    }

    func keys(_ layer: Int, head: Int) -> UnsafeMutablePointer<Float> { keys[layer].base + head * capacity * headSize }
    func values(_ layer: Int, head: Int) -> UnsafeMutablePointer<Float> { values[layer].base + head * capacity * headSize }

    /// Stores the keys and values of one position of a layer, all heads one after the other.
    func put(_ layer: Int, position: Int, key: UnsafePointer<Float>, value: UnsafePointer<Float>) {
        for head in 0..<heads {
            memcpy(keys(layer, head: head) + position * headSize, key + head * headSize, headSize * 4)
            memcpy(values(layer, head: head) + position * headSize, value + head * headSize, headSize * 4)
        }
    }

    /// Takes the first `length` positions over from another cache.
    func copy(_ other: KVCache, length: Int) {
        for layer in keys.indices {
            for head in 0..<heads {
                memcpy(keys(layer, head: head), other.keys(layer, head: head), length * headSize * 4)
                memcpy(values(layer, head: head), other.values(layer, head: head), length * headSize * 4)
            }
        }
        count = length
    }
}
