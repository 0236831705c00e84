internal import BillingDomain
internal import Events
internal import JSON
internal import Money

/// What an account earned by one settlement, refunds and corrections counted in.
struct EarnedLine: Sendable {
    /// Where what was settled stands.
    let attributed: UInt64
    /// Where the last correction of the settlement stands; nil for none.
    let corrected: UInt64?
    let reference: String
    let kind: String
    let model: String
    let version: Int
    /// Datanet → owner → parts of 10^9.
    let shares: JSONValue
    let amount: Amount
}

/// Earnings by model and Datanet, or by model and item. What a contributor earned by an answer is divided among Datanets as their own shares
/// in it lie there; what others earned, as all shares do. Among items it is divided by the words that they gave. Parts add up to what the
/// entries say, to the last unit.
struct Earnings: Sendable {
    /// What stands beside the model.
    enum Kind: String, Sendable {
        case datanet, item
    }

    struct Key: Hashable, Comparable {
        let model: String
        /// The Datanet or the item; empty for what cannot be said of one.
        let part: String

        static func < (left: Key, right: Key) -> Bool {
            left.model != right.model ? left.model < right.model : left.part < right.part
        }
    }

    struct Sum {
        var amount: Amount
        var settlements = 0
    }

    private(set) var sums: [Key: Sum] = [:]
    private(set) var total: Amount
    private let account: AccountID
    private let kind: Kind

    init(_ account: AccountID, _ asset: Asset, by kind: Kind = .datanet) {
        self.account = account
        self.kind = kind
        total = .zero(asset)
    }

    /// - Parameter items: the account's owner's items with their weights, where items are asked for.
    mutating func add(_ line: EarnedLine, items: [(part: String, weight: UInt64)] = []) throws {
        // Corrected away, or refunded to the last unit.
        if line.amount.isZero { return }
        total = try total.adding(line.amount)
        let weights = kind == .item ? items : weights(line.shares)
        let model = line.model.isEmpty ? "" : "\(line.model)@\(line.version)"
        guard !weights.isEmpty else { return try add(line.amount, Key(model: model, part: "")) }
        // A refund that went beyond, in a settlement corrected later, may leave less than nothing: split it as it would be above.
        let units = line.amount.units
        let parts = try Amount(units.magnitude > UInt128(Int128.max) ? 0 : Int128(units.magnitude), line.amount.asset)
            .split(by: weights.map(\.weight))
        for (weight, part) in zip(weights, parts) {
            try add(units < 0 ? try part.negated() : part, Key(model: model, part: weight.part))
        }
    }

    private mutating func add(_ amount: Amount, _ key: Key) throws {
        var sum = sums[key] ?? Sum(amount: .zero(amount.asset))
        sum.amount = try sum.amount.adding(amount)
        sum.settlements += 1
        sums[key] = sum
    }

    private func weights(_ shares: JSONValue) -> [(part: String, weight: UInt64)] {
        guard case .object(let datanets) = shares else { return [] }
        switch account.accountKind {
        case .platform, .modelOwner, .compute: return []
        case .datanet: return [(String(account.owner), 1)]
        default: break
        }
        let isContributor = account.accountKind == .contributor
        var weights: [(part: String, weight: UInt64)] = []
        for datanet in datanets.keys.sorted() {
            guard case .object(let owners)? = datanets[datanet] else { continue }
            let parts = isContributor ? [owners[String(account.owner)]] : owners.keys.map { owners[$0] }
            let sum = parts.reduce(UInt64(0)) { $0 + UInt64(max(0, $1?.intValue ?? 0)) }
            if sum > 0 { weights.append((datanet, sum)) }
        }
        return weights
    }

    var json: JSONValue {
        [
            "account": .string(account.text), "total": total.json,
            "by": .array(
                sums.sorted { $0.key < $1.key }.map { key, sum in
                    .members([
                        "model": key.model.isEmpty ? nil : .string(key.model),
                        "datanet": kind == .datanet && !key.part.isEmpty ? .string(key.part) : nil,
                        "item": kind == .item && !key.part.isEmpty ? .string(key.part) : nil,
                        "amount": sum.amount.json, "settlements": .count(sum.settlements),
                    ])
                }),
        ]
    }
}
