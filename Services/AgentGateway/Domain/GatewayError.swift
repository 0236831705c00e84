/// Why the gateway says no.
public enum GatewayError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no such thing.
    case notFound(String)
    /// The caller may not.
    case forbidden(String)
    /// A value is not what it must be; `field` is its name in the request.
    case invalid(field: String, reason: String)
    /// A signature does not fit.
    case badSignature(String)
    /// It exists already.
    case exists(String)
    /// Texts would be kept for longer than their payer wishes.
    case keptTooLong(by: String, String)

    /// The reason in one line.
    public var description: String {
        switch self {
        case .notFound(let what): "there is no \(what)"
        case .forbidden(let why): why
        case .invalid(let field, let reason): "\(field) \(reason)"
        case .badSignature(let why): why
        case .exists(let what): "\(what) exists already"
        case .keptTooLong(let payer, let last): "\(payer) wants no texts to be kept after \(last)"
        }
    }
}
