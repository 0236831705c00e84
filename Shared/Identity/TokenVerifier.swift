internal import Crypto
internal import Synchronization
internal import Threads

/// Verifies signed tokens of known issuers.
///
/// The order is the defence: the key's name finds the key, the key decides the algorithm, the signature is checked, and only
/// then are the claims read. A token once verified is remembered until it expires, since a verification costs 100 µs.
public final class TokenVerifier: Sendable {
    /// Whom tokens must be meant for: one of these.
    public let audiences: Set<String>
    /// How many seconds clocks may differ.
    public let leeway: Int64
    /// The most seconds that a token may still hold: one that is stolen ends by itself.
    public static let longest: Int64 = 86_400

    private struct Owned: Sendable {
        let key: Ed25519PublicKey
        let issuer: String
    }

    private struct State: Sendable {
        var keys: [String: Owned]
        var generation = 0
        var verified: RecentlyUsed<Verified>
    }

    private struct Verified: Sendable {
        let caller: Caller
        let issued: Int64?
        let begin: Int64?
        let end: Int64
    }

    private let state: Lock<State>

    /// Accepts tokens of these issuers.
    /// - Parameters:
    ///   - issuers: each issuer's keys, by its name. No two may use one key name.
    ///   - remembered: how many verified tokens are kept at most; 0 keeps none.
    public convenience init(
        issuers: [String: PublicKeySet], audience: String, leeway: Int64 = 30, remembered: Int = 4096
    ) throws(PublicKeySetError) {
        try self.init(issuers: issuers, audiences: [audience], leeway: leeway, remembered: remembered)
    }

    /// Accepts tokens of these issuers that are meant for one of several: services that share a process.
    public init(
        issuers: [String: PublicKeySet], audiences: Set<String>, leeway: Int64 = 30, remembered: Int = 4096
    ) throws(PublicKeySetError) {
        self.audiences = audiences
        self.leeway = max(0, leeway)
        state = Lock(State(keys: try Self.index(issuers), verified: RecentlyUsed(capacity: remembered)))
    }

    /// Replaces all keys. Tokens verified before are verified anew, so that a withdrawn key ends at once.
    public func update(issuers: [String: PublicKeySet]) throws(PublicKeySetError) {
        let keys = try Self.index(issuers)
        state.withLock { state in
            state.keys = keys
            state.generation += 1
            state.verified.removeAll()
        }
    }

    /// Who the token says is asking.
    /// - Parameter now: seconds since 1970.
    public func verify(_ token: String, now: Int64 = UnixTime.now) throws(TokenError) -> Caller {
        try verify(Array(token.utf8), now: now)
    }

    /// Who the token says is asking.
    /// - Parameter now: seconds since 1970.
    public func verify(_ token: [UInt8], now: Int64 = UnixTime.now) throws(TokenError) -> Caller {
        try read(token, now: now).caller
    }

    /// Who the token says is asking, and when it was made.
    /// - Parameter now: seconds since 1970.
    public func read(_ token: [UInt8], now: Int64 = UnixTime.now) throws(TokenError) -> VerifiedToken {
        guard token.count <= Token.largest else { throw .tooLarge }
        let digest = SHA256.hash(token)
        if let known = state.withLock({ $0.verified[digest] }) {
            try check(known, now)
            return VerifiedToken(caller: known.caller, issued: known.issued)
        }
        let parts = try Token(token)
        let id = try parts.keyID()
        let (owned, generation) = state.withLock { ($0.keys[id], $0.generation) }
        guard let owned else { throw .unknownKey }
        try parts.requireAlgorithm()
        guard owned.key.isValid(signature: parts.signature, for: parts.signed) else { throw .signature }
        let claims = try parts.claims()
        let end = try claims.expiry()
        // First whether it is of use at all, so that a token past its end says so and not that it is for somebody else.
        guard now < UnixTime.add(end, leeway) else { throw .expired }
        let begin = try claims.beginning()
        if let begin, now < UnixTime.add(begin, -leeway) { throw .notYetValid }
        guard end <= UnixTime.add(max(now, begin ?? now), Self.longest + leeway) else { throw .tooLong }
        try claims.requireIssuer(owned.issuer)
        try claims.requireAudience(audiences)
        let verified = Verified(
            caller: try claims.caller(issuer: owned.issuer), issued: claims.issued, begin: begin, end: end)
        state.withLock { state in
            // Not when the keys were replaced in between: this one may have been withdrawn.
            if state.generation == generation { state.verified[digest] = verified }
        }
        return VerifiedToken(caller: verified.caller, issued: verified.issued)
    }

    private func check(_ token: Verified, _ now: Int64) throws(TokenError) {
        guard now < UnixTime.add(token.end, leeway) else { throw .expired }
        if let begin = token.begin, now < UnixTime.add(begin, -leeway) { throw .notYetValid }
    }

    private static func index(_ issuers: [String: PublicKeySet]) throws(PublicKeySetError) -> [String: Owned] {
        var keys: [String: Owned] = [:]
        for (issuer, set) in issuers {
            for entry in set.entries {
                guard keys.updateValue(Owned(key: entry.key, issuer: issuer), forKey: entry.id) == nil else {
                    throw .duplicateName(entry.id)
                }
            }
        }
        return keys
    }
}

/// What is known of a token that holds.
public struct VerifiedToken: Sendable, Hashable {
    /// Who is asking.
    public let caller: Caller
    /// The second since 1970 in which it was made; nil where it does not say.
    public let issued: Int64?

    /// From its parts.
    public init(caller: Caller, issued: Int64?) {
        self.caller = caller
        self.issued = issued
    }
}
