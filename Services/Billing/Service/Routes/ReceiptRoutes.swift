internal import BillingDomain
internal import Blobs
internal import EventLog
internal import Events
internal import HTTP
internal import JSON
internal import Projections
internal import ServiceShell
internal import Web

/// Receipts: from a contribution's commitment to the payout, in one file that proves itself.
struct ReceiptRoutes: Sendable {
    let log: any LogClient
    let store: EvidenceStore
    let milestones: MilestoneReader
    let journal: JournalReader
    let proofs: ReceiptProofs
    /// Waits until the journal's rows hold a position.
    let applied: @Sendable (UInt64) async throws -> Void

    var routes: [Route] { [show] }

    private static let receipt: Schema = .named(
        "Receipt",
        .openObject(
            .required("type", .oneOf(Receipt.type)), .required("subject", .text(1...200), "The settlement or payout."),
            .required("payee", BillingCommands.account), .required("amount", BillingCommands.amount),
            .required("settlements", .list(.openObject(), atMost: Receipt.maximumSettlements), "What led to each, and what came of it."),
            .required("payouts", .list(.openObject(), atMost: Receipt.maximumPayouts)),
            .required("checkpoint", .text(1...65_535), "The signed note that all proofs are under."),
            .optional("vouched", .oneOf("log", "witnesses"), "Whose signatures it has: the log's own alone, or a witness's as well."),
            .required(
                "events",
                .list(
                    .object(
                        .required("position", .count), .required("event", .text(0...90_000), "Its bytes in base64."),
                        .required("proof", .list(.text(44...44), atMost: 63))), atMost: Receipt.maximumEvents)),
            .required("evidence", .list(.any, atMost: 200))))

    private var show: Route {
        Route(
            .get, "/v1/receipts/{id}", operation: "receipt",
            summary:
                "Which payee got what of a settlement or payout and why, with every event and its proof: for payer, payee and auditors.",
            access: .authenticated, path: ["id": .text(1...200)],
            query: [QueryParameter("account", BillingCommands.account, "The payee; the caller's own account when left out.")],
            replies: [.json(200, "The receipt; see docs/receipts.md.", Self.receipt)],
            problems: [.forbidden, .notFound, .unprocessable, .unavailable], deadline: .seconds(60)
        ) { context in
            var account: AccountID?
            if let text = context.query.string("account") {
                guard let id = AccountID(text) else { throw Problem(.badQuery, "must be <kind>:<owner>", field: "account") }
                account = id
            }
            // Whoever has just seen an event finds it.
            let size = try await log.read(from: 0, limit: 1, wait: nil).size
            do { if size > 0 { try await applied(size - 1) } } catch let error as ProjectionError {
                throw Problem(.unavailable, error.description, headers: ["Retry-After": "1"])
            }
            var writer = ReceiptWriter(archive: ReceiptArchive(log: log, store: store, milestones: milestones), journal: journal)
            var receipt = try await writer.write(
                context.path["id"], for: ReceiptWriter.Reader(caller: try context.caller, account: account))
            let (note, checkpoint, voucher) = try await proofs.checkpoint(covering: receipt.events.last?.position ?? 0)
            receipt.checkpoint = note
            receipt.voucher = voucher
            let events = receipt.events.map { LoggedEvent(position: UInt64($0.position), version: 0, bytes: $0.bytes) }
            receipt.events = try await proofs.prove(events, under: checkpoint)
            // What does not hold is not handed out.
            _ = try ReceiptCheck.check(receipt, under: checkpoint)
            return Response.json(receipt.json)
        }
    }
}
