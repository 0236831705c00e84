public import Crypto
public import Identity

/// What makes a request the same request when it comes again: an id that names it, and a digest that tells whether the body is the same.
///
/// The same id with the same digest gets the first answer, for ever; with another digest 422; while the first is still running 409.
/// The service decides the first two from the log, `CommandsInFlight` the third.
public struct CommandIdentity: Sendable, Hashable {
    /// The command's id, a UUIDv8 (RFC 9562 §5.8) in lower case: an event's `cause.command`.
    public let id: String
    /// SHA-256 of the body in canonical form (RFC 8785), or of its bytes where it is no JSON: an event's `cause.digest`.
    public let digest: Digest

    /// An identity that is known already.
    public init(id: String, digest: Digest) {
        self.id = id
        self.digest = digest
    }

    /// Derives the id from who calls and the key that the caller chose: two callers never share an id, and one caller has the same id
    /// again for the same key. SHA-256 over `openledger/command` NUL issuer NUL subject NUL key, none of which can hold a NUL.
    /// - Parameter caller: nil on public routes, where the key alone names the command.
    public init(caller: Caller?, key: IdempotencyKey, body: Digest) {
        // The subject is unique within its issuer only.
        self.init(
            id: CommandID.make(issuer: caller?.issuer ?? "", subject: caller?.subject ?? "", key: key.text), digest: body)
    }
}
