public import JSON

/// The rules of settlement from here on.
public struct SettlementRulesSet: EventData, Hashable {
    /// `settlement.rules-set`.
    public static let type = "settlement.rules-set"

    /// The platform's part of each fee in basis points.
    public var platformPoints: Int
    /// Who gets it.
    public var platform: AccountID
    /// How the net fee of a training job is split; its owner's part must be 0.
    public var training: ModelSplit
    /// How long a settlement can be disputed and refunded before it is paid out.
    public var holdbackSeconds: Int
    /// What a dispute costs its loser, in minor units of the settlement's asset.
    public var disputeBond: Int
    /// How long an unbonded stake can still be slashed.
    public var unbondSeconds: Int
    /// Below so many minor units a balance waits for a later epoch.
    public var dust: Int
    /// did:key of whoever may sign an owner's change of wallet when the owner's own keys are lost; nil for nobody.
    public var guardian: String?

    /// From its parts.
    public init(
        platformPoints: Int, platform: AccountID, training: ModelSplit, holdbackSeconds: Int, disputeBond: Int, unbondSeconds: Int,
        dust: Int, guardian: String? = nil
    ) {
        self.platformPoints = platformPoints
        self.platform = platform
        self.training = training
        self.holdbackSeconds = holdbackSeconds
        self.disputeBond = disputeBond
        self.unbondSeconds = unbondSeconds
        self.dust = dust
        self.guardian = guardian
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: [
            "platform_points", "platform", "training", "holdback_seconds", "dispute_bond", "unbond_seconds", "dust", "guardian",
        ])
        platformPoints = try fields.count("platform_points")
        platform = try fields.account("platform")
        training = try ModelSplit(fields.object("training"))
        holdbackSeconds = try fields.count("holdback_seconds")
        disputeBond = try fields.count("dispute_bond")
        unbondSeconds = try fields.count("unbond_seconds")
        dust = try fields.count("dust")
        guardian = try fields.optionalID("guardian")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "platform_points": .count(platformPoints), "platform": .string(platform.text), "training": training.json,
            "holdback_seconds": .count(holdbackSeconds), "dispute_bond": .count(disputeBond), "unbond_seconds": .count(unbondSeconds),
            "dust": .count(dust), "guardian": guardian.map { .string($0) },
        ])
    }
}
