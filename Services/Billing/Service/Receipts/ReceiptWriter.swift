internal import BillingDomain
internal import Crypto
internal import EventLog
internal import Events
internal import Identity
internal import Money
internal import Web

/// Puts one receipt together.
struct ReceiptWriter {
    var archive: ReceiptArchive
    let journal: JournalReader

    /// Who may see a receipt, and of whose money.
    struct Reader: Sendable {
        let caller: Caller
        /// The account that was asked for.
        let account: AccountID?

        /// Auditors and payers see every payee's, payees their own.
        func payee(_ bill: SettlementPosted, _ postings: [Posting]) throws(Problem) -> AccountID {
            var units: [AccountID: Int128] = [:]
            for posting in postings where posting.account.accountKind == .pending {
                if let account = AccountID(String(posting.account.owner)) { units[account, default: 0] += posting.amount.units }
            }
            let payees = units.keys.sorted()
            let own = payees.filter { $0.owner == caller.subject }
            let seesAll = caller.has("billing:read") || bill.payer.owner == caller.subject
            if let account {
                guard seesAll || account.owner == caller.subject else { throw Self.forbidden(caller) }
                guard payees.contains(account) else {
                    throw Problem(.notFound, "the settlement pays nothing to \(account)", field: "account")
                }
                return account
            }
            if let first = own.first { return first }
            guard seesAll else { throw Self.forbidden(caller) }
            let contributors = payees.filter { $0.accountKind == .contributor }
            let largest = (contributors.isEmpty ? payees : contributors).max { (units[$0] ?? 0, $1) < (units[$1] ?? 0, $0) }
            guard let largest else { throw Problem(.notFound, "the settlement pays nobody: its fee was zero") }
            return largest
        }

        static func forbidden(_ caller: Caller) -> Problem {
            Problem(
                .forbidden, "\(caller.subject) neither paid nor was paid here, and the credential has no scope billing:read")
        }
    }

    /// The receipt of a settlement (by its own id, or that of the answer or training that it settles) or of a payout, without its proofs.
    mutating func write(_ id: String, for reader: Reader) async throws -> Receipt {
        if let position = try await archive.milestones.last(SettlementPosted.type, id) {
            let bill = try await archive.data(SettlementPosted.self, position)
            var postings = try await archive.entries(bill.postings)
            for correction in try await archive.milestones.all(SettlementCorrected.type, bill.id) {
                postings += try await archive.entries(try await archive.data(SettlementCorrected.self, correction).postings)
            }
            let payee = try reader.payee(bill, postings)
            return try await assemble(bill.id, payee, [position], atLeast: nil)
        }
        guard let position = try await archive.milestones.last(PayoutRequested.type, id) else {
            throw Problem(.notFound, "there is no settlement or payout \(id)")
        }
        let payout = try await archive.data(PayoutRequested.self, position)
        guard reader.caller.has("billing:read") || payout.account.owner == reader.caller.subject else {
            throw Reader.forbidden(reader.caller)
        }
        if let account = reader.account, account != payout.account {
            throw Problem(.notFound, "the payout is of \(payout.account)", field: "account")
        }
        let settled = try await settlements(behind: payout, at: position)
        guard !settled.isEmpty else {
            throw Problem(.unprocessable, "nothing that was settled stands behind this payout: the money came in another way")
        }
        return try await assemble(id, payout.account, settled, atLeast: position)
    }

    private mutating func assemble(_ id: String, _ payee: AccountID, _ settled: [Int], atLeast last: Int?) async throws -> Receipt {
        var parts: [ReceiptSettlement] = []
        var asset: Asset?
        for position in settled {
            let (part, bill) = try await settlement(position, payee)
            parts.append(part)
            asset = asset ?? bill.fee.asset
        }
        // What was refunded or corrected away is not what a payout took.
        if last != nil { parts.removeAll { $0.left == 0 } }
        guard let asset, !parts.isEmpty else {
            throw Problem(.unprocessable, "no settlement that left the payee anything stands behind it")
        }
        let payouts = try await payouts(of: payee, asset, behind: parts, atLeast: last)
        let left = parts.reduce(into: Int128(0)) { $0 += $1.left }
        var receipt = Receipt(
            subject: id, payee: payee, amount: Amount(left, asset), checkpoint: "-", events: [], evidence: [], settlements: parts,
            payouts: payouts)
        let named = Set(parts.flatMap(\.positions) + payouts.flatMap(\.positions))
        guard named.count <= Receipt.maximumEvents else {
            throw Problem(.unprocessable, "the receipt would have \(named.count) events, more than \(Receipt.maximumEvents)")
        }
        for position in named.sorted() {
            receipt.events.append(ProvenEvent(position: position, bytes: try await archive.event(position).bytes, proof: []))
        }
        guard archive.files.count <= 200, archive.files.values.reduce(0, { $0 + $1.count }) <= Receipt.maximumBytes / 2 else {
            throw Problem(.unprocessable, "the lists that this receipt needs are too long for one file")
        }
        receipt.evidence = archive.files.sorted { $0.key < $1.key }.map(\.value)
        for index in parts.indices {
            receipt.settlements[index] = try ReceiptCheck.explained(parts[index], in: receipt)
            receipt.settlements[index].state = try ReceiptCheck.state(of: parts[index], in: receipt)
        }
        return receipt
    }

