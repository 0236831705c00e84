/// Why training says no.
public enum TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no such thing.
    case notFound(String)
    /// The caller may not.
    case forbidden(String)
    /// It is not at a stage where that can be done.
    case wrongState(String)
    /// A value is out of its bounds; `field` is a JSON Pointer into the request.
    case invalid(field: String, reason: String)

    /// The reason in one line.
    public var description: String {
        switch self {
        case .notFound(let what): "there is no \(what)"
        case .forbidden(let why): why
        case .wrongState(let why): why
        case .invalid(let field, let reason): "\(field) \(reason)"
        }
    }
}
