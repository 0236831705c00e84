public import Events
public import Money

/// Which payee got what amount and why, with every event that it follows from: a file that can be checked without any server. Its format and
/// the checks are described in docs/receipts.md.
public struct Receipt: Sendable, Hashable {
    /// The format's name and version.
    public static let type = "openledger/receipt/v1"
    /// The most bytes of a file.
    public static let maximumBytes = 32 << 20
    /// The most events of a file.
    public static let maximumEvents = 2_000
    /// The most settlements of a file.
    public static let maximumSettlements = 20
    /// The most payouts of a file.
    public static let maximumPayouts = 50
    /// The most corrections of one settlement.
    public static let maximumCorrections = 20
    /// The most items that are shown for one settlement.
    public static let maximumSources = 16

    /// Whose signatures a checkpoint has.
    public enum Vouching: String, Sendable {
        /// The log's own alone.
        case log
        /// A witness's as well.
        case witnesses
    }

    /// The settlement or the payout that it is of.
    public var subject: String
    /// Who is paid.
    public var payee: AccountID
    /// What the settlements give, after what flowed back.
    public var amount: Amount
    /// The signed note, verbatim.
    public var checkpoint: String
    /// Who vouched for it when it was written, as far as its writer could have it; nil where it does not say.
    public var voucher: Vouching?
    /// Every event on the way, by position.
    public var events: [ProvenEvent]
    /// Files of the evidence store.
    public var evidence: [[UInt8]]
    /// The settlements.
    public var settlements: [ReceiptSettlement]
    /// The payee's payouts since the first credit.
    public var payouts: [ReceiptPayout]

    /// From its parts.
    public init(
        subject: String, payee: AccountID, amount: Amount, checkpoint: String, events: [ProvenEvent], evidence: [[UInt8]],
        settlements: [ReceiptSettlement], payouts: [ReceiptPayout]
    ) {
        self.subject = subject
        self.payee = payee
        self.amount = amount
        self.checkpoint = checkpoint
        self.events = events
        self.evidence = evidence
        self.settlements = settlements
        self.payouts = payouts
    }
}

/// An event with the proof that it is under the receipt's checkpoint.
public struct ProvenEvent: Sendable, Hashable {
    /// Its position.
    public var position: Int
    /// Its bytes.
    public var bytes: [UInt8]
    /// The hashes from the leaf's sibling to the root's child.
    public var proof: [[UInt8]]

    /// From its parts.
    public init(position: Int, bytes: [UInt8], proof: [[UInt8]]) {
        self.position = position
        self.bytes = bytes
        self.proof = proof
    }
}

/// A payout of the payee's; numbers are positions.
public enum ReceiptPayout: Sendable, Hashable {
    /// On a rail: what was requested, and what came of it.
    case rail(request: Int, finish: Int?)
    /// To a wallet: the epoch that gave it, what set the wallet, and what claimed it.
    case wallet(epoch: Int, wallet: Int, claim: Int?)

    /// Where the money left the account.
    public var position: Int {
        switch self {
        case .rail(let request, _): request
        case .wallet(let epoch, _, _): epoch
        }
    }
}
