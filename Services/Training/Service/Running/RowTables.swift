internal import Blobs
internal import Crypto
internal import Events
internal import JSON
internal import TrainingDomain

/// The tables of attribution rows that are handed in, looked at whether or not the work is.
struct RowTables: Sendable {
    let artefacts: ArtefactStore
    let items: JobItems

    /// Refuses rows that are said to be others' than they can be.
    func require(_ rows: Digest, of job: TrainingJob) async throws {
        func fail(_ reason: String) -> TrainingError { .invalid(field: "/rows", reason: reason) }
        guard let file = try await artefacts.listing(of: rows).first(where: { $0.path == "rows.json" }) else {
            throw fail("has no rows.json")
        }
        let most = HandedRows.limits.bytes
        guard let bytes = try? await artefacts.bytes(file.digest).collect(upTo: most) else {
            throw fail("has a rows.json that can't be read, or of more than \(most) bytes")
        }
        let snapshots = try await items.all(of: job.request.snapshots)
        do { try HandedRows.require(try JSON.parse(bytes, limits: HandedRows.limits).object(), of: snapshots) } catch let error as JSONError
        {
            throw fail("has a rows.json that is none: \(error)")
        } catch let error as JSONFieldError { throw fail("has a rows.json that is none: \(error)") }
    }
}
