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

    /// At most this many entries make one transaction: the longest, of about 300 bytes each, still go into one file of the evidence store.
    static let maximumEntries = 200_000

    /// The form in which so many entries stand in an event.
    mutating func list(_ postings: [Posting]) throws(BillingError) -> EvidenceList<Posting> {
        guard postings.count <= Self.maximumEntries else {
            throw .invalid(field: "postings", reason: "are \(postings.count), more than the \(Self.maximumEntries) of one transaction")
        }
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
    /// In the order in which they came.
    private var units: [(account: AccountID, units: Int128)] = []
    /// Where each stands, once there are many.
    private var places: [AccountID: Int] = [:]
    let asset: Asset

    /// So many are looked for one by one.
    private static let few = 8

    init(_ asset: Asset) { self.asset = asset }

    mutating func add(_ account: AccountID, _ amount: Int128) throws(BillingError) {
        guard let place = place(account) else {
            if units.count >= Self.few {
                if places.isEmpty { for (place, entry) in units.enumerated() { places[entry.account] = place } }
                places[account] = units.count
            }
            units.append((account, amount))
            return
        }
        let (sum, overflow) = units[place].units.addingReportingOverflow(amount)
        if overflow { throw .money(.overflow(asset)) }
        units[place].units = sum
    }

    private func place(_ account: AccountID) -> Int? {
        units.count > Self.few ? places[account] : units.firstIndex { $0.account == account }
    }

    /// So much from one account to another.
    mutating func move(_ amount: Int128, from source: AccountID, to destination: AccountID) throws(BillingError) {
        try add(source, -amount)
        try add(destination, amount)
    }

    /// In the order of the accounts' names, without those that do not change.
    var postings: [Posting] {
        var postings: [Posting] = []
        postings.reserveCapacity(units.count)
        for entry in units where entry.units != 0 { postings.append(Posting(account: entry.account, amount: Amount(entry.units, asset))) }
        postings.sort { $0.account < $1.account }
        return postings
    }
}

extension Decision {
    /// Adds another decision on the same state. The two must not touch the same things.
    public mutating func append(_ other: Decision) {
        events += other.events
        evidence.merge(other.evidence) { first, _ in first }
    }
}
