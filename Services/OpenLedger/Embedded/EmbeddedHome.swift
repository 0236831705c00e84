import Crypto
import Events
import Foundation
import Identity

/// The folder that embedded mode lives in: database, keys, API keys. Made on the first start.
struct EmbeddedHome: Sendable {
    let path: String

    var postgres: String { path + "/postgres" }
    var keys: String { path + "/keys" }
    var apiKeys: String { path + "/api-keys.jsonl" }
    var keySet: String { keys + "/jwks.json" }
    var logKey: String { keys + "/log.pem" }

    /// The key that a service signs its tokens with.
    func serviceKey(_ service: Service) -> String { keys + "/service-\(service.rawValue).pem" }

    /// Where a service keeps files of its own.
    func files(of service: Service) -> String { path + "/" + service.rawValue }

    /// Files that all services share: evidence.
    var shared: String { path + "/shared" }

    /// The keys that the first start made and later starts found.
    struct Keys: Sendable {
        /// Newest first.
        let log: [Ed25519PrivateKey]
        let services: [Service: Ed25519PrivateKey]
        /// The public halves of the services' keys.
        let tokens: PublicKeySet
    }

    /// The scopes of the administrator that the first start makes.
    static let administratorScopes: Set<String> = [
        "log:read", "metrics:read", "principals:verify", "principals:recover", "keys:write", "keys:administer", "models:write",
        "datanets:read", "rulings:write",
        "attributions:read", "billing:admin", "billing:read", "billing:deposit", "billing:epoch", "billing:payout",
        "billing:verify", "billing:refund", "billing:recover", "backends:administer",
    ]

    /// Opens the folder, making what is missing. Blocks: call it from a thread of its own.
    func open() throws -> Keys {
        try FileManager.default.createDirectory(atPath: keys, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var tokens = try PublicKeySet()
        var services: [Service: Ed25519PrivateKey] = [:]
        for service in Service.allCases {
            let key = try KeyFile.loadOrCreate(serviceKey(service))
            services[service] = key
            try tokens.add(PublicKeySet.Entry(key: key.publicKey, issuer: service.rawValue))
        }
        try tokens.save(keySet)
        let log = try [KeyFile.loadOrCreate(logKey)] + olderLogKeys().map { try KeyFile.load($0) }
        return Keys(log: log, services: services, tokens: tokens)
    }

    /// The files of earlier log keys, newest first.
    func olderLogKeys() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: keys)
        let numbered = names.compactMap { name -> Int? in
            guard name.hasPrefix("log-"), name.hasSuffix(".pem") else { return nil }
            return Int(name.dropFirst(4).dropLast(4))
        }
        return numbered.sorted(by: >).map { keys + "/log-\($0).pem" }
    }

    /// Makes a new log key and keeps the present one beside it, to sign along.
    /// - Returns: the file of the key that was in use.
    func rotateLogKey() throws -> String {
        guard FileManager.default.fileExists(atPath: logKey) else {
            throw CommandError("there is no log key in \(keys); start `openledger up` once, or name the folder with --data")
        }
        let next = (try olderLogKeys().first.flatMap { Int($0.split(separator: "-").last?.dropLast(4) ?? "") } ?? 0) + 1
        let kept = keys + "/log-\(next).pem"
        try FileManager.default.moveItem(atPath: logKey, toPath: kept)
        _ = try KeyFile.loadOrCreate(logKey)
        return kept
    }

    /// The API keys, and a key for an administrator where there is none yet: it counts once ``keep(_:in:)`` has kept it, so that a start
    /// which comes to nothing leaves no key behind that nobody has seen.
    func openAPIKeys() throws -> (store: FileAPIKeyStore, newAdministrator: APIKey?) {
        let store = try FileAPIKeyStore(path: apiKeys)
        return (store, store.count == 0 ? APIKey.generate() : nil)
    }

    /// From now on the key is an administrator's.
    static func keep(_ key: APIKey, in store: FileAPIKeyStore) async throws {
        let caller = Caller(subject: "administrator", issuer: "openledger", kind: .person, scopes: administratorScopes)
        try await store.add(APIKeyRecord(hash: key.hash, caller: caller))
    }

    /// An administrator's key for who owns the folder and lost the one that there was, which counts no longer from the next start on.
    func replaceAdministrator() async throws -> APIKey {
        guard FileManager.default.fileExists(atPath: keySet) else {
            throw CommandError("there is no house in \(path); start `openledger up` once, or name its folder with --data")
        }
        let store = try FileAPIKeyStore(path: apiKeys)
        let earlier = store.hashes { $0.caller.subject == "administrator" && $0.caller.issuer == "openledger" }
        let key = APIKey.generate()
        try await Self.keep(key, in: store)
        for hash in earlier { try await store.revoke(hash) }
        return key
    }
}
