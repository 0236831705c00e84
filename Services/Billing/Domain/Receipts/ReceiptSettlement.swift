public import Events

/// How far the payee's part of a settlement has come.
public enum ReceiptState: String, Sendable, CaseIterable {
    /// A dispute waits for its ruling.
    case disputed
    /// All of it flowed back to the payer.
    case returned
    /// A corrected attribution gave all of it to others.
    case corrected
    /// The time in which it can be disputed is not over.
    case heldBack = "held-back"
    /// It waits for the payee to be verified.
    case waiting
    /// It is the payee's, and was not all paid out.
    case credited
    /// It was paid out and has not arrived.
    case onItsWay = "on-its-way"
    /// It has arrived.
    case paid
}

/// One settlement's part of a receipt; numbers are positions on the log.
public struct ReceiptSettlement: Sendable, Hashable {
    /// The terms of a Datanet.
    public struct Datanet: Sendable, Hashable {
        /// Its policy.
        public var policy: Int
        /// Its curators and validators, as they came and went.
        public var members: [Int]
        /// The snapshot by which a task's contributors are paid; nil for what else is settled, and where there was none.
        public var snapshot: Int?

        /// From its parts.
        public init(policy: Int, members: [Int], snapshot: Int? = nil) {
            self.policy = policy
            self.members = members
            self.snapshot = snapshot
        }
    }

    /// An item that stands behind the payee's part.
    public struct Source: Sendable, Hashable {
        /// Why this item.
        public enum Named: String, Sendable {
            /// The evidence names it as the source of a span.
            case spans
            /// The evidence names it as a passage that the answer used.
            case passages
            /// The part rests on all that its owner has in the snapshot.
            case owner
        }

        /// As it stands in the snapshot's list.
        public var item: AdmittedItem
        /// Its place there.
        public var index: Int
        /// The hashes from its leaf to the snapshot's root.
        public var proof: [[UInt8]]
        /// Where it came in, was screened, was admitted and was published.
        public var contribution, screening, admission, snapshot: Int
        /// Why this item.
        public var named: Named

        /// From its parts.
        public init(
            item: AdmittedItem, index: Int, proof: [[UInt8]], contribution: Int, screening: Int, admission: Int, snapshot: Int, named: Named
        ) {
            self.item = item
            self.index = index
            self.proof = proof
            self.contribution = contribution
            self.screening = screening
            self.admission = admission
            self.snapshot = snapshot
            self.named = named
        }
    }

    /// What a corrected attribution put in the place of what the payee had.
    public struct Correction: Sendable, Hashable {
        /// The ruling, the corrected attribution, and what it did to the settlement.
        public var ruling, corrected, settled: Int
        /// What the payee has of it from then on.
        public var units: Int128
        /// How; empty where it came too late to move anything.
        public var why: [[SplitStep]]

        /// From its parts.
        public init(ruling: Int, corrected: Int, settled: Int, units: Int128, why: [[SplitStep]] = []) {
            self.ruling = ruling
            self.corrected = corrected
            self.settled = settled
            self.units = units
            self.why = why
        }
    }

    /// The settlement, and what it settles.
    public var settled, basis: Int
    /// The answer, the model that gave it, the training and the base that the model is from.
    public var inference, model, training, base: Int?
    /// What took the fee.
    public var charges: [Int]
    /// The rules; nil for the standard ones.
    public var rules: Int?
    /// The terms of the Datanets.
    public var datanets: [Datanet]
    /// Items behind the payee's part.
    public var sources: [Source] = []
    /// What it gives the payee.
    public var units: Int128
    /// How.
    public var why: [[SplitStep]]
    /// What gave something back.
    public var returns: [Int] = []
    /// What other shares moved, in the log's order.
    public var corrections: [Correction] = []
    /// The units after all of that.
    public var left: Int128
    /// A dispute that waits for its ruling.
    public var disputed: Int?
    /// What made it available.
    public var releases: [Int] = []
    /// The payee's balance right after the credit.
    public var balance: Int128?
    /// How far it is.
    public var state: ReceiptState

    /// From what it must have; the rest can be set.
    public init(
        settled: Int, basis: Int, charges: [Int], datanets: [Datanet], units: Int128, why: [[SplitStep]], left: Int128, state: ReceiptState
    ) {
        self.settled = settled
        self.basis = basis
        self.charges = charges
        self.datanets = datanets
        self.units = units
        self.why = why
        self.left = left
        self.state = state
    }

    /// All positions that it names.
    public var positions: [Int] {
        var all = [settled, basis] + charges + returns + releases
        all += [inference, model, training, base, rules, disputed].compactMap { $0 }
        for datanet in datanets { all += [datanet.policy] + datanet.members + (datanet.snapshot.map { [$0] } ?? []) }
        for correction in corrections { all += [correction.ruling, correction.corrected, correction.settled] }
        for source in sources { all += [source.contribution, source.screening, source.admission, source.snapshot] }
        return all
    }
}

extension ReceiptPayout {
    /// All positions that it names.
    public var positions: [Int] {
        switch self {
        case .rail(let request, let finish): [request, finish].compactMap { $0 }
        case .wallet(let epoch, let wallet, let claim): [epoch, wallet, claim].compactMap { $0 }
        }
    }
}
