public import Crypto
public import Events

/// The first 128 bits of a SHA-256, as the store's `uuid` columns hold them.
public struct Key128: Sendable, Hashable {
    /// The high and low half, big-endian.
    public let high: UInt64
    /// The low half.
    public let low: UInt64

    /// The first half of a digest.
    public init(_ digest: Digest) {
        (high, low) = digest.withUnsafeBytes { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// A key read back from the store; nil unless there are 16 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Its 16 bytes.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
    }
}

extension StreamName {
    /// What the store knows the stream by.
    public var key: Key128 { Key128(SHA256.hash(utf8: text)) }
}

extension Cause {
    /// What the store knows the append by: no two services share a command, and a command is not a reaction.
    public func key(writer: Service) -> Key128 {
        var source: [UInt8] = []
        source.reserveCapacity(256)
        source.append(contentsOf: writer.rawValue.utf8)
        switch self {
        case .command: source.append(contentsOf: "\ncommand\n".utf8)
        case .event: source.append(contentsOf: "\nevent\n".utf8)
        }
        source.append(contentsOf: id.utf8)
        return Key128(SHA256.hash(source))
    }
}
