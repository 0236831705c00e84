public import Crypto
public import HTTP
public import JSON
internal import HTTPSignatures
internal import Identity

/// A directory of keys that requests are signed by, and the signatures that it is given with (draft-meunier-webbotauth-httpsig-directory-00):
/// one of each key, over the authority that it was asked for at.
public enum KeyDirectory {
    /// Its media type.
    public static let mediaType = "application/http-message-signatures-directory+json"
    /// How far clocks may differ, in seconds.
    private static let leeway: Int64 = 60

    /// A key that has signed its directory.
    public struct ProvenKey: Sendable {
        /// The key.
        public let key: Ed25519PublicKey
        /// From when on it holds no more, in seconds since 1970, where the directory says so.
        let end: Int64?

        /// Whether it still holds; clocks may differ by a minute.
        /// - Parameter now: seconds since 1970.
        public func holds(at now: Int64) -> Bool { end.map { now < $0 + leeway } ?? true }
    }

    /// The keys that have signed the directory for the origin that it came from and that hold now, by their JWK thumbprint (RFC 7638).
    /// - Parameters:
    ///   - headers: of the answer.
    ///   - origin: such as `https://bot.example`.
    ///   - now: seconds since 1970.
    public static func provenKeys(
        in document: JSONValue, headers: Headers, origin: String, atMost limit: Int, now: Int64
    ) -> [String: ProvenKey] {
        guard var message = SignedMessage(method: "GET", url: origin + MessageSigner.directory, headers: headers),
            let signatures = try? MessageSignature.all(in: headers, atMost: limit)
        else { return [:] }
        message.answersRequest = true
        var proven: [String: ProvenKey] = [:]
        for entry in (document["keys"]?.arrayValue ?? []).prefix(limit) {
            guard let key = key(entry, now) else { continue }
            let name = PublicKeySet.thumbprint(of: key.key)
            let isProven = signatures.contains { signature in
                signature.tag == MessageSigner.directoryTag && signature.keyID == name && (signature.algorithm ?? "ed25519") == "ed25519"
                    && signature.covers("\"@authority\";req") && (signature.created ?? .max) <= now + leeway
                    && now - leeway < signature.expires ?? 0 && (try? signature.isValid(for: message, by: key.key)) == true
            }
            if isProven { proven[name] = key }
        }
        return proven
    }

    /// An Ed25519 key of the set that is for signatures and holds now.
    private static func key(_ entry: JSONValue, _ now: Int64) -> ProvenKey? {
        guard entry["kty"]?.stringValue == "OKP", entry["crv"]?.stringValue == "Ed25519", entry["d"] == nil,
            entry["use"].map({ $0.stringValue == "sig" }) ?? true, let x = entry["x"]?.stringValue.flatMap(Base64URL.decode),
            let key = try? Ed25519PublicKey(x)
        else { return nil }
        // Seconds; directories that were seen write milliseconds.
        func second(_ name: String) -> Int64? { entry[name]?.intValue.map { $0 > 100_000_000_000 ? $0 / 1_000 : $0 } }
        if let begin = second("nbf"), now < begin - leeway { return nil }
        let proven = ProvenKey(key: key, end: second("exp"))
        return proven.holds(at: now) ? proven : nil
    }
}
