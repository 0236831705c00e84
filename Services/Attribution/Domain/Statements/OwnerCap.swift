/// The most that one party may get of an answer: a verified owner, from the rules 4 on with the authors whose work it brought and whom nobody
/// has claimed; and all others who are not verified, who count as one, so that a crowd of new names gets no more than one name would.
///
/// What is above the cap goes to the other owners of the snapshots by their admitted tokens, not by what they are credited with: else a word
/// of one's own in an answer would earn what another's pages had to give up. Where nobody else is, it stays.
public enum OwnerCap {
    /// - Parameters:
    ///   - shares: parts of 10^9.
    ///   - admitted: the owners' admitted tokens.
    ///   - parties: who stands behind the unverified; where that says nothing of one, the crowd.
    /// - Returns: parts of 10^9 that add up as before.
    public static func apply(
        _ shares: [OwnerShare], cap: Int, admitted: [String: Int], unverified: Set<String>, parties: Parties = .alone
    ) throws(AttributionError) -> [String: Int] {
        var parts: [String: Int] = [:]
        for share in shares { parts[share.owner] = share.share }
        func group(_ owner: String) -> String {
            guard unverified.contains(owner) else { return owner }
            return parties.behind[owner] == nil ? Parties.crowd : parties.party(of: owner)
        }
        var members: [String: [String]] = [:]
        for owner in Set(parts.keys).union(admitted.keys).sorted(by: precedes) { members[group(owner), default: []].append(owner) }
        var full: Set<String> = []
        while true {
            var totals: [String: Int] = [:]
            for (owner, part) in parts { totals[group(owner), default: 0] += part }
            let over = totals.filter { $0.value > cap && !full.contains($0.key) }.keys.sorted(by: precedes)
            guard !over.isEmpty else { return parts }
            full.formUnion(over)
            var takers: [(name: String, weight: UInt128)] = []
            for (name, owners) in members where !full.contains(name) {
                let tokens = owners.reduce(0) { $0 + max(0, admitted[$1] ?? 0) }
                if tokens > 0 { takers.append((name, UInt128(tokens))) }
            }
            guard !takers.isEmpty else { return parts }
            var excess = 0
            for name in over {
                excess += (totals[name] ?? 0) - cap
                let owners = members[name] ?? []
                let kept = try Apportionment.divide(owners.map { ($0, UInt128(parts[$0] ?? 0)) }, whole: cap) ?? []
                for (owner, part) in zip(owners, kept) { parts[owner] = part }
            }
            guard let given = try Apportionment.divide(takers, whole: excess) else { throw .nobodyToCredit }
            for ((name, _), part) in zip(takers, given) {
                let owners = members[name] ?? []
                let divided = try Apportionment.divide(owners.map { ($0, UInt128(max(0, admitted[$0] ?? 0))) }, whole: part) ?? []
                for (owner, more) in zip(owners, divided) { parts[owner, default: 0] += more }
            }
        }
    }

    private static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
