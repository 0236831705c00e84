public import Crypto
public import JSON
public import Money

/// A part of what a task pays its provider that goes on to somebody whose work it stands on.
public struct TaskShare: EventPart {
    /// `agent`, `model` or `datanet`.
    public var kind: String
    /// Which one.
    public var id: String
    /// Basis points.
    public var points: Int

    /// From its parts.
    public init(
        kind: String, id: String, points: Int
    ) {
        self.kind = kind
        self.id = id
        self.points = points
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["kind", "id", "points"])
        kind = try fields.id("kind")
        id = try fields.id("id")
        points = try fields.count("points")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "kind": .string(kind), "id": .string(id), "points": .count(points),
        ])
    }
}

/// What an account gets of a task.
public struct TaskPayout: EventPart {
    /// The account.
    public var account: AccountID
    /// How much.
    public var amount: Amount

    /// From its parts.
    public init(
        account: AccountID, amount: Amount
    ) {
        self.account = account
        self.amount = amount
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["account", "amount"])
        account = try fields.account("account")
        amount = try fields.amount("amount")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "account": .string(account.text), "amount": amount.json,
        ])
    }
}

/// Something that was delivered, by its hash.
public struct TaskArtefact: EventPart {
    /// SHA-256 of its bytes.
    public var hash: Digest
    /// How long it is.
    public var bytes: Int
    /// Its media type.
    public var media: String

    /// From its parts.
    public init(
        hash: Digest, bytes: Int, media: String
    ) {
        self.hash = hash
        self.bytes = bytes
        self.media = media
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["hash", "bytes", "media"])
        hash = try fields.digest("hash")
        bytes = try fields.count("bytes")
        media = try fields.id("media")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "hash": .digest(hash), "bytes": .count(bytes), "media": .string(media),
        ])
    }
}

/// A signature by a key of the principal who acts.
public struct TaskSignature: EventPart {
    /// did:key.
    public var key: String
    /// Ed25519, base64url.
    public var signature: String

    /// From its parts.
    public init(
        key: String, signature: String
    ) {
        self.key = key
        self.signature = signature
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["key", "signature"])
        key = try fields.id("key")
        signature = try fields.id("signature")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "key": .string(key), "signature": .string(signature),
        ])
    }
}
