public import Crypto

/// The tokens by which a service calls the others: issuer and subject are the service itself, the audience is the one
/// called. One token serves until shortly before its end.
public actor ServiceTokenSource {
    private let signer: TokenSigner
    private let lifetime: Int64
    private let clock: @Sendable () -> Int64
    private var current: [String: (token: String, renewAt: Int64)] = [:]

    /// Mints in the name of the signer's issuer.
    /// - Parameters:
    ///   - lifetime: of each token in seconds, 5 minutes by default; it is renewed when a fifth of that is left.
    ///   - clock: gives seconds since 1970.
    public init(signer: TokenSigner, lifetime: Int64 = 300, clock: @escaping @Sendable () -> Int64 = { UnixTime.now }) {
        self.signer = signer
        self.lifetime = lifetime
        self.clock = clock
    }

    /// A token that the audience accepts for at least a fifth of its lifetime.
    public func token(for audience: String) throws(CryptoError) -> String {
        let now = clock()
        if let known = current[audience], now < known.renewAt { return known.token }
        let token = try signer.mint(subject: signer.issuer, audience: audience, kind: .service, lifetime: lifetime, now: now)
        current[audience] = (token, UnixTime.add(now, lifetime - lifetime / 5))
        return token
    }
}
