/// Turns a credential into the caller that it proves.
public struct Authenticator: Sendable {
    /// Why a credential proves nothing.
    public struct Refusal: Error, Sendable, Equatable {
        /// In words for whoever holds the credential.
        public let reason: String

        /// Makes a refusal.
        public init(_ reason: String) { self.reason = reason }
    }

    /// The caller known from an earlier, still valid check, at no cost to speak of; nil when a check is needed.
    public let known: @Sendable (Credential) -> Caller?
    /// Checks a credential. Throws `Refusal` for one that proves nothing, anything else when it cannot be checked now.
    public let verify: @Sendable (Credential) async throws -> Caller

    /// An authenticator of one's own.
    public init(
        known: @escaping @Sendable (Credential) -> Caller? = { _ in nil }, verify: @escaping @Sendable (Credential) async throws -> Caller
    ) {
        self.known = known
        self.verify = verify
    }

    /// Refuses everybody: for an application whose routes are all public.
    public static let nobody = Authenticator { _ in throw Refusal("no credentials are taken here") }
}
