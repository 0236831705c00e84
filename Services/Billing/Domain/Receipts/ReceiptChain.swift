internal import Crypto
internal import EventLog
internal import Events
internal import Identity
internal import JSON
internal import Money

/// The checks of one settlement of a receipt: what led to it, what it gives, what flowed back and what became available.
struct ReceiptChain {
    let facts: ReceiptFacts
    let payee: AccountID
    let part: ReceiptSettlement

    /// What the settlement settles, read from its events.
    struct Basis {
        var shares: [AttributionShare]
        /// The snapshots that anything can be due to.
        var snapshots: [SnapshotReference]
        var names: AttributionNames?
        var split: ModelSplit?
        var owner: String
        var runner: String
        /// What was settled, where it is a stage of a task: its own event says who gets what.
        var task: TaskCompleted?
    }

    /// What led to the settlement.
    struct Origin {
        let bill: SettlementPosted
        let time: Timestamp
        var basis: Basis
        /// What was put in the place of the basis' shares, in the log's order.
        var corrections: [Corrected] = []
        var inference: InferenceCompleted?
        var attribution: AttributionComputed?
        var training: JobCompleted?
    }

    func check() throws(ReceiptFault) -> ReceiptCheck.Settled {
        let origin = try origin()
        let bill = origin.bill
        for source in part.sources { try check(source, origin) }
        try checkCharges(bill, origin.basis.task)
        let terms = try terms(origin)
        let postings = try checkAmount(bill, origin.basis, terms)
        try checkChanges(origin, terms, postings)
        let credit = try checkReleases(origin)
        return ReceiptCheck.Settled(
            bill: bill, time: try facts.header(part.settled).time, part: part, inference: origin.inference, attribution: origin.attribution,
            training: origin.training, task: origin.basis.task, rulings: origin.corrections.map(\.ruling), credit: credit)
    }

    /// The part with the ways on which the payee's units come, from the events.
    func explained() throws(ReceiptFault) -> ReceiptSettlement {
        let origin = try origin()
        let terms = try terms(origin)
        var explained = part
        explained.why = try steps(origin.bill.fee, try tree(origin.bill, origin.basis, terms))
        for (index, correction) in origin.corrections.enumerated() where !correction.posted.late {
            explained.corrections[index].why = try steps(
                try left(of: origin.bill, at: correction.part.settled), try tree(correction.shares, terms))
        }
        return explained
    }

    private func terms(_ origin: Origin) throws(ReceiptFault) -> SettlementTerms {
        try ReceiptTerms(facts: facts, part: part).read(
            origin.bill, origin.basis, corrected: origin.corrections.flatMap(\.shares), at: origin.time)
    }

    private func origin() throws(ReceiptFault) -> Origin {
        let bill = try facts.data(SettlementPosted.self, part.settled)
        let header = try facts.header(part.basis)
        switch header.type {
        case AttributionComputed.type:
            let found = try facts.data(AttributionComputed.self, part.basis)
            try checkBill(bill, header, kind: "inference", reference: found.inference)
            let answer = try answered(found)
            var training: JobCompleted?
            if let position = part.training { training = try facts.data(JobCompleted.self, position) }
            return Origin(
                bill: bill, time: header.time, basis: answer.basis, corrections: try corrections(bill, found),
                inference: answer.inference, attribution: found, training: training)
        case JobCompleted.type:
            let job = try facts.data(JobCompleted.self, part.basis)
            try checkBill(bill, header, kind: "training", reference: job.job)
            try need(part.corrections.isEmpty, .link, "the settlement of a training has a corrected attribution")
            return Origin(bill: bill, time: header.time, basis: try trained(job), training: job)
        case AccessUsed.type:
            let used = try facts.data(AccessUsed.self, part.basis)
            try checkBill(bill, header, kind: "access", reference: used.access)
            try need(part.corrections.isEmpty, .link, "the settlement of a reading has a corrected attribution")
            return Origin(bill: bill, time: header.time, basis: try read(used))
        case TaskCompleted.type:
            let task = try facts.data(TaskCompleted.self, part.basis)
            try checkBill(bill, header, kind: "task", reference: BillingState.reference(task))
            try need(part.corrections.isEmpty, .link, "the settlement of a task has a corrected attribution")
            return Origin(bill: bill, time: header.time, basis: try worked(task))
        default: throw ReceiptFault(.event, "the event at \(part.basis) is \(header.type), which nothing settles")
        }
    }

