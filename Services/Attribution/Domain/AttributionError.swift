/// Why an attribution cannot be computed.
public enum AttributionError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A text is longer than the limit, both in bytes.
    case textTooLong(bytes: Int, limit: Int)
    /// The policy names rules that this program does not know.
    case unknownRules(Int)
    /// A field of the policy is outside its range.
    case badPolicy(field: String, reason: String)
    /// Evidence cannot be read.
    case badEvidence(pointer: String, reason: String)
    /// There is nobody that the answer could be credited to, and the fallback has nobody either.
    case nobodyToCredit
    /// An index, a rows file or a passage names an item that the snapshot does not have.
    case unknownItem(String)
    /// More of something than the limit.
    case tooMany(what: String, count: Int, limit: Int)
    /// Numbers grew past what the arithmetic holds.
    case overflow(String)

    /// What is wrong, and what to do.
    public var description: String {
        switch self {
        case .textTooLong(let bytes, let limit): "the text has \(bytes) bytes; at most \(limit) are attributed: send a shorter one"
        case .unknownRules(let version): "attribution rules \(version) are not known here: use a program that has them"
        case .badPolicy(let field, let reason): "the attribution policy's \(field) \(reason)"
        case .badEvidence(let pointer, let reason): "evidence at \(pointer.isEmpty ? "its root" : pointer) \(reason)"
        case .nobodyToCredit: "the snapshot has no admitted item, so there is nobody to credit"
        case .unknownItem(let id): "item \(id) is not in the snapshot: the index or the rows are of another one"
        case .tooMany(let what, let count, let limit): "\(count) \(what); at most \(limit) are taken"
        case .overflow(let what): "\(what) is too large for the arithmetic"
        }
    }
}
