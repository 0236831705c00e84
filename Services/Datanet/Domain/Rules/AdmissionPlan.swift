public import Events
internal import Licences

/// Which items of a contribution come into its Datanet, and which rule keeps the others out.
public struct AdmissionPlan: Sendable, Hashable {
    /// Items that come in, in the order of the contribution.
    public var granted: [AdmittedItem] = []
    /// Items that screening took and the Datanet does not, by reason.
    public var refused: [Refusal: [String]] = [:]
    /// Why the contribution as a whole stays outside; nil while single items are looked at.
    public var whole: Refusal?

    /// Why something stays outside. What screening rejected keeps the reasons that screening gave.
    public enum Refusal: String, Sendable, Hashable, CaseIterable {
        /// It names a Datanet that there is not.
        case unknownDatanet = "unknown-datanet"
        /// Its contributor may not contribute here, or no longer.
        case notAMember = "not-a-member"
        /// More items than one contribution may have.
        case tooManyItems = "too-many-items"
        /// The item's licence is not among those that the Datanet takes.
        case licenceConflict = "licence-conflict"
        /// Its quality is below what the Datanet asks for.
        case lowQuality = "low-quality"
        /// Its owner has taken it back.
        case withdrawn
        /// Screening accepted none of its items.
        case nothingAccepted = "nothing-accepted"
        /// Several of these.
        case several
        /// A panel refused it.
        case panel
        /// Too few of the panel voted.
        case noQuorum = "no-quorum"
        /// There were too few validators to draw a panel from.
        case noPanel = "no-panel"
        /// An appeal against its admission was upheld.
        case appeal
        /// It was a trap.
        case trap
        /// The Datanet has as many items as a snapshot may have.
        case datanetFull = "datanet-full"
    }

    /// Items of one contribution.
    public static let maximumItems = 150_000

    /// Judges a contribution by a Datanet's rules.
    /// - Parameters:
    ///   - items: all of the contribution's, as its event has them.
    ///   - judgingQuality: false when a panel judges instead.
    ///   - already: items that are in the Datanet by an earlier decision.
    public init(
        _ state: DatanetState, _ contribution: Contribution, items: [ScreenedItem], judgingQuality: Bool, already: Set<String> = []
    ) {
        guard let datanet = state.datanets[contribution.datanet] else {
            whole = .unknownDatanet
            return
        }
        guard datanet.mayContribute(contribution.contributor) else {
            whole = .notAMember
            return
        }
        guard items.count <= Self.maximumItems else {
            whole = .tooManyItems
            return
        }
        let licences = LicencePolicy(datanet.policy.licences)
        var verdicts: [String: Bool] = [:]
        let room = SnapshotRules.maximumItems - datanet.items
        for item in items where item.verdict == "accepted" && !already.contains(item.item) {
            let fits = verdicts[item.licence] ?? (try? LicenceExpression(item.licence)).map(licences.takes) ?? false
            verdicts[item.licence] = fits
            if state.isDropped(item: item.item, contribution: contribution.id, owner: item.owner) {
                refused[.withdrawn, default: []].append(item.item)
            } else if !fits {
                refused[.licenceConflict, default: []].append(item.item)
            } else if judgingQuality, item.quality < datanet.policy.minimumQuality {
                refused[.lowQuality, default: []].append(item.item)
            } else if granted.count >= room {
                // What no version could ever hold must not come in: nothing more could be published then.
                refused[.datanetFull, default: []].append(item.item)
            } else {
                granted.append(
                    AdmittedItem(
                        item: item.item, contribution: contribution.id, owner: item.owner, commitment: item.commitment, tokens: item.tokens,
                        licence: item.licence, language: item.language, cluster: item.cluster))
            }
        }
        if granted.isEmpty { whole = refused.count > 1 ? .several : refused.keys.first ?? .nothingAccepted }
    }

    /// The events that say so: what is granted, single refusals by reason, and last the refusal of the whole.
    func events(_ contribution: Contribution) throws -> [Decided] {
        var events: [Decided] = []
        if !granted.isEmpty {
            events.append(
                try Decided(
                    AdmissionGranted(
                        datanet: contribution.datanet, contribution: contribution.id, items: try EvidenceForm.of(granted).list),
                    "admission", contribution.id))
        }
        for reason in Refusal.allCases {
            guard let items = refused[reason] else { continue }
            for start in stride(from: 0, to: items.count, by: EvidenceList<AdmittedItem>.maximumEntries) {
                let part = Array(items[start..<min(items.count, start + EvidenceList<AdmittedItem>.maximumEntries)])
                events.append(try Self.refusal(contribution, reason, items: part))
            }
        }
        if let whole { events.append(try Self.refusal(contribution, whole)) }
        return events
    }

    static func refusal(_ contribution: Contribution, _ reason: Refusal, items: [String] = []) throws -> Decided {
        try Decided(
            AdmissionRefused(datanet: contribution.datanet, contribution: contribution.id, items: items, reason: reason.rawValue),
            "admission", contribution.id)
    }
}
