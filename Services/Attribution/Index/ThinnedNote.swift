public import Crypto
internal import JSON

/// Beside an index from which items were taken out: which index it was when it was built, and which it is now. Of these two the ledger has
/// the first. Canonical JSON in `thinned.json`.
public struct ThinnedNote: Sendable, Hashable {
    private static let name = "thinned.json"

    /// The hash of the manifest as it was built.
    public let built: Digest
    /// The hash of the manifest as it is.
    public let now: Digest

    /// Takes both.
    public init(built: Digest, now: Digest) {
        self.built = built
        self.now = now
    }

    /// The one of a folder; nil where there is none that can be read.
    public init?(directory: String) {
        guard let file = try? MappedFile(path: directory + "/" + Self.name), file.count <= 1 << 10,
            let fields = try? JSON.parse(Array(UnsafeRawBufferPointer(start: file.base, count: file.count))).object(),
            let built = try? Digest(prefixed: fields.string("built")), let now = try? Digest(prefixed: fields.string("now"))
        else { return nil }
        self.init(built: built, now: now)
    }

    /// Writes it into the folder, in place of any that was there.
    public func write(to directory: String) throws(CorpusIndexError) {
        let path = directory + "/" + Self.name
        let bytes = JSON.write(["built": .string(built.prefixed), "now": .string(now.prefixed)])
        var sink = try FileSink(path: path + ".new")
        sink.write(all: bytes)
        _ = try sink.finish()
        try Files.rename(path + ".new", to: path)
    }
}