    func need(_ truth: Bool, _ kind: ReceiptFault.Kind, _ reason: @autoclosure () -> String) throws(ReceiptFault) {
        if !truth { throw ReceiptFault(kind, reason()) }
    }

    // MARK: What was settled

    private func checkBill(_ bill: SettlementPosted, _ basis: EventHeader, kind: String, reference: String) throws(ReceiptFault) {
        let posted = try facts.header(part.settled)
        try need(
            bill.position == part.basis && bill.id == basis.id.text && posted.cause == .event(id: basis.id), .link,
            "the settlement \(bill.id) is not that of the event at \(part.basis)")
        try need(bill.kind == kind && bill.reference == reference, .link, "the settlement is of \(bill.kind) \(bill.reference)")
    }

    private func answered(_ found: AttributionComputed) throws(ReceiptFault) -> (basis: Basis, inference: InferenceCompleted) {
        guard let answerAt = part.inference, let modelAt = part.model else {
            throw ReceiptFault(.link, "the settlement of an answer names neither its inference nor its model")
        }
        let inference = try facts.data(InferenceCompleted.self, answerAt)
        let model = try facts.data(ModelPublished.self, modelAt)
        try need(inference.inference == found.inference, .link, "the inference at \(answerAt) is not \(found.inference)")
        try need(
            inference.model == found.model && inference.version == found.version && model.model == found.model
                && model.version == found.version, .link, "inference, model and attribution are not of one model and version")
        try need(
            inference.base == model.base && inference.adapter == model.adapter, .link,
            "the answer was not given by the model's base and adapter")
        try need((part.training == nil) == (model.job == nil), .link, "the model's training is missing, or it has none")
        var order = [modelAt, answerAt, part.basis, part.settled]
        if let position = part.training {
            let job = try facts.data(JobCompleted.self, position)
            try need(job.job == model.job && job.adapter == model.adapter, .link, "the training at \(position) did not make the model")
            try need(job.snapshots == model.snapshots, .link, "the model names other snapshots than its training learnt from")
            order.insert(position, at: 0)
            for source in part.sources {
                let snapshot = try facts.data(SnapshotPublished.self, source.snapshot).snapshot
                guard job.snapshots.contains(where: { $0.snapshot == snapshot }) else { continue }
                try checkOrder([source.snapshot, position], "the snapshot and the training that learnt from it")
            }
        }
        try checkBase(model.base)
        try checkOrder(order, "training, model, inference, attribution and settlement")
        let names = try facts.statement(found.evidence)
        let basis = Basis(
            shares: try facts.entries(found.shares), snapshots: model.snapshots + (names?.snapshots ?? []), names: names,
            split: model.split,
            owner: model.owner, runner: inference.runner)
        return (basis, inference)
    }

    private func trained(_ job: JobCompleted) throws(ReceiptFault) -> Basis {
        try need(
            part.inference == nil && part.model == nil && part.training == nil, .link,
            "the settlement of a training names an answer or a model")
        try checkBase(job.base)
        try checkOrder([part.basis, part.settled], "training and settlement")
        return Basis(
            shares: try facts.entries(job.shares), snapshots: job.snapshots, names: nil, split: nil, owner: job.owner, runner: job.runner)
    }

    private func read(_ used: AccessUsed) throws(ReceiptFault) -> Basis {
        try need(
            part.inference == nil && part.model == nil && part.training == nil && part.base == nil, .link,
            "the settlement of a reading names an answer or a model")
        try checkOrder([part.basis, part.settled], "reading and settlement")
        guard let shares = used.shares else { throw ReceiptFault(.link, "the reading at \(part.basis) cost nothing") }
        var snapshots: [SnapshotReference] = []
        for source in part.sources {
            let snapshot = try facts.data(SnapshotPublished.self, source.snapshot)
            if snapshot.snapshot == used.snapshot { snapshots.append(snapshot.reference) }
        }
        return Basis(
            shares: try facts.entries(shares), snapshots: snapshots, names: nil, split: .access, owner: used.reader, runner: used.reader)
    }

    private func worked(_ task: TaskCompleted) throws(ReceiptFault) -> Basis {
        try need(
            part.inference == nil && part.model == nil && part.training == nil && part.base == nil, .link,
            "the settlement of a task names an answer or a model")
        try checkOrder([part.basis, part.settled], "task and settlement")
        var shares: [AttributionShare] = []
        var snapshots: [SnapshotReference] = []
        for position in part.datanets.compactMap(\.snapshot) {
            let snapshot = try facts.data(SnapshotPublished.self, position)
            if let list = snapshot.shares { shares += try facts.entries(list) }
            snapshots.append(snapshot.reference)
        }
        return Basis(
            shares: shares, snapshots: snapshots, names: nil, split: .access, owner: task.provider, runner: task.provider, task: task)
    }

