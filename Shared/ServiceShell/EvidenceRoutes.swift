public import Blobs
internal import Crypto
internal import HTTP
internal import Synchronization
internal import Threads
public import Web

/// The evidence store beside the log, open to everybody: what auditors compute weights and money from. No content, no keys, no personal
/// data; each document is named by its hash on the log.
public struct EvidenceRoutes: Sendable {
    private let store: LateStore

    /// - Parameter open: opens the store; asked again as long as it fails, since another service may make its folder first.
    public init(_ open: @escaping @Sendable () throws -> EvidenceStore) { store = LateStore(open: open) }

    /// Its one route, in the layout of a bundle.
    public var mount: Mount {
        Mount(
            "evidence",
            routes: [
                Route(
                    .get, "/log/evidence/{part}/{digest}", operation: "evidence",
                    summary: "A document that events name by its hash: canonical JSON, without content.", access: .public,
                    path: ["part": .text(2...2), "digest": .text(64...64)],
                    replies: [.content(200, "The document.", type: "application/json")], problems: [.notFound]
                ) { [store] context in
                    guard let raw = Hex.decode(context.path["digest"]), let digest = Digest(raw), digest.hex == context.path["digest"],
                        digest.hex.hasPrefix(context.path["part"])
                    else { throw Problem(.notFound, "evidence lies under /log/evidence/<first two hex digits>/<all 64, in lower case>") }
                    do {
                        let bytes = try await store.get().open(digest)
                        return Response(
                            headers: ["Content-Type": "application/json", "Cache-Control": "public, max-age=31536000, immutable"],
                            body: .stream { writer in for try await piece in bytes { try await writer.write(piece) } })
                    } catch is BlobError {
                        throw Problem(.notFound, "there is no evidence \(digest.prefixed) here")
                    }
                }
            ])
    }

    private final class LateStore: Sendable {
        private let open: @Sendable () throws -> EvidenceStore
        private let opened = Lock<EvidenceStore?>(nil)

        init(open: @escaping @Sendable () throws -> EvidenceStore) { self.open = open }

        func get() throws -> EvidenceStore {
            if let store = opened.withLock({ $0 }) { return store }
            let store = try open()
            opened.withLock { $0 = store }
            return store
        }
    }
}
