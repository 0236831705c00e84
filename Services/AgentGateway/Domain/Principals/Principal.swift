public import Events

/// A person, organisation or agent.
public struct Principal: Sendable, Hashable {
    /// Its id.
    public let id: String
    /// `person`, `organisation` or `agent`.
    public let kind: String
    /// For an agent, whom it belongs to.
    public let owner: String?
    /// For an agent, the key by which whom it belongs to agreed; nil for early ones, of which that is not on the log.
    public let consent: String?
    /// When it was registered.
    public let registered: Timestamp
    /// Its linked keys, oldest first: did:key of Ed25519 keys, and accounts of wallets.
    public internal(set) var keys: [String]
    /// What it has proven: `mail`, `domain` or `vouched`.
    public internal(set) var claims: [String] = []
    /// When a key of its was last given up or taken from it: a token that was made by then may be of who has that key, and counts no more.
    public internal(set) var keysEnded: Timestamp?
    /// Days that the texts of answers which it pays for are kept; nil: until it erases them.
    public internal(set) var retentionDays: Int?

    /// The last second since 1970 whose tokens count no more; nil while no key has ended.
    public var tokensEnd: Int64? { keysEnded.map { $0.microseconds / 1_000_000 } }

    /// Whether shares can be paid to it: it has proven at least one claim.
    public var isVerified: Bool { !claims.isEmpty }

    init(_ registered: PrincipalRegistered, at time: Timestamp) {
        id = registered.principal
        kind = registered.kind
        owner = registered.owner
        consent = registered.ownerKey
        self.registered = time
        keys = [registered.key]
    }
}
