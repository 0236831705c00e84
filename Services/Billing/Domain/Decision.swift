public import Crypto
internal import Events
internal import Money

/// What a rule decided: events, and the long lists that they name by hash.
public struct Decision: Sendable {
    /// The events, in order.
    public internal(set) var events: [BillingEvent]
    /// What must be in the evidence store before the events are on the log.
    public internal(set) var evidence: [Digest: [UInt8]] = [:]

    /// Nothing.
    public static let nothing = Decision(events: [])

    init(events: [BillingEvent]) { self.events = events }

    init(_ event: BillingEvent) { events = [event] }

    /// The form in which so many entries stand in an event.
    mutating func list(_ postings: [Posting]) throws(BillingError) -> EvidenceList<Posting> {
        do {
            let (list, bytes) = try EvidenceList.of(postings)
            if let bytes, case .evidence(let digest, _) = list { evidence[digest] = bytes }
            return list
        } catch {
            throw .invalid(field: "postings", reason: "cannot be written: \(error)")
        }
    }
}

/// Builds the entries of one transaction, no two of one account.
struct Entries {
    private var units: [AccountID: Int128] = [:]
    let asset: Asset

    init(_ asset: Asset) { self.asset = asset }

    mutating func add(_ account: AccountID, _ amount: Int128) throws(BillingError) {
        let (sum, overflow) = units[account, default: 0].addingReportingOverflow(amount)
        if overflow { throw .money(.overflow(asset)) }
        units[account] = sum
    }

    /// So much from one account to another.
    mutating func move(_ amount: Int128, from source: AccountID, to destination: AccountID) throws(BillingError) {
        try add(source, -amount)
        try add(destination, amount)
    }

    /// In the order of the accounts' names, without those that do not change.
    var postings: [Posting] {
        units.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { Posting(account: $0.key, amount: Amount($0.value, asset)) }
    }
}

extension Decision {
    /// Adds another decision on the same state. The two must not touch the same things.
    public mutating func append(_ other: Decision) {
        events += other.events
        evidence.merge(other.evidence) { first, _ in first }
    }
}
