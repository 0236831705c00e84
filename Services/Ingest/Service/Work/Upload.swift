internal import Blobs
internal import Crypto
internal import HTTP
internal import IngestDomain
internal import Telemetry
internal import Web

/// The resumable upload of a file: bytes are appended at an offset that both sides agree on, sealed a part at a time.
/// What has been stored when a connection breaks stays; the client asks for the offset and goes on.
struct Upload: Sendable {
    let core: IngestCore
    /// Kept in memory at a time, and the size of a sealed part.
    static let part = 8 << 20

    /// How many bytes of a file have come.
    func offset(_ id: String, file: Int) async throws -> Int { try await core.drafts.parts(id, file: file).last?.end ?? 0 }

    /// Appends what a request brings.
    /// - Returns: the new offset.
    func append(_ draft: Draft, file: Int, offset: Int, _ body: RequestBody) async throws -> Int {
        let limit = draft.manifest.files[file].bytes
        var place = try await self.offset(draft.contribution, file: file)
        guard offset == place else {
            throw Problem(
                .conflict, "the file has \(place) bytes: go on there", field: "Upload-Offset", headers: ["Upload-Offset": "\(place)"])
        }
        var pending: [UInt8] = []
        do {
            for try await piece in body {
                pending += piece
                guard place + pending.count <= limit else { throw Problem(.bodyTooLarge, "the manifest says \(limit) bytes") }
                while pending.count >= Self.part {
                    place = try await store(Array(pending[..<Self.part]), at: place, draft, file)
                    pending.removeFirst(Self.part)
                }
            }
        } catch {
            // What came before the connection broke is kept, so that it need not come again.
            if !(error is Problem), !pending.isEmpty { _ = try? await store(pending, at: place, draft, file) }
            throw error
        }
        return pending.isEmpty ? place : try await store(pending, at: place, draft, file)
    }

    private func store(_ bytes: [UInt8], at place: Int, _ draft: Draft, _ file: Int) async throws -> Int {
        let item = "\(draft.contribution)/\(file)/\(place)"
        let commitment = try await core.uploads.put(owner: draft.contributor, [SealedItem(id: item, content: bytes)])[0]
        let part = Part(start: place, bytes: bytes.count, commitment: commitment)
        guard try await core.drafts.add(draft.contribution, file: file, part) else {
            throw Problem(.conflict, "somebody else is uploading this file", field: "Upload-Offset")
        }
        return part.end
    }

    /// A whole file, to be read as often as needed.
    func bytes(_ draft: Draft, file: Int) async throws -> BlobBytes {
        let parts = try await core.drafts.parts(draft.contribution, file: file)
        let uploads = core.uploads
        return BlobBytes(
            concatenating: parts.map { part in
                BlobBytes(of: { try await uploads.content(owner: draft.contributor, commitment: part.commitment) })
            })
    }

    /// Removes the sealed parts of a draft.
    func clear(_ draft: Draft) async throws {
        for file in draft.manifest.files.indices { try await clear(draft, file: file) }
    }

    /// Removes what has come of a file, which begins anew.
    func clear(_ draft: Draft, file: Int) async throws {
        for part in try await core.drafts.parts(draft.contribution, file: file) {
            try await core.uploads.remove(commitment: part.commitment)
        }
        try await core.drafts.empty(draft.contribution, file: file)
    }

    /// Removes uploads that were left behind: nobody came back to them for as long as the house keeps them.
    func clearOld() async throws {
        while true {
            let old = try await core.drafts.left(for: core.uploadAge)
            for draft in old {
                try await clear(draft)
                guard try await core.drafts.discard(draft.contribution) else { continue }
                core.logger.info("an upload was left behind and is removed", ["contribution": .string(draft.contribution)])
            }
            if old.count < 100 { return }
        }
    }
}
