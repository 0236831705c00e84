public import Events
public import Money

/// One of several holds that are placed at once.
public struct HoldRequest: Sendable, Hashable {
    /// The hold's id.
    public let id: String
    /// Whose balance.
    public let account: AccountID
    /// How much.
    public let amount: Amount
    /// The log time from which it is void.
    public let expires: Timestamp
    /// Whose usage it shall pay.
    public let model: String?

    /// From its parts.
    public init(id: String, account: AccountID, amount: Amount, expires: Timestamp, model: String? = nil) {
        self.id = id
        self.account = account
        self.amount = amount
        self.expires = expires
        self.model = model
    }
}

/// One of several captures at once.
public struct CaptureRequest: Sendable, Hashable {
    /// The hold.
    public let hold: String
    /// How much of it.
    public let amount: Amount
    /// What it is for.
    public let reference: String
    /// Whether what is left is set free.
    public let final: Bool

    /// From its parts.
    public init(hold: String, amount: Amount, reference: String, final: Bool = true) {
        self.hold = hold
        self.amount = amount
        self.reference = reference
        self.final = final
    }
}

extension BillingState {
    /// At most so many holds are placed or captured at once.
    public static let maximumBatch = 500

    /// Reserves several parts of balances, all of them or none.
    public func placeHolds(_ requests: [HoldRequest], now: Timestamp) throws(BillingError) -> Decision {
        try Self.checkCount(requests.count, "holds")
        var decision = Decision.nothing
        var taken: [Journal.Key: Int128] = [:]
        for (place, request) in requests.enumerated() {
            do throws(BillingError) {
                decision.events += try placeHold(
                    id: request.id, on: request.account, request.amount, expires: request.expires, model: request.model, now: now
                ).events
                let key = Journal.Key(id: request.account, asset: request.amount.asset)
                // Each fits alone; so must all of one account together.
                let available = journal.available(request.account, request.amount.asset)
                let left = Amount(available.units - (taken[key] ?? 0), available.asset)
                guard request.amount.units <= left.units else {
                    throw .insufficient(request.account, wanted: request.amount, available: left)
                }
                taken[key, default: 0] += request.amount.units
            } catch { throw .at(place, error) }
        }
        return decision
    }

    /// Takes part or all of several holds, all of them or none; each hold and each reference once.
    public func captureHolds(_ requests: [CaptureRequest], now: Timestamp) throws(BillingError) -> Decision {
        try Self.checkCount(requests.count, "captures")
        var decision = Decision.nothing
        var holds: Set<String> = []
        var references: Set<String> = []
        for (place, request) in requests.enumerated() {
            do throws(BillingError) {
                guard holds.insert(request.hold).inserted else { throw .exists("a capture of the hold \(request.hold)") }
                guard references.insert(request.reference).inserted else { throw .exists("a capture for \(request.reference)") }
                decision.events += try captureHold(
                    request.hold, request.amount, reference: request.reference, final: request.final, now: now
                ).events
            } catch { throw .at(place, error) }
        }
        return decision
    }

    private static func checkCount(_ count: Int, _ field: String) throws(BillingError) {
        guard (1...maximumBatch).contains(count) else {
            throw .invalid(field: field, reason: "must have 1 to \(maximumBatch) members")
        }
    }
}