    private func checkBase(_ name: String) throws(ReceiptFault) {
        guard let base = part.base else { return }
        try need(try facts.data(BaseModelRegistered.self, base).model == name, .link, "the base model at \(base) is not \(name)")
    }

    func checkOrder(_ positions: [Int], _ what: String) throws(ReceiptFault) {
        try need(zip(positions, positions.dropFirst()).allSatisfy { $0 < $1 }, .order, "\(what) do not follow each other")
    }

    // MARK: Items

    private func check(_ source: ReceiptSettlement.Source, _ origin: Origin) throws(ReceiptFault) {
        let basis = origin.basis
        let item = source.item
        let snapshot = try facts.data(SnapshotPublished.self, source.snapshot)
        do {
            let proof = InclusionProof(
                index: UInt64(source.index), size: UInt64(snapshot.items), hashes: source.proof.compactMap { Digest($0) })
            try proof.verify(leaf: Merkle.leaf(try JSON.canonical(item.json, allowFractions: false)), root: snapshot.root)
        } catch { throw ReceiptFault(.item, "\(item.item) is not under the root of \(snapshot.snapshot): \(error)") }
        let reference = SnapshotReference(
            datanet: snapshot.datanet, snapshot: snapshot.snapshot, number: snapshot.number, root: snapshot.root)
        try need(basis.snapshots.contains(reference), .link, "nothing was made from \(snapshot.snapshot)")
        let admission = try facts.data(AdmissionGranted.self, source.admission)
        try need(
            admission.datanet == snapshot.datanet && admission.contribution == item.contribution, .link,
            "the admission at \(source.admission) is of another contribution")
        if let admitted = try facts.entriesIfThere(admission.items) {
            try need(admitted.contains(item), .link, "the admission has no \(item.item)")
        }
        let screening = try facts.data(ContributionScreened.self, source.screening)
        try need(screening.contribution == item.contribution, .link, "the screening at \(source.screening) is of another contribution")
        if let screened = try facts.entriesIfThere(screening.items) {
            let isThere = screened.contains {
                $0.item == item.item && $0.commitment == item.commitment && $0.owner == item.owner && $0.verdict == "accepted"
            }
            try need(isThere, .link, "the screening did not accept \(item.item)")
        }
        let contribution = try facts.data(ContributionSubmitted.self, source.contribution)
        try need(
            contribution.contribution == item.contribution, .link, "the contribution at \(source.contribution) is another one")
        let isSigned = DIDKey.publicKey(in: contribution.signer).flatMap { key in
            Base64URL.decode(contribution.signature).map { key.isValid(signature: $0, for: contribution.signedBytes) }
        }
        try need(isSigned == true, .signature, "the contribution at \(source.contribution) is not signed by \(contribution.signer)")
        try need(
            (basis.shares + origin.corrections.flatMap(\.shares)).contains {
                $0.share > 0 && $0.owner == item.owner && $0.datanet == snapshot.datanet
            }, .link,
            "\(item.owner) has no share by way of \(snapshot.datanet)")
        try need(payee.accountKind != .contributor || payee.owner == item.owner, .link, "\(item.item) is not the payee's")
        if source.named != .owner {
            let names = ([basis.names] + origin.corrections.map(\.names)).compactMap { $0 }
            try need(!names.isEmpty, .evidence, "the attribution's evidence is not in the receipt")
            let isNamed = names.contains { ($0.items(source.named)).contains { $0.item == item.item } }
            try need(isNamed, .link, "the evidence does not name \(item.item)")
        }
        try checkOrder(
            [source.contribution, source.screening, source.admission, source.snapshot, part.basis],
            "contribution, screening, admission, snapshot and what was settled")
    }

    // MARK: Money