    // MARK: One settlement

    private mutating func settlement(_ settled: Int, _ payee: AccountID) async throws -> (ReceiptSettlement, SettlementPosted) {
        let bill = try await archive.data(SettlementPosted.self, settled)
        guard ["inference", "training", "access", "task"].contains(bill.kind) else {
            throw Problem(
                .unprocessable, "receipts are of answers, trainings, readings and tasks; this settles the \(bill.kind) \(bill.reference)")
        }
        let postings = try await archive.entries(bill.postings)
        let own = postings.first { $0.account.text == "pending:" + payee.text }?.amount.units ?? 0
        var part = ReceiptSettlement(
            settled: settled, basis: bill.position, charges: [], datanets: [], units: own, why: [], left: own, state: .heldBack)
        for type in [HoldCaptured.type, JournalPosted.type] {
            part.charges += try await archive.milestones.all(type, bill.reference, before: settled)
        }
        part.charges.sort()
        part.rules = try await rules(of: bill, before: settled)
        if bill.kind == "task" {
            try await explain(&part, bill, payee)
        } else {
            var basis = try await basis(&part, bill)
            try await correct(&part, &basis, bill)
            for datanet in Set(basis.shares.filter { $0.share > 0 }.map(\.datanet)).sorted() {
                part.datanets.append(try await terms(datanet, before: part.basis + 1))
            }
            part.sources = try await sources(payee, basis, before: part.basis)
        }
        try await follow(&part, bill, payee)
        return (part, bill)
    }

    /// The rules of settlement that held when what was settled happened.
    private mutating func rules(of bill: SettlementPosted, before settled: Int) async throws -> Int? {
        let last = try await archive.milestones.last(SettlementRulesSet.type, "", before: settled)
        guard var position = last, bill.edition ?? 1 > 1 else { return last }
        let time = try EventHeader(trusted: try await archive.event(bill.position).bytes).time
        while try EventHeader(trusted: try await archive.event(position).bytes).time > time {
            guard let earlier = try await archive.milestones.last(SettlementRulesSet.type, "", before: position) else { return nil }
            position = earlier
        }
        return position
    }

    /// What corrected the attribution, and by which shares.
    private mutating func correct(_ part: inout ReceiptSettlement, _ basis: inout Basis, _ bill: SettlementPosted) async throws {
        for position in try await archive.milestones.all(SettlementCorrected.type, bill.id) {
            let posted = try await archive.data(SettlementCorrected.self, position)
            let corrected = try await archive.data(AttributionCorrected.self, posted.position)
            guard let ruling = try await archive.milestones.last(RulingMade.type, corrected.ruling, before: posted.position) else {
                throw Problem(.internal, "the ruling \(corrected.ruling) is not on the log")
            }
            part.corrections.append(.init(ruling: ruling, corrected: posted.position, settled: position, units: 0))
            guard !posted.late else { continue }
            basis.shares += try await archive.entries(corrected.shares)
            if let bytes = try await archive.file(corrected.evidence), let names = try? AttributionNames(bytes) { basis.add(names) }
        }
        guard part.corrections.count <= Receipt.maximumCorrections else {
            throw Problem(.unprocessable, "the settlement was corrected more than \(Receipt.maximumCorrections) times")
        }
    }

    /// What a settlement settles.
    struct Basis {
        var shares: [AttributionShare]
        var snapshots: [SnapshotReference]
        var names: [AttributionNames] = []

        /// Takes what a statement names, and the snapshots that it was computed from.
        mutating func add(_ statement: AttributionNames) {
            names.append(statement)
            for snapshot in statement.snapshots where !snapshots.contains(snapshot) { snapshots.append(snapshot) }
        }
    }

