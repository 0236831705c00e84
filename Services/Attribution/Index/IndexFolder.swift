internal import Crypto
import Glibc

/// The folder of an index.
struct IndexFolder {
    let path: String

    func path(_ name: String) -> String { path + "/" + name }

    func manifest() throws(CorpusIndexError) -> (Manifest, Digest) {
        let name = path(Manifest.name)
        guard access(name, F_OK) == 0 else { throw .missing(path: path) }
        let file = try MappedFile(path: name)
        guard file.count <= 16 << 20 else { throw .corrupt(path: name, reason: "it is too long for a manifest") }
        return (try Manifest(Array(UnsafeRawBufferPointer(start: file.base, count: file.count)), path: name), file.digest())
    }

    /// Makes a manifest the folder's, and deletes the files that it does not name.
    func replace(_ manifest: Manifest) throws(CorpusIndexError) {
        let passing = path(Manifest.name + ".new")
        var sink = try FileSink(path: passing)
        sink.write(all: try manifest.bytes())
        _ = try sink.finish()
        try Files.rename(passing, to: path(Manifest.name))
        tidy(keeping: manifest)
    }

    /// Deletes the files of an index that a manifest does not name, whoever left them. One that will not go does no harm.
    /// - Returns: how many.
    @discardableResult
    func tidy(keeping manifest: Manifest?) -> Int {
        let kept = Set((manifest?.parts ?? []).flatMap { [$0.segment.name, $0.removed?.name ?? ""] })
        let own = Files.names(in: path).filter { name in
            name.hasPrefix("segment-") || name.hasPrefix("removed-") || name.hasSuffix(".new")
        }
        return own.count { !kept.contains($0) && (try? Files.remove(path($0))) != nil }
    }

    /// Writes a file and names it by its hash.
    func store(
        _ kind: String, _ body: (String) throws(CorpusIndexError) -> (digest: Digest, bytes: Int)
    ) throws(CorpusIndexError) -> Manifest.File {
        let passing = path(kind + ".new")
        let (digest, bytes) = try body(passing)
        let name = kind + "-" + Hex.encode(Array(digest.bytes.prefix(12)))
        try Files.rename(passing, to: path(name))
        return Manifest.File(name: name, hash: digest, bytes: bytes)
    }
}
