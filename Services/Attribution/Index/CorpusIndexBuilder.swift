internal import AttributionDomain
public import Crypto
internal import Glibc

/// An item to be indexed.
public struct CorpusItem: Sendable {
    /// Its id: 1 to 255 bytes.
    public let id: String
    /// Its text.
    public let text: [UInt8]

    /// Takes both.
    public init(id: String, text: [UInt8]) {
        self.id = id
        self.text = text
    }
}

/// Makes and changes the index of a folder. One writer at a time; readers that have it open keep what they opened. All of this waits for
/// the disk and the sorter, so that it belongs on a thread of its own.
public struct CorpusIndexBuilder: Sendable {
    /// The most items of one index.
    public static let itemLimit = 50_000_000
    private let folder: IndexFolder

    /// Takes the folder; it is made when it is not there.
    public init(directory: String) throws(CorpusIndexError) {
        folder = IndexFolder(path: directory)
        try Files.makeFolder(directory)
    }

    /// Builds the index of a snapshot anew, in place of any that was there. The same items in the same order give the same files.
    ///
    /// - Returns: the hash of the manifest.
    @discardableResult
    public func build(root: Digest, items: some Sequence<CorpusItem>) throws(CorpusIndexError) -> Digest {
        var manifest = Manifest(root: root, key: Self.key(root))
        manifest.parts = try store(items, key: manifest.key, known: [])
        try folder.replace(manifest)
        return try folder.manifest().1
    }

    /// Builds the index of a snapshot in the segments of a plan. A segment that the index of an earlier snapshot has already is that one's
    /// file; the words of other items that it has are taken from there, and only those of items that it lacks from their texts. Every byte
    /// of the earlier index is checked before anything is taken: what is written here gets new hashes.
    ///
    /// - Parameters:
    ///   - origin: the root of the Datanet's first snapshot, which makes the key of the words' hashes.
    ///   - groups: the items of each segment, each once.
    ///   - earlier: the folder of the index of an earlier snapshot; nothing is taken from one with another key.
    ///   - text: of an item that the earlier index lacks.
    /// - Returns: the hash of the manifest.
    /// - Throws: `CorpusIndexError.unknownItem` for an item that has neither.
    @discardableResult
    public func build(
        root: Digest, origin: Digest, groups: [[String]], earlier: String? = nil, text: (String) -> [UInt8]?
    ) throws(CorpusIndexError) -> Digest {
        var manifest = Manifest(root: root, key: Self.key(origin))
        var source = try earlier.map { (path) throws(CorpusIndexError) in try CorpusIndex(directory: path) }
        if source?.manifest.key != manifest.key { source = nil }
        let kept = source.map { Self.segments(of: $0) } ?? [:]
        let words = source.map { IndexedWords($0) }
        var seen: Set<String> = []
        for group in groups where !group.isEmpty {
            for id in group { guard seen.insert(id).inserted else { throw .duplicateItem(id) } }
            guard seen.count <= Self.itemLimit else { throw .tooLarge(what: "items", count: seen.count, limit: Self.itemLimit) }
            if let earlier, let file = kept[group] {
                try Files.link(earlier + "/" + file.name, to: folder.path(file.name))
                manifest.parts.append(Manifest.Part(segment: file, removed: nil))
            } else {
                manifest.parts += try store(group, words, key: manifest.key, text)
            }
        }
        try folder.replace(manifest)
        return try folder.manifest().1
    }

    /// The segments from which nothing was removed, by their items.
    private static func segments(of index: CorpusIndex) -> [[String]: Manifest.File] {
        var files: [[String]: Manifest.File] = [:]
        for (part, live) in zip(index.manifest.parts, index.parts) where live.removed.isEmpty {
            files[(0..<live.segment.items).map { live.segment.id(of: $0) }] = part.segment
        }
        return files
    }

    private func store(
        _ group: [String], _ words: IndexedWords?, key: WordKey, _ text: (String) -> [UInt8]?
    ) throws(CorpusIndexError) -> [Manifest.Part] {
        var parts: [Manifest.Part] = []
        var stream = TokenStream(key: key)
        for id in group {
            guard (1...255).contains(id.utf8.count) else { throw .badItem(id) }
            if let known = words?.words(of: id) {
                if !stream.ids.isEmpty, (stream.tokens.count + known.count + 1) * 4 > SegmentWriter.limit {
                    parts.append(try store(stream))
                    stream = TokenStream(key: key)
                }
                for word in known { stream.append(high: word.high, low: UInt32(truncatingIfNeeded: word.low)) }
                stream.finishItem(id)
                continue
            }
            guard let text = text(id) else { throw .unknownItem(id) }
            guard text.count <= SegmentWriter.limit / 4 else {
                throw .tooLarge(what: "bytes in item \(id)", count: text.count, limit: SegmentWriter.limit / 4)
            }
            if !stream.ids.isEmpty, (stream.tokens.count + text.count) * 4 > SegmentWriter.limit {
                parts.append(try store(stream))
                stream = TokenStream(key: key)
            }
            text.withUnsafeBytes { stream.append(id: id, text: $0) }
        }
        if !stream.ids.isEmpty { parts.append(try store(stream)) }
        return parts
    }

