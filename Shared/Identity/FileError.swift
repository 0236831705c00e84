/// Why a file of keys or secrets cannot be used.
public enum FileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The system refused: `reason` is its own text.
    case system(operation: String, path: String, reason: String)
    /// Others than the owner may read or write the file.
    case exposed(path: String, mode: UInt32)
    /// A folder, device or pipe.
    case notAFile(path: String)
    /// More bytes than such a file may have.
    case tooLarge(path: String, limit: Int)
    /// The content is not what it should be.
    case malformed(path: String, reason: String)

    /// A sentence that names the file and, where there is something to do, says what.
    public var description: String {
        switch self {
        case .system(let operation, let path, let reason): "cannot \(operation) \(path): \(reason)"
        case .exposed(let path, let mode):
            "\(path) holds a private key and has mode \(String(mode, radix: 8)): make it readable for its owner only (chmod 600)"
        case .notAFile(let path): "\(path) is not a regular file"
        case .tooLarge(let path, let limit): "\(path) has more than \(limit) bytes"
        case .malformed(let path, let reason): "\(path): \(reason)"
        }
    }
}
