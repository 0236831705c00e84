internal import BillingDomain
internal import Crypto
internal import EventLog
internal import Events
internal import JSON

/// The items behind a payee's part.
extension ReceiptWriter {
    /// So many of a payee's largest shares are led back to items, each to so many.
    private static let shares = 4
    private static let itemsOfShare = 3

    /// Items of the payee; of the largest shares, where the payee is no contributor.
    mutating func sources(_ payee: AccountID, _ basis: Basis, before: Int) async throws -> [ReceiptSettlement.Source] {
        let candidates = basis.shares.filter { share in
            switch payee.accountKind {
            case .contributor: share.owner == payee.owner
            case .datanet: share.datanet == payee.owner
            default: true
            }
        }.filter { $0.share > 0 }.sorted { ($1.share, $0.owner, $0.datanet) < ($0.share, $1.owner, $1.datanet) }
        var sources: [ReceiptSettlement.Source] = []
        // A correction names most shares again.
        var chosen: [AttributionShare] = []
        for share in candidates where chosen.count < Self.shares {
            if !chosen.contains(where: { $0.owner == share.owner && $0.datanet == share.datanet }) { chosen.append(share) }
        }
        for share in chosen {
            var found: [ReceiptSettlement.Source] = []
            for reference in basis.snapshots where reference.datanet == share.datanet && found.isEmpty {
                found = try await items(share, reference, basis.names, before: before)
            }
            sources += found
        }
        return Array(sources.prefix(Receipt.maximumSources))
    }

    /// Items of one share in one snapshot: those that the evidence names, or else the first of its owner.
    private mutating func items(
        _ share: AttributionShare, _ reference: SnapshotReference, _ names: [AttributionNames], before: Int
    ) async throws -> [ReceiptSettlement.Source] {
        guard let position = try await archive.milestones.last(SnapshotPublished.type, reference.snapshot, before: before) else {
            return []
        }
        let snapshot = try await archive.data(SnapshotPublished.self, position)
        let list = try EvidenceList<AdmittedItem>.decode(try await archive.evidence(snapshot.list))
        let spans = Set(names.flatMap(\.spans).map(\.item))
        let passages = Set(names.flatMap(\.passages).map(\.item))
        let own = list.indices.filter { list[$0].owner == share.owner }
        var chosen: [(index: Int, named: ReceiptSettlement.Source.Named)] = []
        for index in own where chosen.count < Self.itemsOfShare && spans.contains(list[index].item) { chosen.append((index, .spans)) }
        for index in own where chosen.count < Self.itemsOfShare && !spans.contains(list[index].item) && passages.contains(list[index].item)
        {
            chosen.append((index, .passages))
        }
        if chosen.isEmpty, let first = own.first { chosen = [(first, .owner)] }
        guard !chosen.isEmpty else { return [] }
        let leaves = try list.map { Merkle.leaf(try JSON.canonical($0.json, allowFractions: false)) }
        var sources: [ReceiptSettlement.Source] = []
        for choice in chosen {
            let item = list[choice.index]
            guard let way = try await wayIn(item, snapshot, at: position) else { continue }
            sources.append(
                ReceiptSettlement.Source(
                    item: item, index: choice.index, proof: InclusionProof(of: choice.index, in: leaves).hashes.map(\.bytes),
                    contribution: way.contribution, screening: way.screening, admission: way.admission, snapshot: position,
                    named: choice.named))
        }
        return sources
    }

    private mutating func wayIn(
        _ item: AdmittedItem, _ snapshot: SnapshotPublished, at position: Int
    ) async throws -> (contribution: Int, screening: Int, admission: Int)? {
        let subject = Milestone.admission(item.contribution, snapshot.datanet)
        for admission in try await archive.milestones.all(AdmissionGranted.type, subject, before: position).reversed() {
            let granted = try await archive.data(AdmissionGranted.self, admission)
            if let items = try await archive.shortEntries(granted.items), !items.contains(item) { continue }
            guard let screening = try await archive.milestones.last(ContributionScreened.type, item.contribution, before: admission),
                let contribution = try await archive.milestones.last(ContributionSubmitted.type, item.contribution, before: screening)
            else { continue }
            _ = try await archive.shortEntries(try await archive.data(ContributionScreened.self, screening).items)
            return (contribution, screening, admission)
        }
        return nil
    }
}
