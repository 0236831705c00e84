public import Crypto
internal import JSON
internal import Threads

/// API keys in a file of JSON lines: one line per key added or revoked, the later line counting. The file holds hashes, no
/// keys, and is read once; every change is on disk before the call returns.
public actor FileAPIKeyStore: APIKeyStore {
    private static let largest = 64 << 20

    private let path: String
    private let executor = ThreadExecutor(name: "api-keys")
    // Outside the actor, so that looking a key up never waits for the disk.
    private nonisolated let memory: MemoryAPIKeyStore

    /// Writing blocks, so this actor has a thread of its own.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    deinit { executor.stop() }

    /// Reads the file, when there is one. Blocks. Throws for a line that cannot be read, naming it: a key must not be
    /// lost, nor a revocation, without anyone seeing.
    public init(path: String) throws(FileError) {
        self.path = path
        memory = MemoryAPIKeyStore()
        guard SmallFile.exists(path) else { return }
        let bytes = try SmallFile.read(path, limit: Self.largest)
        guard bytes.isEmpty || bytes.last == UInt8(ascii: "\n") else {
            throw .malformed(path: path, reason: "the last line is cut short: remove it, or end it with a line end")
        }
        for (number, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast().enumerated() {
            do {
                try Self.apply(Array(line), to: memory)
            } catch {
                throw .malformed(path: path, reason: "line \(number + 1): \(error)")
            }
        }
    }

    /// The record of the key with that hash.
    public nonisolated func record(for hash: Digest) -> APIKeyRecord? { memory.record(for: hash) }

    /// The hashes of the keys whose record meets a condition, in their order.
    public nonisolated func hashes(where fits: (APIKeyRecord) -> Bool) -> [Digest] { memory.hashes(where: fits) }

    /// How many keys there are.
    public nonisolated var count: Int { memory.count }

    /// Adds a key, or replaces what is kept of it.
    public func add(_ record: APIKeyRecord) throws(FileError) {
        let caller = record.caller
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("hash", record.hash.prefixed)
        writer.member("subject", caller.subject)
        writer.member("issuer", caller.issuer)
        writer.member("kind", caller.kind.rawValue)
        writer.member("scope", ScopeText.write(caller.scopes))
        if let expiry = record.expiry { writer.member("expiry", expiry) }
        writer.endObject()
        try append(writer.bytes)
        memory.add(record)
    }

    /// Ends a key at once.
    public func revoke(_ hash: Digest) throws(FileError) {
        try append(Array(#"{"hash":"\#(hash.prefixed)","revoked":true}"#.utf8))
        memory.revoke(hash)
    }

    private func append(_ line: [UInt8]) throws(FileError) {
        try SmallFile.append(path, line + [UInt8(ascii: "\n")], mode: 0o600)
    }

    private static func apply(_ line: [UInt8], to memory: MemoryAPIKeyStore) throws {
        let fields = try JSON.parse(line, limits: JSONLimits(depth: 2, bytes: 65_536)).object()
        try fields.refuseUnknown(keys: ["hash", "subject", "issuer", "kind", "scope", "expiry", "revoked"])
        let hashField = try fields.field("hash")
        guard let hash = Digest(prefixed: try hashField.string()) else { throw hashField.error("must be sha256: and 64 digits") }
        if try fields.optionalBool("revoked") == true { return memory.revoke(hash) }
        let kindField = try fields.field("kind"), scopeField = try fields.field("scope")
        guard let kind = Caller.Kind(rawValue: try kindField.string()) else { throw kindField.error("is not known") }
        guard let scopes = ScopeText.read(try scopeField.string()) else { throw scopeField.error("cannot be read") }
        let caller = Caller(
            subject: try fields.string("subject", bytes: 1...1024), issuer: try fields.string("issuer", bytes: 1...1024), kind: kind,
            scopes: scopes)
        memory.add(APIKeyRecord(hash: hash, caller: caller, expiry: try fields.optionalInt("expiry").map(Int64.init)))
    }
}
