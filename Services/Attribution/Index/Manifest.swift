internal import AttributionDomain
internal import Crypto
internal import JSON
import Glibc

/// What an index is made of: the snapshot's root, and every file with its hash. Canonical JSON in `manifest.json`, sealed with a hash of
/// itself; the hash of the whole file is the index's.
struct Manifest: Sendable, Hashable {
    static let name = "manifest.json"
    static let format = 1

    struct File: Sendable, Hashable {
        let name: String
        let hash: Digest
        let bytes: Int
    }

    struct Part: Sendable, Hashable {
        var segment: File
        var removed: File?
    }

    var root: Digest
    /// The key of the words' hashes.
    var key: WordKey
    /// Largest first, so that a merge of the last ones is small.
    var parts: [Part] = []

    func bytes() throws(CorpusIndexError) -> [UInt8] {
        var object = body()
        do {
            let seal = SHA256.hash(try JSON.canonical(.object(JSONObject(object)), allowFractions: false))
            object.append(("seal", .string(seal.description)))
            return try JSON.canonical(.object(JSONObject(object)), allowFractions: false)
        } catch {
            throw .corrupt(path: Self.name, reason: "\(error)")
        }
    }

    init(root: Digest, key: WordKey) {
        self.root = root
        self.key = key
    }

    /// Reads a manifest; `path` is for errors.
    init(_ bytes: [UInt8], path: String) throws(CorpusIndexError) {
        do {
            let fields = try JSONField(try JSON.parse(bytes, limits: JSONLimits(depth: 8, bytes: 16 << 20, items: 1_000_000))).object()
            let format = try fields.int("format")
            guard format == Self.format else { throw CorpusIndexError.version(path: path, found: format, known: Self.format) }
            root = try Self.digest(fields.field("root"))
            guard let k0 = UInt64(try fields.string("k0"), radix: 16), let k1 = UInt64(try fields.string("k1"), radix: 16) else {
                throw CorpusIndexError.corrupt(path: path, reason: "its key is not hexadecimal")
            }
            key = WordKey(k0: k0, k1: k1)
            parts = try fields.array("parts", count: 0...4096).map {
                let part = try $0.object()
                return Part(segment: try Self.file(part.field("segment")), removed: try part.optionalField("removed").map(Self.file))
            }
            guard try self.bytes() == bytes else { throw CorpusIndexError.corrupt(path: path, reason: "its seal does not fit it") }
        } catch let error as CorpusIndexError {
            throw error
        } catch {
            throw .corrupt(path: path, reason: "\(error)")
        }
    }

    private static func digest(_ field: JSONField) throws -> Digest {
        guard let digest = Digest(prefixed: try field.string()) else { throw field.error("is no hash") }
        return digest
    }

    private static func file(_ field: JSONField) throws -> File {
        let fields = try field.object()
        let name = try fields.field("file")
        let text = try name.string(bytes: 1...100)
        guard !text.contains("/"), !text.hasPrefix(".") else { throw name.error("is not a plain file name") }
        return File(name: text, hash: try digest(fields.field("hash")), bytes: try fields.int("bytes", in: 1...Int.max))
    }

    private func body() -> [(String, JSONValue)] {
        func file(_ file: File) -> JSONValue {
            ["file": .string(file.name), "hash": .string(file.hash.description), "bytes": .int(Int64(file.bytes))]
        }
        let list = parts.map { part -> JSONValue in
            var members: [(String, JSONValue)] = [("segment", file(part.segment))]
            if let removed = part.removed { members.append(("removed", file(removed))) }
            return .object(JSONObject(members))
        }
        return [
            ("format", .int(Int64(Self.format))), ("root", .string(root.description)), ("k0", .string(String(key.k0, radix: 16))),
            ("k1", .string(String(key.k1, radix: 16))), ("parts", .array(list)),
        ]
    }
}
