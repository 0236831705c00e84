internal import Crypto
public import EventLog
public import Events
internal import JSON
public import Money

/// That all a holder has was counted in what the house said it owes when an epoch closed: available, pending and staked, account by
/// account. A file that can be checked without any server; its format is described in docs/billing.md.
public struct LiabilityProof: Sendable, Hashable {
    /// The format's name and version.
    public static let type = "openledger/liabilities/v1"
    /// The most bytes of a file.
    public static let maximumBytes = 8 << 20
    /// The most accounts of a holder.
    public static let maximumAccounts = 1_000

    /// One of the holder's accounts.
    public struct Part: Sendable, Hashable {
        /// The account and its balance.
        public var liability: Liability
        /// From its leaf to the root.
        public var steps: [LiabilityTree.Step]

        /// From its parts.
        public init(liability: Liability, steps: [LiabilityTree.Step]) {
            self.liability = liability
            self.steps = steps
        }
    }

    /// Whose.
    public var holder: String
    /// In which asset.
    public var asset: Asset
    /// Of which epoch, from 1.
    public var epoch: Int
    /// The accounts, in the order of their names.
    public var parts: [Part]
    /// What they have together, in minor units.
    public var total: UInt128
    /// The signed note, verbatim.
    public var checkpoint: String
    /// `payout.epoch-closed`, which has the root.
    public var event: ProvenEvent

    /// A proof of what a holder had in a tree; nil when that has nothing of the holder's, or more accounts than a file takes.
    public init?(holder: String, asset: Asset, epoch: Int, tree: LiabilityTree, checkpoint: String, event: ProvenEvent) {
        var parts: [Part] = []
        for liability in tree.liabilities where liability.account.beneficiary == holder {
            guard parts.count < Self.maximumAccounts, let steps = tree.proof(of: liability.account) else { return nil }
            parts.append(Part(liability: liability, steps: steps))
        }
        guard !parts.isEmpty else { return nil }
        self.holder = holder
        self.asset = asset
        self.epoch = epoch
        self.parts = parts
        // The tree's own sum fits.
        total = parts.reduce(0) { $0 + $1.liability.units }
        self.checkpoint = checkpoint
        self.event = event
    }

    /// Checks everything.
    /// - Returns: what the event says, the log that it stands on, and who vouches for that.
    /// - Throws: a ``ReceiptFault`` of the kind `signature`, `inclusion`, `event`, `link` or `amount`.
    public func check(trust: LogTrust) throws(ReceiptFault) -> (PayoutEpochClosed, Checkpoint, Voucher) {
        let signed: SignedCheckpoint
        let voucher: Voucher
        do { (signed, voucher) = try trust.verify(checkpoint) } catch { throw ReceiptFault(.signature, "\(error)") }
        return (try check(under: signed.checkpoint), signed.checkpoint, voucher)
    }

    /// Checks everything under a checkpoint that the caller has verified.
    public func check(under checkpoint: Checkpoint) throws(ReceiptFault) -> PayoutEpochClosed {
        let inclusion = InclusionProof(
            index: UInt64(event.position), size: checkpoint.size, hashes: event.proof.compactMap { Digest($0) })
        do { try inclusion.verify(leaf: Merkle.leaf(event.bytes), root: checkpoint.root) } catch {
            throw ReceiptFault(.inclusion, "the event at \(event.position): \(error)")
        }
        let closed = try closing()
        guard closed.asset == asset, closed.epoch == epoch else {
            throw ReceiptFault(.link, "the event closes epoch \(closed.epoch) in \(closed.asset), and this is of \(epoch) in \(asset)")
        }
        guard let owed = UInt128(exactly: closed.liabilities.units) else {
            throw ReceiptFault(.amount, "the event says that less than nothing is owed")
        }
        let root = LiabilityTree.Node(hash: closed.liabilitiesRoot, sum: owed)
        var sum: UInt128 = 0
        for (index, part) in parts.enumerated() {
            let account = part.liability.account
            guard account.beneficiary == holder else { throw ReceiptFault(.link, "\(account) is not \(holder)'s") }
            guard index == 0 || parts[index - 1].liability.account < account else {
                throw ReceiptFault(.link, "the accounts do not stand in the order of their names, each once")
            }
            guard LiabilityTree.verify(part.liability, proof: part.steps, root: root) else {
                throw ReceiptFault(.amount, "\(part.liability.units) of \(account) do not lead to the root of what is owed")
            }
            let (next, overflow) = sum.addingReportingOverflow(part.liability.units)
            guard !overflow else { throw ReceiptFault(.amount, "the accounts have more together than there can be") }
            sum = next
        }
        guard sum == total else { throw ReceiptFault(.amount, "the accounts have \(sum) together, not \(total)") }
        return closed
    }

    /// What the event says.
    private func closing() throws(ReceiptFault) -> PayoutEpochClosed {
        do {
            let header = try EventHeader(parsing: event.bytes)
            guard header.type == PayoutEpochClosed.type else {
                throw ReceiptFault(.event, "the event at \(event.position) is \(header.type), not \(PayoutEpochClosed.type)")
            }
            return try PayoutEpochClosed(JSON.parse(Array(event.bytes[header.data])).object())
        } catch let fault as ReceiptFault {
            throw fault
        } catch {
            throw ReceiptFault(.event, "the event at \(event.position): \(error)")
        }
    }
}
