public import Events

/// What an account is for.
public enum AccountKind: String, Sendable, CaseIterable {
    /// Prepaid credit of who asks for answers and trainings.
    case payer
    /// Earnings of who gave data.
    case contributor
    /// Earnings of who looks after a Datanet.
    case curator
    /// Earnings and free money of who reviews for a Datanet.
    case validator
    /// Earnings of who owns a model.
    case modelOwner = "model-owner"
    /// Earnings of who runs models.
    case compute
    /// A Datanet's treasury.
    case datanet
    /// The platform's own.
    case platform
    /// Money that is captured and not yet settled, or that a dispute holds.
    case escrow
    /// Settled money within its holdback, or waiting for its owner to be verified: `pending:<account>`.
    case pending
    /// Staked money: `stake:<pool>:<account>`.
    case stake
    /// Money on its way out: `payout:<rail>`.
    case payout
    /// The world outside: what came in is below zero here, so that all accounts add up to zero.
    case external

    /// Whether its balance may go below zero without end.
    var isUnbounded: Bool { self == .external }

    /// Whether somebody opens it; the others open with their first entry.
    public var isOpenedByCommand: Bool { self == .payer }

    /// Whether money may be moved in and out by command; the others move by billing's own rules only.
    public var isTransferable: Bool {
        switch self {
        case .escrow, .pending, .stake, .payout, .external: false
        default: true
        }
    }

    /// Whether its owner must be verified before what is pending becomes available.
    public var needsVerifiedOwner: Bool {
        switch self {
        case .contributor, .curator, .validator, .modelOwner: true
        default: false
        }
    }

    /// Whether its balance is paid out to its owner's wallet when an epoch closes.
    public var isPaidOut: Bool {
        switch self {
        case .contributor, .curator, .validator, .modelOwner, .compute, .datanet: true
        default: false
        }
    }
}

extension AccountID {
    /// The kind; nil for one that billing does not know.
    public var accountKind: AccountKind? {
        guard let first = text.utf8.first else { return nil }
        // The first letter leaves few to look at.
        return switch first {
        case UInt8(ascii: "p"):
            isOfKind("pending")
                ? .pending : isOfKind("payer") ? .payer : isOfKind("platform") ? .platform : isOfKind("payout") ? .payout : nil
        case UInt8(ascii: "c"):
            isOfKind("contributor") ? .contributor : isOfKind("curator") ? .curator : isOfKind("compute") ? .compute : nil
        case UInt8(ascii: "e"): isOfKind("escrow") ? .escrow : isOfKind("external") ? .external : nil
        case UInt8(ascii: "v"): isOfKind("validator") ? .validator : nil
        case UInt8(ascii: "m"): isOfKind("model-owner") ? .modelOwner : nil
        case UInt8(ascii: "d"): isOfKind("datanet") ? .datanet : nil
        case UInt8(ascii: "s"): isOfKind("stake") ? .stake : nil
        default: nil
        }
    }

    /// Whose money it has: of what is pending or staked, the owner of the account that it comes from or goes to.
    public var beneficiary: Substring {
        switch accountKind {
        case .pending: awaited.beneficiary
        case .stake: AccountID(trusted: String(owner)).awaited.beneficiary
        default: owner
        }
    }

    /// The account where what it is owed waits.
    var pending: AccountID { AccountID(trusted: "pending:" + text) }

    /// An account of a kind.
    /// - Throws: when the owner has bytes that no account name may have.
    public init(_ kind: AccountKind, _ owner: String) throws(BillingError) {
        guard let id = AccountID(kind.rawValue + ":" + owner) else {
            throw .invalid(
                field: "owner", reason: "\"\(owner.prefix(80))\" must be 1 to 180 bytes of visible ASCII without quote and backslash")
        }
        self = id
    }

    /// Captured fees that wait for their settlement.
    public static let fees = AccountID(trusted: "escrow:fees")
    /// Bonds of open disputes.
    public static let bonds = AccountID(trusted: "escrow:disputes")
    /// Earnings that a closed epoch gives to wallets, until they are claimed.
    public static let wallets = AccountID(trusted: "payout:evm")
    /// The chain that wallets are paid on.
    public static let chain = AccountID(trusted: "external:evm")
}
