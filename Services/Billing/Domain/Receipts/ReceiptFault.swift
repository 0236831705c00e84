/// Why a receipt does not hold: the first of the checks of docs/receipts.md that fails.
public struct ReceiptFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of fault, by the words that both of our verifiers use.
    public enum Kind: String, Sendable, CaseIterable {
        /// It is no receipt, or one of a version that this program does not know.
        case format
        /// Nobody that is trusted signed the checkpoint.
        case signature
        /// An event is not under the checkpoint's root.
        case inclusion
        /// An event that is needed is not there, or is another kind of event.
        case event
        /// A list that is needed is not there, or is another one.
        case evidence
        /// Two things do not belong together.
        case link
        /// Something stands on the log before what it follows from.
        case order
        /// An item is not under its snapshot's root.
        case item
        /// The fee was not taken so.
        case fee
        /// The terms are not those that held.
        case terms
        /// A number does not follow from the terms.
        case amount
        /// What flowed back is not what it must be.
        case `return`
        /// What a corrected attribution moved is not what it must be.
        case correction
        /// The money did not become available so.
        case release
        /// The money did not leave so.
        case payout
        /// It says that it is further, or less far, than its events show.
        case state
        /// It is a receipt of something else than it says.
        case subject
    }

    /// Which check failed.
    public let kind: Kind
    /// What is wrong.
    public let reason: String

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    /// The fault in one line.
    public var description: String { "\(kind.rawValue): \(reason)" }
}
