public import Identity
public import Telemetry
internal import Threads

extension TokenVerifier {
    /// A verifier for the keys in the JWK Set that `OPENLEDGER_JWKS` names: every key with its issuer (member `iss`).
    /// - Parameter audience: the service that tokens must be meant for.
    /// - Throws: `ConfigurationError` when the setting is missing or its file cannot be used.
    public static func configured(_ settings: Configuration, audience: String) async throws -> TokenVerifier {
        try await configured(settings, audiences: [audience])
    }

    /// A verifier that accepts tokens meant for one of several: for a service, or for the whole house.
    /// - Throws: as for one audience.
    public static func configured(_ settings: Configuration, audiences: Set<String>) async throws -> TokenVerifier {
        let path = try settings.required("JWKS", Self.expected)
        do {
            return try TokenVerifier(issuers: try await Self.issuers(path), audiences: audiences)
        } catch {
            throw ConfigurationError(key: "OPENLEDGER_JWKS", expected: "\(Self.expected) (\(error))", found: path)
        }
    }

    /// Reads the keys again, so that a rotated or withdrawn key counts at once.
    /// - Throws: as `configured`; the keys in use stay.
    public func reload(_ settings: Configuration) async throws {
        let path = try settings.required("JWKS", Self.expected)
        do { try update(issuers: try await Self.issuers(path)) } catch {
            throw ConfigurationError(key: "OPENLEDGER_JWKS", expected: "\(Self.expected) (\(error))", found: path)
        }
    }

    private static let expected = "a file with a JWK Set whose keys name their issuer"

    private static func issuers(_ path: String) async throws -> [String: PublicKeySet] {
        try await OSThread.run(name: "jwks") { try PublicKeySet.load(path).byIssuer() }
    }
}
