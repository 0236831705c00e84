public import Crypto
internal import HTTP
public import HTTPClient
internal import HTTPSignatures
public import Identity
internal import JSON

/// The keys of programs that say themselves where their keys are (Web Bot Auth, `Signature-Agent`): their directories, fetched and kept.
///
/// Whoever sends a request names the address, so it is treated as that of a webhook: https and a public name, no address of ours wherever
/// the name leads, no redirect, few bytes, little time, few at once. Of a directory only those keys count that have signed it for the name
/// that it was fetched from (draft-meunier-webbotauth-httpsig-directory-00): nobody can show another's keys as their own.
public actor BotDirectories {
    /// Most directories that are kept,
    static let most = 1_000
    /// and that are fetched at once.
    static let mostAtOnce = 16
    /// Most keys of one that are read, and most bytes of it.
    static let mostKeys = 32
    static let mostBytes = 64 << 10
    /// How long one is kept, in seconds: as it says, within these; what could not be had is asked for again after the shortest time.
    static let kept: ClosedRange<Int64> = 60...86_400
    static let usually: Int64 = 3_600

    private struct Known: Sendable {
        var keys: [String: KeyDirectory.ProvenKey] = [:]
        let fetched: Int64
        let until: Int64
    }

    private let transport: any Transport
    private let allowsPlain: Bool
    private var known: [String: Known] = [:]
    private var running: [String: Task<Known, Never>] = [:]

    /// - Parameters:
    ///   - transport: one that goes to public addresses alone, as ``WebhookSender/transport(allowsPlain:)`` makes it.
    ///   - allowsPlain: whether http and addresses of this machine are let through, for trying things out.
    public init(transport: any Transport, allowsPlain: Bool) {
        self.transport = transport
        self.allowsPlain = allowsPlain
    }

    /// A key of a directory.
    /// - Parameters:
    ///   - id: its JWK thumbprint (RFC 7638).
    ///   - agent: where the directory is: the origin that `Signature-Agent` names.
    ///   - now: seconds since 1970.
    /// - Returns: the key and the host whose it is; nil for an address where none may be fetched, and for a key that is not there.
    public func key(_ id: String, of agent: String, now: Int64 = UnixTime.now) async -> (key: Ed25519PublicKey, host: String)? {
        guard let (origin, host) = origin(agent) else { return nil }
        if let kept = known[origin], now < kept.until {
            // However long the directory is kept, a key holds no longer than it says itself.
            if let key = kept.keys[id], key.holds(at: now) { return (key.key, host) }
            // It may have been added since; who asks for keys that are not there does not make us fetch them all the time.
            if now < kept.fetched + Self.kept.lowerBound { return nil }
        }
        guard let key = await directory(origin, host, now)?.keys[id], key.holds(at: now) else { return nil }
        return (key.key, host)
    }

    /// The origin without a slash at its end, and its host; nil when nothing may be fetched from it.
    private func origin(_ agent: String) -> (String, String)? {
        let origin = (agent.hasSuffix("/") ? String(agent.dropLast()) : agent).lowercased()
        guard WebhookAddress.refusal(origin, allowsPlain: allowsPlain) == nil,
            let message = SignedMessage(method: "GET", url: origin, headers: [:]), message.target == "/"
        else { return nil }
        return (origin, message.authority)
    }

    private func directory(_ origin: String, _ host: String, _ now: Int64) async -> Known? {
        if let fetching = running[origin] { return await fetching.value }
        guard running.count < Self.mostAtOnce else { return nil }
        let fetching = Task { await fetch(origin, now) }
        running[origin] = fetching
        let found = await fetching.value
        running[origin] = nil
        if known.count >= Self.most {
            known = known.filter { $0.value.until > now }
            if known.count >= Self.most, let first = known.min(by: { $0.value.until < $1.value.until })?.key { known[first] = nil }
        }
        known[origin] = found
        return found
    }

    private nonisolated func fetch(_ origin: String, _ now: Int64) async -> Known {
        let nothing = Known(fetched: now, until: now + Self.kept.lowerBound)
        var request = ClientRequest(method: "GET", url: origin + MessageSigner.directory, timeout: .seconds(5))
        request.headers.set("Accept", KeyDirectory.mediaType)
        do {
            let response = try await transport.send(request)
            guard response.status == 200, response.headers["Content-Type"]?.hasPrefix(KeyDirectory.mediaType) == true else {
                return nothing
            }
            let bytes = try await response.body.collect(upTo: Self.mostBytes)
            let keys = KeyDirectory.provenKeys(
                in: try JSON.parse(bytes), headers: response.headers, origin: origin, atMost: Self.mostKeys, now: now)
            return Known(keys: keys, fetched: now, until: now + Self.lifetime(response.headers["Cache-Control"]))
        } catch { return nothing }
    }

    private static func lifetime(_ control: String?) -> Int64 {
        let directives = (control ?? "").lowercased().split(separator: ",").map { $0.filter { $0 != " " } }
        if directives.contains("no-store") || directives.contains("no-cache") { return kept.lowerBound }
        let age = directives.first { $0.hasPrefix("max-age=") }.flatMap { Int64($0.dropFirst(8)) } ?? usually
        return min(max(age, kept.lowerBound), kept.upperBound)
    }
}
