internal import BillingDomain
internal import Events
internal import Web

/// What stands behind a stage of a task: its own event, and of each Datanet that gets a part the terms and the newest snapshot.
extension ReceiptWriter {
    mutating func explain(_ part: inout ReceiptSettlement, _ bill: SettlementPosted, _ payee: AccountID) async throws {
        // Before edition 3 what was a Datanet's was its treasury's.
        guard bill.edition ?? 1 > 2 else { return }
        let task = try await archive.data(TaskCompleted.self, part.basis)
        var basis = Basis(shares: [], snapshots: [])
        for datanet in TaskSplit.datanets(of: task).sorted() {
            var terms = try await terms(datanet, before: part.basis + 1)
            if let (position, snapshot, list) = try await newest(of: datanet, before: part.basis) {
                terms.snapshot = position
                basis.shares += try await archive.entries(list)
                basis.snapshots.append(snapshot.reference)
            }
            part.datanets.append(terms)
        }
        // Client and provider agreed what agents and models get: no item stands behind that.
        guard [.contributor, .curator, .datanet].contains(payee.accountKind) else { return }
        part.sources = try await sources(payee, basis, before: part.basis)
    }

    /// A Datanet's newest snapshot that says whose work it is.
    private mutating func newest(
        of datanet: String, before: Int
    ) async throws -> (position: Int, snapshot: SnapshotPublished, shares: EvidenceList<AttributionShare>)? {
        var before = before
        while let position = try await archive.milestones.last(SnapshotPublished.type, datanet, before: before) {
            let snapshot = try await archive.data(SnapshotPublished.self, position)
            if let shares = snapshot.shares { return (position, snapshot, shares) }
            before = position
        }
        return nil
    }
}
