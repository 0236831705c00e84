import Crypto
import Testing

@Suite("Randomness")
struct RandomTests {
    @Test("every size is filled, around the buffer's edges too", arguments: [0, 1, 16, 32, 255, 256, 257, 5000])
    func sizes(count: Int) {
        // 600 draws of each size pass the buffer's end many times; a part left zero would show in the sum.
        var everSet = [UInt8](repeating: 0, count: count)
        for _ in 0..<(count > 300 ? 20 : 600) {
            let bytes = Random.bytes(count)
            #expect(bytes.count == count)
            for (index, byte) in bytes.enumerated() { everSet[index] |= byte }
        }
        #expect(!everSet.contains(0))
    }

    @Test("no value comes twice, from many tasks at once")
    func distinct() async {
        let values = await withTaskGroup(of: [[UInt8]].self) { group in
            for _ in 0..<8 { group.addTask { (0..<2000).map { _ in Random.bytes(16) } } }
            return await group.reduce(into: Set<[UInt8]>()) { $0.formUnion($1) }
        }
        #expect(values.count == 16_000)
        #expect(Set((0..<1000).map { _ in Random.uint64() }).count == 1000)
    }
}