    private func checkCharges(_ bill: SettlementPosted, _ task: TaskCompleted?) throws(ReceiptFault) {
        var taken: Int128 = 0
        for position in part.charges {
            let list: EvidenceList<Posting>
            let reference: String?
            if try facts.header(position).type == HoldCaptured.type {
                let capture = try facts.data(HoldCaptured.self, position)
                (list, reference) = (capture.postings, capture.reference)
            } else {
                let entry = try facts.data(JournalPosted.self, position)
                (list, reference) = (entry.postings, entry.reference)
            }
            try need(reference == bill.reference && position < part.settled, .fee, "the charge at \(position) is for something else")
            let sums = try facts.sums(list)
            let units = sums[.fees] ?? 0
            try need(
                sums.isEmpty || (sums.count == 2 && units > 0 && sums[bill.payer] == -units), .fee,
                "the charge at \(position) does not take the fee from \(bill.payer)")
            taken &+= units
        }
        try need(taken == bill.fee.units, .fee, "\(taken) units were taken, and \(bill.fee.unitsText) settled")
        guard let task else { return }
        try need(
            bill.fee.asset == task.amount.asset && bill.fee.units <= task.amount.units, .fee,
            "the task pays \(task.amount), and \(bill.fee) was settled")
    }

    private func checkAmount(_ bill: SettlementPosted, _ basis: Basis, _ terms: SettlementTerms) throws(ReceiptFault) -> [Posting] {
        let postings = try facts.entries(bill.postings)
        let expected: [Posting]
        let tree = try tree(bill, basis, terms)
        do throws(BillingError) {
            guard !bill.fee.isNegative else { throw .notPositive("a fee") }
            expected = try Settlement.postings(fee: bill.fee, parts: try tree.divide(bill.fee))
        } catch { throw ReceiptFault(.amount, "\(error)") }
        try need(postings == expected, .amount, "the postings of the settlement are not what the terms make")
        let own = postings.first { $0.account == payee.pending }?.amount.units ?? 0
        try need(part.units == own, .amount, "the settlement gives \(payee) \(own) units, not \(part.units)")
        try need(
            own > 0 || part.corrections.contains { $0.units > 0 }, .amount,
            "neither the settlement nor a correction gives \(payee) anything")
        try need(
            part.why == (try steps(bill.fee, tree)), .amount, "the steps to the amount are not those of the terms")
        return postings
    }

    /// How what was settled is divided.
    private func tree(_ bill: SettlementPosted, _ basis: Basis, _ terms: SettlementTerms) throws(ReceiptFault) -> SplitNode {
        guard let task = basis.task else { return try tree(basis.shares, terms) }
        var sources: [String: TaskSplit.Source]?
        if bill.edition ?? 1 > 2 {
            var all: [String: TaskSplit.Source] = [:]
            for (id, terms) in terms.datanets {
                all[id] = TaskSplit.Source(terms: terms, shares: basis.shares.filter { $0.datanet == id })
            }
            sources = all
        }
        do throws(BillingError) { return try TaskSplit.tree(of: task, sources) } catch { throw ReceiptFault(.amount, "\(error)") }
    }

    /// How a fee is divided by these shares.
    func tree(_ shares: [AttributionShare], _ terms: SettlementTerms) throws(ReceiptFault) -> SplitNode {
        do throws(BillingError) { return try Settlement.tree(terms: terms, shares: shares) } catch {
            throw ReceiptFault(.amount, "\(error)")
        }
    }

    /// The ways on which the payee's part of an amount comes.
    func steps(_ amount: Amount, _ tree: SplitNode) throws(ReceiptFault) -> [[SplitStep]] {
        do throws(BillingError) { return try tree.ways(of: amount).filter { $0.account == payee }.map(\.steps) } catch {
            throw ReceiptFault(.amount, "\(error)")
        }
    }

    private func checkReleases(_ origin: Origin) throws(ReceiptFault) -> Int? {
        let bill = origin.bill
        let moved = origin.corrections.filter { !$0.posted.late }.map(\.part.settled)
        if let position = part.disputed {
            try need(
                try facts.data(DisputeOpened.self, position).settlement == bill.id, .release, "the dispute is about another settlement")
        }
        try need(part.releases.count <= 2, .release, "there are more than two releases")
        var credit: Int?
        for (index, position) in part.releases.enumerated() {
            let release = try facts.data(SettlementReleased.self, position)
            try need(
                position > max(part.settled, part.returns.last ?? 0, moved.last ?? 0), .release, "the release at \(position) came before")
            try need(index > 0 || release.settlements.contains(bill.id), .release, "the release at \(position) is of other settlements")
            let gets = try facts.sums(release.postings)[payee] ?? 0
            try need(index == 0 || (gets > 0 && credit == nil), .release, "the release at \(position) does not credit \(payee)")
            guard gets > 0 else { continue }
            credit = position
            try need(gets >= part.left && (part.balance ?? 0) >= gets, .release, "the credit at \(position) or the balance is too small")
        }
        try need((part.balance == nil) == (credit == nil), .release, "there is a balance without a credit, or none with it")
        return credit
    }
}
