internal import Events

/// The terms of a settlement, read from the events of a receipt.
struct ReceiptTerms {
    let facts: ReceiptFacts
    let part: ReceiptSettlement

    func read(
        _ bill: SettlementPosted, _ basis: ReceiptChain.Basis, corrected: [AttributionShare], at time: Timestamp
    ) throws(ReceiptFault) -> SettlementTerms {
        let edition = bill.edition ?? 1
        try need((1...BillingState.presentEdition).contains(edition), "edition \(edition) of the rules is not known")
        var rules = BillingState.standardRules
        if let position = part.rules {
            rules = try facts.data(SettlementRulesSet.self, position)
            try need(position < part.settled, "the rules at \(position) came later")
            let since = try facts.header(position).time
            try need(edition == 1 || since <= time, "the rules at \(position) came after what was settled happened")
        }
        var datanets: [String: SettlementTerms.Datanet] = [:]
        for entry in part.datanets {
            let (id, policy) = try policy(entry.policy)
            try need(datanets[id] == nil, "the Datanet \(id) is there twice")
            datanets[id] = try terms(id, policy, entry.members)
            try check(entry.snapshot, of: id, isTask: basis.task != nil)
        }
        var named = Set((basis.shares + corrected).filter { $0.share > 0 }.map(\.datanet))
        // Before edition 3 a task's part for a Datanet was its treasury's, whatever its terms were.
        if let task = basis.task { named = edition > 2 ? TaskSplit.datanets(of: task) : [] }
        try need(Set(datanets.keys) == named, "the Datanets are not those of the shares")
        let split = basis.split ?? rules.training
        let points = [split.owner, split.datanets, split.contributors, split.validators, split.compute]
        try need(rules.platformPoints <= 10_000 && Self.isWhole(points), "the points of the platform or the split do not make 10,000")
        for (id, terms) in datanets {
            try need(Self.isWhole([terms.treasury, terms.curating, terms.contributing]), "the points of \(id) do not make 10,000")
        }
        try need(rules.holdbackSeconds <= Self.longestHoldback, "the holdback of the rules is longer than a year")
        // From log time on, which a receipt does not show: at least from when it happened.
        let first = time.adding(seconds: rules.holdbackSeconds)
        try need(edition > 1 ? bill.releaseAt >= first : bill.releaseAt == first, "the holdback is not that of the rules")
        return SettlementTerms(
            platformPoints: rules.platformPoints, platform: rules.platform, split: split, owner: basis.owner, runner: basis.runner,
            datanets: datanets)
    }

    /// The snapshot by which a task's contributors are paid.
    private func check(_ snapshot: Int?, of id: String, isTask: Bool) throws(ReceiptFault) {
        guard let snapshot else { return }
        try need(isTask, "the snapshot at \(snapshot) is for what is no task")
        let published = try facts.data(SnapshotPublished.self, snapshot)
        try need(
            published.datanet == id && published.shares != nil && snapshot < part.basis,
            "the snapshot at \(snapshot) is of another Datanet, came later, or does not say whose work it is")
    }

    private func policy(_ position: Int) throws(ReceiptFault) -> (id: String, policy: DatanetPolicy) {
        try need(position <= part.basis, "the policy at \(position) came later")
        if try facts.header(position).type == DatanetCreated.type {
            let created = try facts.data(DatanetCreated.self, position)
            return (created.datanet, created.policy)
        }
        let changed = try facts.data(DatanetPolicyChanged.self, position)
        return (changed.datanet, changed.policy)
    }

    private func terms(_ id: String, _ policy: DatanetPolicy, _ members: [Int]) throws(ReceiptFault) -> SettlementTerms.Datanet {
        var holders: [String: Set<String>] = ["curator": [], "validator": []]
        for position in members {
            let (datanet, principal, role, isIn): (String, String, String, Bool)
            if try facts.header(position).type == MemberGranted.type {
                let member = try facts.data(MemberGranted.self, position)
                (datanet, principal, role, isIn) = (member.datanet, member.principal, member.role, true)
            } else {
                let member = try facts.data(MemberRevoked.self, position)
                (datanet, principal, role, isIn) = (member.datanet, member.principal, member.role, false)
            }
            try need(datanet == id && position <= part.basis, "the member at \(position) is of another Datanet, or came later")
            if isIn { holders[role]?.insert(principal) } else { holders[role]?.remove(principal) }
        }
        return SettlementTerms.Datanet(
            treasury: policy.treasuryPoints, curating: policy.curatorPoints, contributing: policy.contributorPoints,
            curators: Array(holders["curator"] ?? []), validators: Array(holders["validator"] ?? []))
    }

    /// What rules may set at most, in seconds.
    private static let longestHoldback = 31_536_000

    private static func isWhole(_ points: [Int]) -> Bool {
        points.allSatisfy { (0...10_000).contains($0) } && points.reduce(0, +) == 10_000
    }

    private func need(_ truth: Bool, _ reason: @autoclosure () -> String) throws(ReceiptFault) {
        if !truth { throw ReceiptFault(.terms, reason()) }
    }
}
