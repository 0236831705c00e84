public import Crypto
internal import Identity
public import JSON
internal import Licences

/// What a contributor brings, and says and signs that it may bring. Its canonical JSON (RFC 8785) is what is signed.
public struct Manifest: Sendable, Hashable {
    /// A file of the upload.
    public struct File: Sendable, Hashable {
        /// Its name, without a path.
        public let name: String
        /// What it is.
        public let format: DocumentFormat
        /// How many bytes.
        public let bytes: Int
        /// SHA-256 of them.
        public let hash: Digest

        /// From its parts.
        public init(name: String, format: DocumentFormat, bytes: Int, hash: Digest) {
            self.name = name
            self.format = format
            self.bytes = bytes
            self.hash = hash
        }
    }

    /// Whose work it is.
    public enum Kind: String, Sendable, Hashable {
        /// The contributor's own.
        case own
        /// Openly licensed work of the authors that the rows name; each gets an account to claim.
        case onBehalf = "on-behalf"
    }

    /// The first member of the signed document, so that a manifest's signature is good for nothing else.
    public static let type = "openledger/manifest/v1"
    /// The most files of one contribution.
    public static let mostFiles = 100
    /// The most bytes of one file: 1 TiB.
    public static let mostBytes = 1 << 40

    /// Where it is meant to go.
    public let datanet: String
    /// The principal who submits it.
    public let contributor: String
    /// Whose work it is.
    public let kind: Kind
    /// The signing key, did:key.
    public let signer: String
    /// The licence of rows that name none: an SPDX expression.
    public let licence: String?
    /// The files, in the order in which their items are numbered.
    public let files: [File]
    /// Which columns hold what.
    public let columns: ColumnMap
    /// The contribution that this one corrects.
    public let supersedes: String?

    /// From its parts.
    public init(
        datanet: String, contributor: String, kind: Kind, signer: String, licence: String? = nil, files: [File],
        columns: ColumnMap = .standard, supersedes: String? = nil
    ) {
        self.datanet = datanet
        self.contributor = contributor
        self.kind = kind
        self.signer = signer
        self.licence = licence
        self.files = files
        self.columns = columns
        self.supersedes = supersedes
    }

    /// Reads a manifest.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["type", "datanet", "contributor", "kind", "signer", "licence", "files", "columns", "supersedes"])
        guard try fields.string("type") == Self.type else { throw try fields.field("type").error("must be \(Self.type)") }
        datanet = try fields.string("datanet", bytes: 1...200)
        contributor = try fields.string("contributor", bytes: 1...200)
        guard let kind = Kind(rawValue: try fields.string("kind")) else { throw try fields.field("kind").error("must be own or on-behalf") }
        self.kind = kind
        signer = try fields.string("signer", bytes: 1...200)
        guard DIDKey.publicKey(in: signer) != nil else {
            throw try fields.field("signer").error("must be the did:key of an Ed25519 key")
        }
        licence = try fields.optionalString("licence", bytes: 1...500)
        if let licence {
            do throws(LicenceError) { _ = try LicenceExpression(licence) } catch { throw try fields.field("licence").error("\(error)") }
        }
        var files: [File] = []
        for field in try fields.array("files", count: 1...Self.mostFiles) { files.append(try Self.file(try field.object())) }
        guard Set(files.map(\.name)).count == files.count else { throw try fields.field("files").error("has two files of one name") }
        self.files = files
        columns = try fields.optionalObject("columns").map { (fields) throws(JSONFieldError) in try ColumnMap(fields) } ?? .standard
        supersedes = try fields.optionalString("supersedes", bytes: 1...200)
    }

    private static func file(_ fields: JSONFields) throws(JSONFieldError) -> File {
        try fields.refuseUnknown(keys: ["name", "format", "bytes", "sha256"])
        let name = try fields.string("name", bytes: 1...255)
        guard !name.contains("/"), !name.unicodeScalars.contains(where: { $0.value < 0x20 }), name != ".", name != ".." else {
            throw try fields.field("name").error("must be a file's name without a path")
        }
        let said = try fields.optionalString("format")
        guard let format = said.flatMap({ DocumentFormat(rawValue: $0) }) ?? (said == nil ? DocumentFormat(name: name) : nil) else {
            throw fields.error("has no format that is taken: \(DocumentFormat.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let hash = Hex.decode(try fields.string("sha256")).flatMap({ Digest($0) }) else {
            throw try fields.field("sha256").error("must be 64 hexadecimal digits")
        }
        return File(name: name, format: format, bytes: try fields.int("bytes", in: 1...mostBytes), hash: hash)
    }

    /// As JSON.
    public var json: JSONValue {
        var object: JSONObject = [
            "type": .string(Self.type), "datanet": .string(datanet), "contributor": .string(contributor), "kind": .string(kind.rawValue),
            "signer": .string(signer),
            "files": .array(
                files.map {
                    [
                        "name": .string($0.name), "format": .string($0.format.rawValue), "bytes": .int(Int64($0.bytes)),
                        "sha256": .string($0.hash.hex),
                    ]
                }),
        ]
        if let licence { object["licence"] = .string(licence) }
        if columns != .standard { object["columns"] = columns.json }
        if let supersedes { object["supersedes"] = .string(supersedes) }
        return .object(object)
    }

    /// The bytes that are signed.
    public func canonical() throws -> [UInt8] { try JSON.canonical(json, allowFractions: false) }

    /// All bytes of all files.
    public var bytes: Int { files.reduce(0) { $0 + $1.bytes } }
}
