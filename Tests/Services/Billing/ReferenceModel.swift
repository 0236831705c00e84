/// Billing as one would write it on a napkin: dictionaries of whole numbers, no batches, no indexes, no accounts that wait. It is
/// slow, and simple enough to be believed.
struct ReferenceModel {
    struct Hold {
        var owner: Int
        var left: Int
        var expires: Int
    }

    struct Settlement {
        var payer: Int
        var due: Int
        var parts: [String: Int]
        var disputed = false
    }

    var balance: [String: Int] = [:]
    var holds: [String: Hold] = [:]
    var settlements: [String: Settlement] = [:]
    var waiting: [String: Int] = [:]
    var stakes: [Int: Int] = [:]
    var unbonding: [String: (owner: Int, amount: Int, due: Int)] = [:]
    var verified: Set<String> = []

    static func payer(_ index: Int) -> String { "payer:p\(index)" }

    func available(_ payer: Int) -> Int {
        (balance[Self.payer(payer)] ?? 0) - holds.values.filter { $0.owner == payer }.reduce(0) { $0 + $1.left }
    }

    mutating func move(_ amount: Int, _ from: String, _ to: String) {
        balance[from, default: 0] -= amount
        balance[to, default: 0] += amount
    }

    /// Largest remainder, written as its definition says.
    static func split(_ amount: Int, _ weights: [Int]) -> [Int] {
        let total = weights.reduce(0, +)
        if total == 0 { return weights }
        var parts = weights.map { amount * $0 / total }
        var order = weights.indices.map { ($0, amount * weights[$0] % total) }
        order.sort { $0.1 == $1.1 ? $0.0 < $1.0 : $0.1 > $1.1 }
        for (index, _) in order.prefix(amount - parts.reduce(0, +)) { parts[index] += 1 }
        return parts
    }

    mutating func settle(_ id: String, payer: Int, fee: Int, shares: [(String, Int)], due: Int) {
        let all = Self.parts(fee, shares)
        for (account, part) in all { move(part, Self.payer(payer), "pending:" + account) }
        if !all.isEmpty { settlements[id] = Settlement(payer: payer, due: due, parts: all) }
    }

    /// What is left of a fee is shared out anew; nothing happens when the holdback is over.
    mutating func correct(_ id: String, _ shares: [(String, Int)]) {
        guard var settlement = settlements[id] else { return }
        let next = Self.parts(settlement.parts.values.reduce(0, +), shares)
        for (account, part) in settlement.parts { balance["pending:" + account, default: 0] -= part }
        for (account, part) in next { balance["pending:" + account, default: 0] += part }
        settlement.parts = next
        settlements[id] = settlement
    }

    static func parts(_ fee: Int, _ shares: [(String, Int)]) -> [String: Int] {
        let (platform, net) = { ($0[0], $0[1]) }(Self.split(fee, [500, 9_500]))
        let parts = Self.split(net, [2_000, 3_000, 3_000, 1_000, 1_000])
        let datanet = Self.split(parts[1], [5_000, 2_000, 3_000])
        let owners = shares.sorted { $0.0 < $1.0 }
        var all: [String: Int] = [
            "platform:house": platform, "model-owner:acme": parts[0], "datanet:dn_1": datanet[0], "curator:cora": datanet[1],
            "validator:vera": parts[3], "compute:runner-1": parts[4],
        ]
        for sum in [datanet[2], parts[2]] {
            for (owner, part) in zip(owners, Self.split(sum, owners.map(\.1))) { all["contributor:" + owner.0, default: 0] += part }
        }
        return all.filter { $0.value > 0 }
    }

    mutating func refund(_ id: String, _ amount: Int) {
        guard var settlement = settlements[id] else { return }
        let names = settlement.parts.keys.sorted()
        for (name, back) in zip(names, Self.split(amount, names.map { settlement.parts[$0] ?? 0 })) {
            settlement.parts[name, default: 0] -= back
            move(back, "pending:" + name, Self.payer(settlement.payer))
        }
        settlements[id] = settlement
    }

    func isPayable(_ account: String) -> Bool {
        let parts = account.split(separator: ":")
        return !["contributor", "curator", "validator", "model-owner"].contains(parts[0]) || verified.contains(String(parts[1]))
    }

    mutating func sweep(_ now: Int) {
        for (id, hold) in holds where hold.expires <= now { holds[id] = nil }
        for (id, item) in unbonding where item.due <= now {
            move(item.amount, "stake:dn_1:" + Self.payer(item.owner), Self.payer(item.owner))
            unbonding[id] = nil
        }
        for (id, settlement) in settlements where settlement.due <= now && !settlement.disputed {
            for (account, part) in settlement.parts { waiting[account, default: 0] += part }
            settlements[id] = nil
        }
        for (account, amount) in waiting where isPayable(account) {
            move(amount, "pending:" + account, account)
            waiting[account] = nil
        }
    }
}
