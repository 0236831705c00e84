public import Crypto
public import HTTP

/// Signs requests with an Ed25519 key (RFC 9421 §3), so that whoever gets them knows who sent them and that nothing was changed.
public struct MessageSigner: Sendable {
    private let key: Ed25519PrivateKey
    /// What the key is called: its JWK thumbprint (RFC 7638), as Web Bot Auth wants it.
    public let keyID: String
    /// Where the key is published: a URL whose directory of keys has it. Nil where nobody knows the address of this house.
    public let agent: String?

    /// The path of the directory of keys.
    public static let directory = "/.well-known/http-message-signatures-directory"
    /// How long a signature holds, in seconds.
    static let lifetime: Int64 = 300

    /// A signer with its key.
    public init(key: Ed25519PrivateKey, keyID: String, agent: String?) {
        self.key = key
        self.keyID = keyID
        self.agent = agent
    }

    /// The key that checks what it signs.
    public var publicKey: Ed25519PublicKey { key.publicKey }

    /// The fields that a request gets: `Content-Digest`, `Signature-Agent` where there is an address, `Signature-Input` and `Signature`.
    /// Covered are method, authority, target and body, and the fields that are named.
    /// - Parameters:
    ///   - covering: names of fields in small letters; they must be there.
    ///   - now: seconds since 1970.
    public func sign(
        _ method: String, _ url: String, headers: Headers, body: [UInt8], covering fields: [String], now: Int64
    ) throws -> [Header] {
        var added = [Header("Content-Digest", ContentDigest.text(of: body))]
        if let agent { added.append(Header("Signature-Agent", BareItem.string(agent).text)) }
        var all = headers
        for field in added { all.set(field.name, field.value) }
        guard let message = SignedMessage(method: method, url: url, headers: all) else {
            throw SignatureError.malformed("\(url.prefix(100)) is no URL")
        }
        let names = ["@method", "@authority", "@target-uri", "content-digest"] + fields + (agent == nil ? [] : ["signature-agent"])
        let items = names.map { FieldItem(value: .string($0)) }
        var parameters = FieldParameters()
        parameters.set("created", .integer(now))
        parameters.set("expires", .integer(now + Self.lifetime))
        parameters.set("keyid", .string(keyID))
        parameters.set("alg", .string("ed25519"))
        parameters.set("nonce", .string(Base64.encode(Random.bytes(24))))
        if agent != nil { parameters.set("tag", .string("web-bot-auth")) }
        let input = FieldMember.list(items, parameters)
        let signature = try key.sign(try MessageSignature.base(message, items, input))
        return added + [
            Header("Signature-Input", "sig1=" + input.text), Header("Signature", "sig1=" + BareItem.bytes(signature).text),
        ]
    }

    /// What the signatures of a directory of keys are for (draft-meunier-webbotauth-httpsig-directory-00).
    public static let directoryTag = "http-message-signatures-directory"

    /// The two fields' members that prove this key in the directory of this house: its signature for the authority of ``agent``, and for no
    /// other, so that nobody shows our key as theirs. Nil where nobody knows the address of this house.
    /// - Parameters:
    ///   - label: what the signature is called among others.
    ///   - now: seconds since 1970.
    public func signDirectory(label: String, now: Int64) throws -> (input: String, signature: String)? {
        guard let agent, var message = SignedMessage(method: "GET", url: agent + Self.directory, headers: [:]) else { return nil }
        message.answersRequest = true
        var ofRequest = FieldParameters()
        ofRequest.set("req", .boolean(true))
        let items = [FieldItem(value: .string("@authority"), parameters: ofRequest)]
        var parameters = FieldParameters()
        parameters.set("created", .integer(now))
        parameters.set("expires", .integer(now + Self.lifetime))
        parameters.set("keyid", .string(keyID))
        parameters.set("alg", .string("ed25519"))
        parameters.set("nonce", .string(Base64.encode(Random.bytes(24))))
        parameters.set("tag", .string(Self.directoryTag))
        let input = FieldMember.list(items, parameters)
        let signature = try key.sign(try MessageSignature.base(message, items, input))
        return ("\(label)=\(input.text)", "\(label)=\(BareItem.bytes(signature).text)")
    }
}
