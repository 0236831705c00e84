public import Crypto
public import HTTPClient
internal import HTTP
internal import Threads

/// A log on a server, by its prefix. A request that fails for a moment is repeated; where a partial tile has gone because
/// the tile has grown, the full one is fetched and cut, as tlog-tiles allows.
public struct HTTPLogSource: LogSource {
    /// The prefix, without a slash at its end.
    public let name: String
    private let transport: any Transport
    private let local: FolderLogSource?
    private let attempts: Int
    /// Requests at once.
    private static let width = 8

    /// A log behind a prefix such as `http://127.0.0.1:7401/log`.
    /// - Parameters:
    ///   - local: a folder whose entries are taken instead of fetched ones where their hashes are those of the server's tile.
    ///   - attempts: how often a request is made that finds nobody or an overloaded server.
    public init(transport: any Transport, url: String, local: FolderLogSource? = nil, attempts: Int = 6) {
        self.transport = transport
        self.local = local
        self.attempts = max(attempts, 1)
        var url = url[...]
        while url.hasSuffix("/") { url = url.dropLast() }
        name = String(url)
    }

    /// `GET <prefix>/checkpoint`.
    public func checkpoint() async throws -> String {
        try LogBounds.text(try await get("checkpoint", limit: SignedNote.maximumBytes), path: name + "/checkpoint")
    }

    /// `GET <prefix>/tile/…`.
    public func hashes(of tile: Tile) async throws -> [UInt8] {
        try LogBounds.cut(hashes: try await get(tile, { $0.path }, limit: LogBounds.tile), to: tile)
    }

    /// `GET <prefix>/tile/entries/…`.
    public func bundle(of tile: Tile) async throws -> [UInt8] {
        let bytes = try await get(tile, { $0.bundlePath }, limit: LogBounds.bundle)
        return tile.isFull ? bytes : LogBounds.cut(bundle: bytes, to: tile)
    }

    /// `GET <prefix>/v1/keys`, where our ledger names its keys; none from a server that has no such page.
    public func pinnedKeys() async throws -> [VerifierKey] {
        do {
            let text = try LogBounds.text(try await get("v1/keys", limit: LogBounds.keys), path: name + "/v1/keys")
            return try LogBounds.keys(text, path: name + "/v1/keys")
        } catch let error as LogSourceError where error.isMissing {
            return []
        }
    }

    /// `GET <prefix>/v1/keys/rotations`; none from a server that has no such page.
    public func rotations() async throws -> [LogRotation] {
        do {
            let path = "v1/keys/rotations"
            return try LogBounds.rotations(try await get(path, limit: LogBounds.rotations), path: "\(name)/\(path)")
        } catch let error as LogSourceError where error.isMissing {
            return []
        }
    }

    /// None: a server that forks its log would not keep what gives it away.
    public func keptSizes() async throws -> [UInt64] { [] }

    /// There is none.
    public func keptCheckpoint(_ size: UInt64) async throws -> String {
        throw LogSourceError.missing(path: "checkpoints/\(size)", source: name)
    }

    /// `GET <prefix>/evidence/…`.
    public func evidence(_ digest: Digest) async throws -> [UInt8]? {
        try await present { try await get(EvidencePath.of(digest), limit: EvidencePath.largest) }
    }

    /// Fetches several tiles at once; `body` runs on threads of its own.
    public func map<Result: Sendable>(
        _ tiles: [Tile], _ body: @escaping @Sendable (LeafTile) throws -> Result
    ) async throws -> [Result] {
        try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results = [Result?](repeating: nil, count: tiles.count)
            var next = 0
            func start() {
                guard next < tiles.count else { return }
                let (index, tile) = (next, tiles[next])
                next += 1
                group.addTask {
                    let leaf = try await fetch(tile)
                    return (index, try await OSThread.run(name: "log-check") { try body(leaf) })
                }
            }
            for _ in 0..<Self.width { start() }
            while let (index, result) = try await group.next() {
                results[index] = result
                start()
            }
            return results.compactMap { $0 }
        }
    }

    private func fetch(_ tile: Tile) async throws -> LeafTile {
        let hashes = try await present { try await self.hashes(of: tile) }
        if let local, let hashes, let entries = try? await local.bundle(of: tile), Self.entries(entries, have: hashes, tile) {
            return LeafTile(tile: tile, entries: entries, hashes: hashes)
        }
        var entries = try await present { try await self.bundle(of: tile) }
        if entries == nil { entries = try await beginning(of: tile) }
        return LeafTile(tile: tile, entries: entries, hashes: hashes)
    }

    /// The longest beginning of a bundle that the server still has: where a log's tail is gone, the first event that is missing
    /// may be any one of its last tile.
    private func beginning(of tile: Tile) async throws -> [UInt8]? {
        var (has, lacks) = (0, tile.width)
        var found: [UInt8]?
        while has + 1 < lacks {
            let middle = (has + lacks) / 2
            let path = Tile(level: tile.level, index: tile.index, width: middle).bundlePath
            if let bytes = try await present({ try await get(path, limit: LogBounds.bundle) }) {
                (has, found) = (middle, bytes)
            } else {
                lacks = middle
            }
        }
        return found
    }

    private static func entries(_ bundle: [UInt8], have hashes: [UInt8], _ tile: Tile) -> Bool {
        guard let ranges = EntryBundle.ranges(of: bundle, count: tile.width) else { return false }
        let span = bundle.span
        var leaves: [UInt8] = []
        for range in ranges { SHA256.hash(prefix: 0, span.extracting(range)).append(to: &leaves) }
        return leaves == hashes
    }

    private func present(_ body: () async throws -> [UInt8]) async throws -> [UInt8]? {
        do { return try await body() } catch let error as LogSourceError where error.isMissing { return nil }
    }

    private func get(_ tile: Tile, _ place: (Tile) -> String, limit: Int) async throws -> [UInt8] {
        do {
            return try await get(place(tile), limit: limit)
        } catch let error as LogSourceError where error.isMissing && !tile.isFull {
            return try await get(place(Tile(level: tile.level, index: tile.index)), limit: limit)
        }
    }

    private func get(_ path: String, limit: Int) async throws -> [UInt8] {
        let request = ClientRequest(url: "\(name)/\(path)", stallTimeout: .seconds(20), maximumBodyBytes: limit)
        var failure = ""
        for attempt in 0..<attempts {
            if attempt > 0 { try await Task.sleep(for: .milliseconds(100 << min(attempt, 6))) }
            do {
                let response = try await transport.send(request)
                switch response.status {
                case 200:
                    guard response.headers["Content-Encoding"] == nil else {
                        throw LogSourceError.malformed(path: path, reason: "came compressed, which was not asked for")
                    }
                    return try await response.body.collect(upTo: limit)
                case 404, 410: throw LogSourceError.missing(path: path, source: name)
                case 408, 429, 500...: failure = "it answered \(response.status) to \(path)"
                default: throw LogSourceError.unreachable(source: name, reason: "it answered \(response.status) to \(path)")
                }
            } catch let error as HTTPClientError {
                if case .bodyTooLarge = error { throw LogSourceError.oversized(path: path, limit: limit) }
                guard error.isRetriable else { throw LogSourceError.unreachable(source: name, reason: "\(error)") }
                failure = "\(error)"
            }
        }
        throw LogSourceError.unreachable(source: name, reason: "\(failure), \(attempts) times over")
    }
}
