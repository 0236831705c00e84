public import Crypto
public import Events
public import Money

/// Why billing refuses a command. Each says who or what is at fault and what to do.
public enum BillingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The account is not there.
    case unknownAccount(AccountID, Asset)
    /// The account is open already.
    case accountExists(AccountID, Asset)
    /// An account of this kind cannot be used so.
    case wrongKind(AccountID, reason: String)
    /// More than the balance, less holds, plus overdraft.
    case insufficient(AccountID, wanted: Amount, available: Amount)
    /// The balance would be above the account's ceiling.
    case aboveCeiling(AccountID, ceiling: Amount)
    /// Not above zero.
    case notPositive(String)
    /// Another asset than the one it belongs to.
    case wrongAsset(expected: Asset, actual: Asset)
    /// An exact calculation went beyond 128 bits, or a split is none.
    case money(MoneyError)
    /// The entries do not add up to zero.
    case unbalanced(Asset)
    /// Nothing of that name: `hold hd_1`.
    case notFound(String)
    /// It is there already, with something else in it.
    case exists(String)
    /// The hold's time is over.
    case holdExpired(String, at: Timestamp)
    /// More than what is left of it.
    case beyond(what: String, wanted: Amount, left: Amount)
    /// The window in which a settlement can be disputed or refunded is over.
    case windowOver(String)
    /// Something else must happen first.
    case inTheWay(String)
    /// A list that an event names by hash is not at hand: put it there and ask again.
    case needsEvidence(Digest)
    /// One of several that are asked for at once, by its place from 0.
    indirect case at(Int, BillingError)
    /// A value that is none; the field and what it must be.
    case invalid(field: String, reason: String)

    /// A short name that programs can rely on.
    public var code: String {
        switch self {
        case .unknownAccount: "unknown-account"
        case .accountExists: "account-exists"
        case .wrongKind: "wrong-account-kind"
        case .insufficient: "insufficient-funds"
        case .aboveCeiling: "above-ceiling"
        case .notPositive: "not-positive"
        case .wrongAsset: "wrong-asset"
        case .money: "amount"
        case .unbalanced: "unbalanced"
        case .notFound: "not-found"
        case .exists: "exists"
        case .holdExpired: "hold-expired"
        case .beyond: "beyond"
        case .windowOver: "window-over"
        case .inTheWay: "in-the-way"
        case .needsEvidence: "in-the-way"
        case .at(_, let error): error.code
        case .invalid: "invalid"
        }
    }

    /// The refusal in one line.
    public var description: String {
        switch self {
        case .unknownAccount(let account, let asset): "there is no account \(account) in \(asset): open it first"
        case .accountExists(let account, let asset): "the account \(account) in \(asset) is open already, with other limits"
        case .wrongKind(let account, let reason): "the account \(account) \(reason)"
        case .insufficient(let account, let wanted, let available):
            "the account \(account) has \(available) available, \(wanted) were asked for: deposit more or ask for less"
        case .aboveCeiling(let account, let ceiling): "the account \(account) may hold at most \(ceiling)"
        case .notPositive(let what): "\(what) must be above zero"
        case .wrongAsset(let expected, let actual): "expected an amount in \(expected), got \(actual)"
        case .money(let error): error.description
        case .unbalanced(let asset): "the entries in \(asset) do not add up to zero"
        case .notFound(let what): "there is no \(what)"
        case .exists(let what): "\(what) is there already"
        case .holdExpired(let hold, let time): "the hold \(hold) expired at \(time): place a new one"
        case .beyond(let what, let wanted, let left): "\(what): \(wanted) were asked for, \(left) are left"
        case .windowOver(let settlement):
            "the settlement \(settlement) can no longer be disputed or refunded: its holdback is over"
        case .inTheWay(let reason): reason
        case .needsEvidence(let digest): "the list \(digest.prefixed) is not at hand yet"
        case .at(let place, let error): "number \(place), counted from 0: \(error)"
        case .invalid(let field, let reason): "\(field) \(reason)"
        }
    }
}

/// A billing event that cannot follow what came before it: the log holds something that billing's rules do not allow.
public struct BillingFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The event's type.
    public let type: String
    /// What it is about: an id.
    public let subject: String
    /// What is wrong.
    public let reason: String

    /// From its parts.
    public init(_ type: String, _ subject: String, _ reason: String) {
        self.type = type
        self.subject = subject
        self.reason = reason
    }

    /// The fault in one line.
    public var description: String { "\(type) \(subject): \(reason)" }
}

/// Computes what an event must hold; what the rules would refuse is a fault on the log.
func lawful<Value>(_ type: String, _ subject: String, _ body: () throws(BillingError) -> Value) throws(BillingFault) -> Value {
    do throws(BillingError) { return try body() } catch { throw BillingFault(type, subject, "\(error)") }
}

/// Does what may fail for its amounts, and says so as billing does.
func exactly<Value>(_ body: () throws(MoneyError) -> Value) throws(BillingError) -> Value {
    do throws(MoneyError) { return try body() } catch {
        if case .wrongAsset(let expected, let actual) = error { throw .wrongAsset(expected: expected, actual: actual) }
        throw .money(error)
    }
}
