internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import JSON
internal import Money
internal import TrainingDomain

/// The items behind a job's snapshots: whose they are, and which of them were taken back.
struct JobItems: Sendable {
    let maker: DecisionMaker<TrainingState>
    let evidence: EvidenceStore

    /// What is taken back of the snapshots that a job names.
    struct TakenBackPart: Sendable {
        /// In the snapshots' order.
        var items: [TakenBackItem] = []
        /// Their length together.
        var tokens = 0
    }

    /// The items of snapshots.
    func all(of references: [SnapshotReference]) async throws -> [SnapshotItems] {
        var all: [SnapshotItems] = []
        for reference in references { all.append(SnapshotItems(reference, try await items(of: reference))) }
        return all
    }

    /// The items of a job's snapshots that are handed out no more.
    func takenBack(from references: [SnapshotReference]) async throws -> TakenBackPart {
        var part = TakenBackPart()
        guard try await maker.query({ !$0.takenBack.isEmpty }) else { return part }
        for reference in references {
            let items = SnapshotItems(reference, try await items(of: reference))
            let gone = try await maker.query { items.takenBack($0) }
            part.items += gone.map { TakenBackItem(datanet: reference.datanet, item: $0.item) }
            part.tokens += gone.reduce(0) { $0 + $1.tokens }
        }
        return part
    }

    /// Whose data a job learned from: who took theirs back has no part in what is learned from then on.
    func shares(of job: TrainingJob) async throws -> EvidenceList<AttributionShare> {
        let gone = Set(try await takenBack(from: job.request.snapshots).items)
        var items: [(datanet: String, items: [AdmittedItem])] = []
        for reference in job.request.snapshots {
            let all = try await self.items(of: reference)
            let datanet = reference.datanet
            items.append((datanet, gone.isEmpty ? all : all.filter { !gone.contains(TakenBackItem(datanet: datanet, item: $0.item)) }))
        }
        let (list, long) = try EvidenceList.of(try TokenShares.of(items))
        if let long { _ = try await evidence.put(canonical: long) }
        return list
    }

    private func items(of reference: SnapshotReference) async throws -> [AdmittedItem] {
        guard let snapshot = try await maker.query({ $0.snapshot(reference.datanet, reference.number) }) else {
            throw TrainingError.notFound("snapshot \(reference.number) of \(reference.datanet)")
        }
        return try EvidenceList<AdmittedItem>.decode(try await evidence.bytes(snapshot.list))
    }
}
