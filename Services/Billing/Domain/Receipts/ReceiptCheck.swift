internal import Crypto
public import EventLog
public import Events
internal import Money

/// Checks receipts, with nothing but the file and a key: the checks of docs/receipts.md, in their order.
public enum ReceiptCheck {
    /// What a receipt that holds says.
    public struct Finding: Sendable {
        /// What the log committed to.
        public let checkpoint: Checkpoint
        /// The settlements, in the receipt's order.
        public let settlements: [Settled]
    }

    /// A settlement of a receipt that holds.
    public struct Settled: Sendable {
        /// Its event's data.
        public let bill: SettlementPosted
        /// When it was settled.
        public let time: Timestamp
        /// As the receipt has it.
        public let part: ReceiptSettlement
        /// What was asked, where it is the fee of an answer.
        public let inference: InferenceCompleted?
        /// The attribution, where it is the fee of an answer.
        public let attribution: AttributionComputed?
        /// What made the model's adapter, or what was settled.
        public let training: JobCompleted?
        /// The stage of a task, where it pays one.
        public let task: TaskCompleted?
        /// The rulings that corrected the attribution, as the receipt's corrections follow each other.
        public let rulings: [RulingMade]
        /// Where the payee's part became available.
        public let credit: Int?
    }

    /// Checks everything.
    /// - Returns: what it says, and who vouches for the log.
    /// - Throws: the first ``ReceiptFault``.
    public static func check(_ receipt: Receipt, trust: LogTrust) throws(ReceiptFault) -> (Finding, Voucher) {
        let signed: SignedCheckpoint
        let voucher: Voucher
        do { (signed, voucher) = try trust.verify(receipt.checkpoint) } catch { throw ReceiptFault(.signature, "\(error)") }
        return (try check(receipt, under: signed.checkpoint), voucher)
    }

    /// Checks everything but the checkpoint's signatures, for who will look at these later.
    public static func checkUnsigned(_ receipt: Receipt) throws(ReceiptFault) -> Finding {
        let checkpoint: Checkpoint
        do { checkpoint = try SignedCheckpoint(unverified: receipt.checkpoint).checkpoint } catch {
            throw ReceiptFault(.signature, "\(error)")
        }
        return try check(receipt, under: checkpoint)
    }

    /// Checks everything under a checkpoint that the caller has verified.
    public static func check(_ receipt: Receipt, under checkpoint: Checkpoint) throws(ReceiptFault) -> Finding {
        try checkVouching(receipt, checkpoint)
        guard let last = receipt.events.last, UInt64(last.position) < checkpoint.size else {
            throw ReceiptFault(.format, "an event is behind the checkpoint")
        }
        for event in receipt.events {
            let proof = InclusionProof(
                index: UInt64(event.position), size: checkpoint.size, hashes: event.proof.compactMap { Digest($0) })
            do { try proof.verify(leaf: Merkle.leaf(event.bytes), root: checkpoint.root) } catch {
                throw ReceiptFault(.inclusion, "the event at \(event.position): \(error)")
            }
        }
        let facts = try ReceiptFacts(receipt)
        var settlements: [Settled] = []
        for part in receipt.settlements {
            let settled = try ReceiptChain(facts: facts, payee: receipt.payee, part: part).check()
            try ReceiptPayouts(facts: facts, payee: receipt.payee, payouts: receipt.payouts).check(settled)
            settlements.append(settled)
        }
        try checkWhole(receipt, settlements, facts)
        return Finding(checkpoint: checkpoint, settlements: settlements)
    }

    /// Throws where a receipt says that witnesses vouched, and nobody but the log signed. Whether they are to be believed is for who reads it.
    private static func checkVouching(_ receipt: Receipt, _ checkpoint: Checkpoint) throws(ReceiptFault) {
        guard receipt.voucher == .witnesses else { return }
        let note: SignedCheckpoint
        do { note = try SignedCheckpoint(unverified: receipt.checkpoint) } catch { throw ReceiptFault(.signature, "\(error)") }
        guard note.note.signatures.contains(where: { $0.name != checkpoint.origin }) else {
            throw ReceiptFault(.signature, "it says that witnesses vouched for its checkpoint, and the log alone signed it")
        }
    }

    /// A part with the ways on which the payee's units come: for whoever puts a receipt together.
    public static func explained(_ part: ReceiptSettlement, in receipt: Receipt) throws(ReceiptFault) -> ReceiptSettlement {
        try ReceiptChain(facts: try ReceiptFacts(receipt), payee: receipt.payee, part: part).explained()
    }

    /// How far a settlement of a receipt has come: for whoever puts a receipt together.
    public static func state(of part: ReceiptSettlement, in receipt: Receipt) throws(ReceiptFault) -> ReceiptState {
        let credit = part.balance == nil ? nil : part.releases.last
        let facts = try ReceiptFacts(receipt)
        return try ReceiptPayouts(facts: facts, payee: receipt.payee, payouts: receipt.payouts)
            .state(part, credit: credit, receipt.amount.asset)
    }

    private static func checkWhole(_ receipt: Receipt, _ settlements: [Settled], _ facts: ReceiptFacts) throws(ReceiptFault) {
        let sum = settlements.reduce(into: Int128(0)) { $0 &+= $1.part.left }
        guard settlements.allSatisfy({ $0.bill.fee.asset == receipt.amount.asset }), sum == receipt.amount.units else {
            throw ReceiptFault(.amount, "the amount is not what the settlements leave the payee")
        }
        if settlements.count == 1, settlements[0].bill.id == receipt.subject { return }
        for payout in receipt.payouts {
            guard case .rail(let request, _) = payout, try facts.data(PayoutRequested.self, request).id == receipt.subject,
                settlements.allSatisfy({ $0.credit.map { $0 < request } ?? false })
            else { continue }
            return
        }
        throw ReceiptFault(.subject, "it is of \(receipt.subject), which is neither its settlement nor a payout behind all its credits")
    }
}
