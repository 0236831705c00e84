/// Why a secret cannot be read. Names the variable, never its value.
public enum SecretError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Both the variable and its `_FILE` form are set.
    case ambiguous(String)
    /// The variable, or the file that it names, is empty.
    case empty(String)
    /// The file that the variable names cannot be read.
    case file(String, FileError)

    /// A sentence that names the variable.
    public var description: String {
        switch self {
        case .ambiguous(let name): "both \(name) and \(name)_FILE are set: unset one"
        case .empty(let name): "\(name) is empty"
        case .file(let name, let error): "\(name): \(error)"
        }
    }
}
