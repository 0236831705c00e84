public import Events
internal import Money

/// Who gets what of a fee, as published before the fee was due.
public struct SettlementTerms: Sendable, Hashable {
    /// What a Datanet does with its part.
    public struct Datanet: Sendable, Hashable {
        /// Basis points that its treasury keeps, that its curators and that its contributors get; they make 10,000.
        public var treasury, curating, contributing: Int
        /// Its curators, in the order of their ids.
        public var curators: [String]
        /// Its validators, in the order of their ids.
        public var validators: [String]

        /// From its parts.
        public init(treasury: Int, curating: Int, contributing: Int, curators: [String], validators: [String]) {
            self.treasury = treasury
            self.curating = curating
            self.contributing = contributing
            self.curators = curators.sorted(by: Self.inOrder)
            self.validators = validators.sorted(by: Self.inOrder)
        }

        /// The same, of members that are in order.
        init(treasury: Int, curating: Int, contributing: Int, inOrder curators: [String], validators: [String]) {
            self.treasury = treasury
            self.curating = curating
            self.contributing = contributing
            self.curators = curators
            self.validators = validators
        }

        static func inOrder(_ left: String, _ right: String) -> Bool { ByteOrder.precedes(left, right) }
    }

    /// Basis points of the fee that the platform gets.
    public var platformPoints: Int
    /// The platform's account.
    public var platform: AccountID
    /// How the rest is split.
    public var split: ModelSplit
    /// Who gets the owner's part.
    public var owner: String
    /// Who ran it.
    public var runner: String
    /// The Datanets that shares name.
    public var datanets: [String: Datanet]

    /// From its parts.
    public init(
        platformPoints: Int, platform: AccountID, split: ModelSplit, owner: String, runner: String, datanets: [String: Datanet]
    ) {
        self.platformPoints = platformPoints
        self.platform = platform
        self.split = split
        self.owner = owner
        self.runner = runner
        self.datanets = datanets
    }
}
