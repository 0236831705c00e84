import Crypto
import Testing

@Suite("Keccak-256")
struct Keccak256Tests {
    @Test("known texts have their known hashes")
    func vectors() {
        let vectors = [
            ("", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
            ("abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
            ("hello", "1c8aff950685c2ed4bc3174f3472287b56d9517b9c948127319a09a7a36deac8"),
            ("transfer(address,uint256)", "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b"),
            ("The quick brown fox jumps over the lazy dog", "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15"),
        ]
        for (text, hex) in vectors { #expect(Hex.encode(Keccak256.hash(Array(text.utf8))) == hex) }
    }

    @Test("lengths around the rate of 136 bytes have the hashes that another implementation gives")
    func lengths() {
        for (count, hex) in Self.byLength { #expect(Hex.encode(Keccak256.hash([UInt8](repeating: 0xA5, count: count))) == hex) }
    }

    static let byLength: [(Int, String)] = [
        (1, "644826e22109357806d1a633732140f7ace7bb6ca8fa0b67006d7e3d0ad6fe6f"),
        (135, "e9cd15a85e4b32b79132637b22775876cc597d8be1d19d8daf42a46d2233f0f7"),
        (136, "520624732be0bc2eff4ca18c833d85f5783325cb37fc3d8ec1d385aa9a6fc7f8"),
        (137, "171c6f03b55a0672ff99dbca84110b6bc3b8f75e1b31b5979cca100ba74f520a"),
        (271, "8120ccd106d0d12b5194a16a9c8f833cebb26322399aee713544cd882f1314a6"),
        (272, "af54f02f4ebd3bf890b8024b76e344c954d5dbe7d9d1efe16cd874072262d763"),
        (273, "e422c5f6991cb0b921ae432fe997af30d59d03905c0db68fd8fe97cb0c32e56e"),
        (1000, "faea3c6b68c290b5ff4891609f6c8c206c7c2f0c44bda151161994adef8f8a15"),
    ]
}
