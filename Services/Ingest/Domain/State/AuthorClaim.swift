public import Events

/// A claim of somebody to be an author whom others named.
public struct AuthorClaim: Sendable, Hashable {
    /// What was claimed.
    public let requested: ContributorClaimRequested
    /// When.
    public let time: Timestamp
    /// What an owner of the Datanet said; nil while nobody has.
    public internal(set) var granted: ContributorClaimed?
}
