internal import Glibc

/// Reads secrets from the environment: `NAME` holds the secret, or `NAME_FILE` the path of a file that does.
public enum Secret {
    private static let largest = 65_536

    /// The secret, or nil when neither variable is set. A line end at the end of a file does not belong to it. Blocks for
    /// the time of reading a file.
    /// - Parameter environment: the process's own when nil.
    public static func read(_ name: String, environment: [String: String]? = nil) throws(SecretError) -> SecretString? {
        let inline = variable(name, environment), path = variable(name + "_FILE", environment)
        switch (inline, path) {
        case (nil, nil): return nil
        case (.some, .some): throw .ambiguous(name)
        case (let value?, nil):
            guard !value.isEmpty else { throw .empty(name) }
            return SecretString(value)
        case (nil, let path?):
            let bytes: [UInt8]
            do throws(FileError) { bytes = try SmallFile.read(path, limit: largest) } catch { throw .file(name + "_FILE", error) }
            guard var text = String(validating: bytes, as: UTF8.self) else {
                throw .file(name + "_FILE", .malformed(path: path, reason: "is not UTF-8"))
            }
            if text.utf8.last == UInt8(ascii: "\n") { text.unicodeScalars.removeLast() }
            if text.utf8.last == UInt8(ascii: "\r") { text.unicodeScalars.removeLast() }
            guard !text.isEmpty else { throw .empty(name + "_FILE") }
            return SecretString(text)
        }
    }

    private static func variable(_ name: String, _ environment: [String: String]?) -> String? {
        if let environment { return environment[name] }
        return getenv(name).map { String(cString: $0) }
    }
}
