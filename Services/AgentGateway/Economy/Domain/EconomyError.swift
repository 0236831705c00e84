public import Money

/// Why the economy's rules say no. Each names what is at fault and what to do.
public enum EconomyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no such thing.
    case notFound(String)
    /// The caller may not.
    case forbidden(String)
    /// A value is not what it must be; `field` is its name in the request.
    case invalid(field: String, reason: String)
    /// The mandate, or one above it, was revoked or has run out.
    case notLive(mandate: String, reason: String)
    /// More than a limit allows; `limit` says which.
    case exceeds(limit: String, mandate: String, wanted: Amount, left: Amount)
    /// Not among what the mandate allows.
    case notAllowed(mandate: String, what: String)
    /// A human must confirm a payment above the threshold first.
    case needsApproval(mandate: String, above: Amount)
    /// The state that it is in does not allow this.
    case wrongState(String)
    /// A signature that does not fit.
    case badSignature(String)
    /// An amount that is none.
    case money(MoneyError)

    /// The reason in one line.
    public var description: String {
        switch self {
        case .notFound(let what): "there is no \(what)"
        case .forbidden(let why), .wrongState(let why), .badSignature(let why): why
        case .invalid(let field, let reason): "\(field) \(reason)"
        case .notLive(let mandate, let reason): "the mandate \(mandate) \(reason): ask its grantor for another"
        case .exceeds(let limit, let mandate, let wanted, let left):
            "the \(limit) of the mandate \(mandate) leaves \(left), \(wanted) are asked for: ask for less or for a larger mandate"
        case .notAllowed(let mandate, let what): "the mandate \(mandate) does not allow \(what)"
        case .needsApproval(let mandate, let above):
            "the mandate \(mandate) wants a human's word for payments above \(above): ask by POST /v1/mandates/\(mandate)/approvals"
        case .money(let error): error.description
        }
    }
}

/// Does what may fail for its amounts, and says so as the economy does.
func exactly<Value>(_ body: () throws(MoneyError) -> Value) throws(EconomyError) -> Value {
    do throws(MoneyError) { return try body() } catch { throw .money(error) }
}
