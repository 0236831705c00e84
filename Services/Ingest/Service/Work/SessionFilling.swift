internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import IngestDomain
internal import IngestParsing
internal import Threads

/// Makes anew what screening remembers of a Datanet, from the log and the contents. On a thread of its own: sketches go to the disk.
actor SessionFilling {
    private let core: IngestCore
    private let inspector: Inspector
    private var session: ScreeningSession
    private let executor = ThreadExecutor(name: "fill")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    /// Contents that are read at a time.
    private static let window = 256
    /// Contents of text are smaller by far.
    private static let largestText = 16 << 20

    /// - Throws: ``SketchTrouble``.
    init(core: IngestCore, inspector: Inspector) throws {
        self.core = core
        self.inspector = inspector
        session = ScreeningSession(store: try SketchFile(folder: core.folder))
    }

    deinit { executor.stop() }

    /// All accepted items of a Datanet whose content is there, in the order in which they were judged.
    func session(of datanet: String) async throws -> ScreeningSession {
        let known = try await core.maker.query { state in (state.byDatanet[datanet] ?? []).compactMap { state.contributions[$0] } }
        for contribution in known where contribution.erased != .all {
            let items = try await core.items(of: contribution).filter {
                $0.verdict == "accepted" && !contribution.erased.contains($0.item)
            }
            for start in stride(from: 0, to: items.count, by: Self.window) {
                let part = Array(items[start..<min(items.count, start + Self.window)])
                if inspector.policy.media == "text" {
                    try await fill(texts: part)
                } else {
                    try await fill(media: part)
                }
                if let trouble = session.trouble { throw trouble }
            }
        }
        return session
    }

    private func fill(texts items: [ScreenedItem]) async throws {
        let contents = try await withThrowingTaskGroup(of: Read.self) { group in
            for (number, item) in items.enumerated() {
                group.addTask { [core] in
                    let bytes = try await Self.there {
                        try await core.content.content(owner: item.owner, commitment: item.commitment, upTo: Self.largestText)
                    }
                    return Read(number: number, row: try bytes.map { .content(try ItemContent($0)) })
                }
            }
            var rows = [ParsedRow?](repeating: nil, count: items.count)
            for try await read in group { rows[read.number] = read.row }
            return rows
        }
        let left = zip(items, contents).filter { $0.1 != nil }
        let looked = try await inspector.inspect(left.compactMap(\.1), licence: nil)
        for ((item, _), inspection) in zip(left, looked) {
            guard let inspection else { continue }
            session.restore(
                item.item, fingerprint: inspection.fingerprint, shingles: inspection.shingles, bands: inspection.bands,
                cluster: item.cluster)
        }
    }

    private struct Read: Sendable {
        let number: Int
        let row: ParsedRow?
    }

    /// Images and recordings may be large: only their hash is made, as they are read.
    private func fill(media items: [ScreenedItem]) async throws {
        for item in items {
            let hash = try await Self.there { [core] in
                let hasher = SHA256Hasher()
                for try await piece in try await core.content.content(owner: item.owner, commitment: item.commitment) {
                    hasher.update(piece)
                }
                return hasher.finish()
            }
            guard let hash else { continue }
            session.restore(item.item, fingerprint: hash, shingles: Shingles([]), bands: [], cluster: item.cluster)
        }
    }

    /// Nil for what was erased meanwhile.
    private static func there<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value? {
        do { return try await body() } catch let error as BlobError {
            guard Self.isGone(error) else { throw error }
            return nil
        }
    }

    private static func isGone(_ error: BlobError) -> Bool {
        switch error {
        case .erased, .notFound, .noKey: true
        default: false
        }
    }
}