    private mutating func basis(_ part: inout ReceiptSettlement, _ bill: SettlementPosted) async throws -> Basis {
        if bill.kind == "access" {
            let used = try await archive.data(AccessUsed.self, part.basis)
            guard let shares = used.shares, let snapshot = used.snapshot,
                let position = try await archive.milestones.last(SnapshotPublished.type, snapshot, before: part.basis)
            else { throw Problem(.internal, "the snapshot of \(used.access) is not on the log") }
            return Basis(
                shares: try await archive.entries(shares), snapshots: [try await archive.data(SnapshotPublished.self, position).reference])
        }
        guard bill.kind == "inference" else {
            let job = try await archive.data(JobCompleted.self, part.basis)
            part.base = try await archive.milestones.last(BaseModelRegistered.type, job.base, before: part.basis)
            return Basis(shares: try await archive.entries(job.shares), snapshots: job.snapshots)
        }
        let attribution = try await archive.data(AttributionComputed.self, part.basis)
        part.inference = try await archive.milestones.last(InferenceCompleted.type, attribution.inference, before: part.basis)
        part.model = try await archive.milestones.last(
            ModelPublished.type, Milestone.model(attribution.model, attribution.version), before: part.basis)
        guard let position = part.model else { throw Problem(.internal, "the model of \(bill.id) is not on the log") }
        let model = try await archive.data(ModelPublished.self, position)
        if let job = model.job { part.training = try await archive.milestones.last(JobCompleted.type, job, before: position) }
        part.base = try await archive.milestones.last(BaseModelRegistered.type, model.base, before: position)
        var basis = Basis(shares: try await archive.entries(attribution.shares), snapshots: model.snapshots)
        if let bytes = try await archive.file(attribution.evidence), let names = try? AttributionNames(bytes) { basis.add(names) }
        return basis
    }

    mutating func terms(_ datanet: String, before: Int) async throws -> ReceiptSettlement.Datanet {
        let changed = try await archive.milestones.last(DatanetPolicyChanged.type, datanet, before: before)
        let created = try await archive.milestones.last(DatanetCreated.type, datanet, before: before)
        guard let policy = changed ?? created else { throw Problem(.internal, "the Datanet \(datanet) is not on the log") }
        // Who is in and stays in is told by the last event alone.
        var last: [[String]: Int] = [:]
        for position in try await archive.milestones.all(MemberGranted.type, datanet, before: before) {
            let member = try await archive.data(MemberGranted.self, position)
            if ["curator", "validator"].contains(member.role) { last[[member.role, member.principal]] = position }
        }
        for position in try await archive.milestones.all(MemberRevoked.type, datanet, before: before) {
            let member = try await archive.data(MemberRevoked.self, position)
            if let granted = last[[member.role, member.principal]], granted < position { last[[member.role, member.principal]] = nil }
        }
        return ReceiptSettlement.Datanet(policy: policy, members: last.values.sorted())
    }

    /// What came after the settlement: what flowed back or went to others, a dispute that waits, the release and the credit.
    private mutating func follow(_ part: inout ReceiptSettlement, _ bill: SettlementPosted, _ payee: AccountID) async throws {
        let pending = "pending:" + payee.text
        var changes: [(position: Int, units: Int128)] = []
        for position in try await archive.milestones.all(RefundPosted.type, bill.id) {
            let refund = try await archive.data(RefundPosted.self, position)
            changes.append((position, Self.units(try await archive.entries(refund.postings), pending)))
            part.returns.append(position)
        }
        var open: [String: Int] = [:]
        for position in try await archive.milestones.all(DisputeOpened.type, bill.id) {
            open[try await archive.data(DisputeOpened.self, position).id] = position
        }
        for position in try await archive.milestones.all(DisputeResolved.type, bill.id) {
            let ruling = try await archive.data(DisputeResolved.self, position)
            open[ruling.id] = nil
            guard ruling.refund.isPositive else { continue }
            changes.append((position, Self.units(try await archive.entries(ruling.postings), pending)))
            part.returns.append(position)
        }
        part.returns.sort()
        for correction in part.corrections {
            let posted = try await archive.data(SettlementCorrected.self, correction.settled)
            changes.append((correction.settled, Self.units(try await archive.entries(posted.postings), pending)))
        }
        for change in changes.sorted(by: { $0.position < $1.position }) {
            part.left += change.units
            if let index = part.corrections.firstIndex(where: { $0.settled == change.position }) {
                part.corrections[index].units = part.left
            }
        }
        part.disputed = open.values.max()
        guard let release = try await archive.milestones.last(SettlementReleased.type, bill.id) else { return }
        part.releases = [release]
        var credit: Int? = release
        let released = try await archive.data(SettlementReleased.self, release)
        if Self.units(try await archive.entries(released.postings), payee.text) <= 0 {
            credit = part.left == 0 ? nil : try await firstCredit(of: payee, bill.fee.asset, after: release)
            if let credit { part.releases.append(credit) }
        }
        if let credit {
            part.balance = try await journal.balance(of: payee, bill.fee.asset, at: UInt64(credit)).units
        }
    }

    private static func units(_ postings: [Posting], _ account: String) -> Int128 {
        postings.filter { $0.account.text == account }.reduce(into: Int128(0)) { $0 += $1.amount.units }
    }
}
