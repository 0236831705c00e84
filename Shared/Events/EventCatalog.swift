/// Every event type of the published language, its owner and the versions that may be written.
///
/// A type is added here first; the ledger refuses what it does not know, so that a misspelt type never becomes history.
public enum EventCatalog {
    /// What is known of a type.
    public struct Entry: Sendable {
        /// The type's name, `<noun>.<past verb>`.
        public let type: String
        /// The service that may write it.
        public let owner: Service
        /// The newest version; versions from 1 up to it may be written and read.
        public let version: Int
    }

    /// All types, in the order of the services.
    public static let entries: [Entry] = Service.allCases.flatMap { service in
        types(of: service).map { Entry(type: $0, owner: service, version: 1) }
    }

    /// What is known of a type; nil when the catalogue does not have it.
    public static func entry(of type: String) -> Entry? { byType[type] }

    private static let byType = Dictionary(uniqueKeysWithValues: entries.map { ($0.type, $0) })

    private static func types(of service: Service) -> [String] {
        switch service {
        case .ledger: ["log-key.rotated"]
        case .ingest:
            [
                "contribution.submitted", "contribution.screened", "contribution.withdrawn", "content.erased",
                "contributor.claim-requested", "contributor.claimed", "contributor.withdrawn",
            ]
        case .datanet:
            [
                "datanet.created", "datanet.policy-changed", "datanet.described", "member.granted", "member.revoked",
                "review.opened", "review.drawn", "review.voted", "review.closed", "review.trap-committed", "review.trap-revealed",
                "admission.granted", "admission.refused", "snapshot.published", "access.requested", "access.granted",
                "access.revoked", "access.used", "access.searched", "proposal.opened", "proposal.voted", "proposal.closed", "ruling.made",
            ]
        case .training:
            [
                "base-model.registered", "job.requested", "job.started", "job.checkpointed", "job.completed",
                "job.failed", "job.cancelled", "job.paused", "job.released", "job.resumed", "job.delivered", "job.checked",
                "model.published", "model.retired", "model.handed-over", "runner.registered",
            ]
        case .attribution: ["index.built", "attribution.computed", "attribution.corrected"]
        case .billing:
            [
                "account.opened", "account.verified", "account.wallet-set", "account.transferred", "account.budget-set",
                "account.budget-alerted", "deposit.received",
                "hold.placed", "hold.captured", "hold.released", "price.published", "settlement.rules-set",
                "settlement.posted", "settlement.corrected", "settlement.released", "refund.posted", "dispute.opened", "dispute.resolved",
                "hold.returned", "account.reaction-closed", "dispute.lapsed", "payout.sent",
                "stake.bonded", "stake.unbonded", "stake.withdrawn", "stake.slashed", "stake.rewarded",
                "payout.requested", "payout.finished", "payout.epoch-closed", "payout.claimed",
            ]
        case .agentGateway:
            [
                "principal.registered", "principal.configured", "principal.erased", "key.rotated", "key.issued", "key.revoked",
                "mandate.granted", "mandate.revoked",
                "mandate.authorized", "mandate.settled", "mandate.freed", "mandate.approval-requested", "mandate.approval-decided",
                "service.listed", "service.withdrawn",
                "task.opened", "task.funded", "task.submitted", "task.accepted", "task.completed", "task.rejected", "task.expired",
                "wallet.linked", "wallet.unlinked", "payment.opened", "payment.delivered", "payment.sent", "payment.settled",
                "payment.failed",
                "inference.completed",
            ]
        }
    }
}
