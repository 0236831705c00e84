public import Crypto

/// Finds texts that are the same but for case and blanks.
public struct ExactDuplicateIndex: Sendable {
    private var first: [Digest: String] = [:]
    private var gone: Set<String> = []

    /// An empty index.
    public init() {}

    /// How many different texts it holds.
    public var count: Int { first.count }

    /// The earliest item with this fingerprint; keeps `id` as that when there is none.
    public mutating func add(_ id: String, _ fingerprint: Digest) -> String? {
        if let earlier = first[fingerprint], !gone.contains(earlier) { return earlier }
        first[fingerprint] = id
        return nil
    }

    /// Takes an item out: what comes later is no copy of it.
    public mutating func remove(_ id: String) { gone.insert(id) }

    /// What texts share when they are the same but for ASCII case and blanks. The text has to be in Normalization Form C.
    public static func fingerprint(_ text: [UInt8]) -> Digest {
        var folded: [UInt8] = []
        folded.reserveCapacity(text.count)
        for byte in text {
            switch byte {
            case 0...0x20: if let last = folded.last, last != 0x20 { folded.append(0x20) }
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): folded.append(byte | 0x20)
            default: folded.append(byte)
            }
        }
        if folded.last == 0x20 { folded.removeLast() }
        return SHA256.hash(folded)
    }
}
