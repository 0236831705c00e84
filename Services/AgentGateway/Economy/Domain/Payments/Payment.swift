public import Crypto
public import Events
public import Money

/// A payment that somebody signed and that was taken up.
public struct Payment: Sendable {
    /// What is known of it.
    public enum Status: String, Sendable {
        /// It was made.
        case settled = "SETTLED"
        /// It came to nothing and never will be made.
        case failed = "FAILED"
        /// It is on its way, or nobody has heard: it is being found out.
        case unknown = "UNKNOWN"
    }

    /// What was taken up.
    public let data: PaymentOpened
    /// What is known of it.
    public internal(set) var status: Status = .unknown
    /// Where it is, as soon as that is known.
    public internal(set) var transaction: String?
    /// What it took.
    public internal(set) var settled: PaymentSettled?
    /// Why it came to nothing.
    public internal(set) var reason: String?
    /// What was delivered for it, and what that takes.
    public internal(set) var delivered: PaymentDelivered?

    init(_ data: PaymentOpened) { self.data = data }

    /// What it takes, as far as that is known.
    public var amount: Amount { delivered?.amount ?? data.amount }
    /// Commitment to what was delivered for it.
    public var delivery: Digest? { delivered?.delivery ?? data.delivery }
    /// Whether it pays for an answer that is not there yet.
    public var awaitsDelivery: Bool { data.brief != nil && data.means != "task" && delivery == nil }

    /// What names what was signed: a chain, a payer there, and the payer's own name for it, which it gives once.
    public static func key(_ word: PaymentWord) -> String { "\(word.chain)/\(word.from)/\(word.scheme)/\(word.nonce)" }
}

/// A transfer of billing's that was made for a payment.
struct PaymentTransfer: Sendable, Hashable {
    let id: String
    let from: AccountID
    let to: AccountID
    let amount: Amount
}
