import Crypto
import Foundation

/// Results of long computations, in a folder of their own: a run that was ended goes on where it was.
public struct KeptResults: Sendable {
    private let folder: String?

    /// - Parameter folder: made when it is not there; nil keeps nothing.
    public init(folder: String?) throws {
        self.folder = folder
        if let folder { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    }

    /// What was computed of the same before, or is now.
    /// - Parameter digest: of everything that the result follows from.
    func lists(_ digest: Digest, _ make: () async throws -> [[Double]]) async throws -> [[Double]] {
        guard let folder else { return try await make() }
        let path = folder + "/" + digest.hex.prefix(32) + ".lists"
        if let bytes = FileManager.default.contents(atPath: path), let lists = Self.read([UInt8](bytes)) { return lists }
        let made = try await make()
        try Data(Self.bytes(made)).write(to: URL(fileURLWithPath: path), options: .atomic)
        return made
    }

    /// The number of lists, the length of each, then the numbers: eight bytes each, little-endian; SHA-256 of all that at the end.
    private static func bytes(_ lists: [[Double]]) -> [UInt8] {
        var words = [UInt64(lists.count)] + lists.map { UInt64($0.count) }
        for list in lists { words += list.map(\.bitPattern) }
        let bytes = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
        return bytes + SHA256.hash(bytes).bytes
    }

    private static func read(_ bytes: [UInt8]) -> [[Double]]? {
        guard bytes.count >= 40, SHA256.hash(Array(bytes.dropLast(32))).bytes == Array(bytes.suffix(32)) else { return nil }
        let words = stride(from: 0, to: bytes.count - 32, by: 8).map { start in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
        }
        let count = Int(words[0])
        var at = 1 + count
        return words[1..<1 + count].map { length in
            defer { at += Int(length) }
            return words[at..<at + Int(length)].map { Double(bitPattern: $0) }
        }
    }
}