    /// Goes on to a later snapshot: items that came are indexed in segments of their own, items that went vanish from every answer.
    ///
    /// The words of items that went stay in their segment, hashed, until `purge` or a merge; for an erasure, call `purge`.
    @discardableResult
    public func update(
        root: Digest, adding items: some Sequence<CorpusItem> = [CorpusItem](), removing gone: some Collection<String> = [String]()
    ) throws(CorpusIndexError) -> Digest {
        let index = try CorpusIndex(directory: folder.path, verification: .headers)
        var manifest = index.manifest
        manifest.root = root
        var wanted = Set(gone)
        var known: Set<String> = []
        for (number, part) in index.parts.enumerated() {
            var removed: [UInt32] = []
            for item in 0..<part.segment.items where !part.removed.contains(item: item) {
                let id = part.segment.id(of: item)
                if wanted.remove(id) != nil { removed.append(UInt32(item)) } else { known.insert(id) }
            }
            guard !removed.isEmpty else { continue }
            let all = Removed(items: part.removed.items + removed, of: part.segment)
            manifest.parts[number].removed = try folder.store("removed") { (path) throws(CorpusIndexError) in
                var sink = try FileSink(path: path)
                all.write(to: &sink)
                return (try sink.finish(), sink.count)
            }
        }
        if let id = wanted.min() { throw .unknownItem(id) }
        manifest.parts += try store(items, key: manifest.key, known: known)
        try folder.replace(manifest)
        return try folder.manifest().1
    }

    /// Merges segments where that pays: the last ones, as long as one is at least half as large as the one before. So there are never more
    /// than a logarithm of the corpus, and a word is rewritten about as often.
    ///
    /// - Returns: whether anything was merged.
    @discardableResult
    public func merge() throws(CorpusIndexError) -> Bool {
        let index = try CorpusIndex(directory: folder.path)
        let sizes = index.parts.map { $0.segment.layout.symbols * 4 }
        var first = sizes.count - 1
        var sum = sizes.last ?? 0
        while first > 0, sum * 2 >= sizes[first - 1], sum + sizes[first - 1] <= SegmentWriter.limit {
            first -= 1
            sum += sizes[first]
        }
        guard first >= 0, first < sizes.count - 1 else { return false }
        try rewrite(index, first..<sizes.count)
        return true
    }

    /// Removes files that no manifest names, from every index in a folder of indexes: what was being written when a program ended. Nobody else
    /// may write there.
    ///
    /// - Returns: how many files that was.
    public static func tidy(folders path: String) -> Int {
        var count = 0
        for name in Files.names(in: path) {
            let folder = IndexFolder(path: path + "/" + name)
            guard Files.isFolder(folder.path) else { continue }
            // What has a manifest that cannot be read is built anew, and tidied then.
            let manifest = try? folder.manifest().0
            guard manifest != nil || access(folder.path(Manifest.name), F_OK) != 0 else { continue }
            count += folder.tidy(keeping: manifest)
        }
        return count
    }

    /// Writes every segment that has removed items anew, without them: nothing of an erased item is left.
    ///
    /// - Returns: whether anything was written.
    @discardableResult
    public func purge() throws(CorpusIndexError) -> Bool {
        var isChanged = false
        while true {
            let index = try CorpusIndex(directory: folder.path)
            guard let part = index.parts.firstIndex(where: { !$0.removed.isEmpty }) else { return isChanged }
            try rewrite(index, part..<part + 1)
            isChanged = true
        }
    }

    private func rewrite(_ index: CorpusIndex, _ range: Range<Int>) throws(CorpusIndexError) {
        var manifest = index.manifest
        var stream = TokenStream(key: manifest.key)
        for part in index.parts[range] {
            for item in 0..<part.segment.items where !part.removed.contains(item: item) {
                for position in part.segment.positions(of: item) {
                    let hash = part.segment.hash(of: part.segment.symbol(at: position))
                    stream.append(high: hash.high, low: hash.low)
                }
                stream.finishItem(part.segment.id(of: item))
            }
        }
        let merged = stream.ids.isEmpty ? [] : [try store(stream)]
        manifest.parts.replaceSubrange(range, with: merged)
        try folder.replace(manifest)
    }

    private func store(
        _ items: some Sequence<CorpusItem>, key: WordKey, known: Set<String>
    ) throws(CorpusIndexError) -> [Manifest.Part] {
        var seen = known
        var parts: [Manifest.Part] = []
        var stream = TokenStream(key: key)
        for item in items {
            guard (1...255).contains(item.id.utf8.count) else { throw .badItem(item.id) }
            guard seen.insert(item.id).inserted else { throw .duplicateItem(item.id) }
            guard seen.count <= Self.itemLimit else { throw .tooLarge(what: "items", count: seen.count, limit: Self.itemLimit) }
            guard item.text.count <= SegmentWriter.limit / 4 else {
                throw .tooLarge(what: "bytes in item \(item.id)", count: item.text.count, limit: SegmentWriter.limit / 4)
            }
            // A word takes a byte of text at least, and four bytes as a symbol at most.
            if !stream.ids.isEmpty, (stream.tokens.count + item.text.count) * 4 > SegmentWriter.limit {
                parts.append(try store(stream))
                stream = TokenStream(key: key)
            }
            item.text.withUnsafeBytes { stream.append(id: item.id, text: $0) }
        }
        if !stream.ids.isEmpty { parts.append(try store(stream)) }
        return parts
    }

    private func store(_ stream: consuming TokenStream) throws(CorpusIndexError) -> Manifest.Part {
        let stream = stream
        let file = try folder.store("segment") { (path) throws(CorpusIndexError) in try SegmentWriter.write(stream, to: path) }
        return Manifest.Part(segment: file, removed: nil)
    }

    /// The key of the words' hashes: from the first snapshot's root, so that everybody who builds it gets the same files.
    private static func key(_ root: Digest) -> WordKey {
        let bytes = SHA256.hash(Array("openledger corpus index words\0".utf8) + root.bytes).bytes
        func half(_ range: Range<Int>) -> UInt64 { bytes[range].reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        return WordKey(k0: half(0..<8), k1: half(8..<16))
    }
}
