/// Why a signature of a message cannot be read, or does not hold. In words for who made it.
public enum SignatureError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The fields cannot be read.
    case malformed(String)
    /// A component is covered that is not there, or not supported.
    case component(String)
    /// It can be read and does not hold.
    case refused(String)

    /// The reason in one line.
    public var description: String {
        switch self {
        case .malformed(let why), .refused(let why): why
        case .component(let why): "the signature covers \(why)"
        }
    }
}
