import Crypto
import EventLog
import Events
import JSON

/// What an audited log says of a job.
struct RetrainFacts: Sendable {
    let completed: JobCompleted
    /// The position of its end.
    let position: UInt64
    /// SHA-256 of its settings.
    let settings: Digest
    /// The base model's artefact when the job last began.
    let baseArtefact: Digest
    /// In the job's order.
    let snapshots: [SnapshotPublished]

    /// An event that may matter.
    private struct Found: Sendable {
        let position: UInt64
        let type: String
        let data: JSONValue
    }

    private static let types: Set<String> = [
        JobRequested.type, JobStarted.type, JobCompleted.type, BaseModelRegistered.type, SnapshotPublished.type,
    ]

    /// Reads a log whose every event has been checked.
    static func read(_ job: String, from source: some LogSource, size: UInt64) async throws -> RetrainFacts {
        let tiles = (0..<Tile.count(level: 0, size: size)).compactMap { Tile.at(level: 0, index: $0, size: size) }
        let found = try await source.map(tiles) { leaf -> [Found] in
            guard let entries = leaf.entries, let ranges = EntryBundle.ranges(of: entries, count: leaf.tile.width) else {
                throw CommandError("\(leaf.tile.bundlePath) is not what was audited")
            }
            var found: [Found] = []
            for (index, range) in ranges.enumerated() {
                let bytes = Array(entries[range])
                let header = try EventHeader(trusted: bytes)
                guard types.contains(header.type) else { continue }
                let position = leaf.tile.index << UInt64(Tile.height) + UInt64(index)
                found.append(Found(position: position, type: header.type, data: try JSON.parse(Array(bytes[header.data]))))
            }
            return found
        }
        return try fold(job, found.flatMap { $0 })
    }

    private static func fold(_ job: String, _ events: [Found]) throws -> RetrainFacts {
        var bases: [String: Digest] = [:]
        var snapshots: [String: SnapshotPublished] = [:]
        var request: JobRequested?
        var base: Digest?
        for event in events {
            let data = try event.data.object()
            switch event.type {
            case BaseModelRegistered.type:
                let registered = try BaseModelRegistered(data)
                bases[registered.model] = registered.artefact
            case SnapshotPublished.type:
                let published = try SnapshotPublished(data)
                snapshots[published.snapshot] = published
            case JobRequested.type:
                let requested = try JobRequested(data)
                if requested.job == job { request = requested }
            case JobStarted.type:
                if try JobStarted(data).job == job, let request { base = bases[request.base] }
            default:
                let completed = try JobCompleted(data)
                guard completed.job == job else { continue }
                guard let request, let base else { throw CommandError("the log has the end of job \(job), but not its beginning") }
                let published = try completed.snapshots.map { reference in
                    guard let snapshot = snapshots[reference.snapshot], snapshot.root == reference.root else {
                        throw CommandError("the log has no snapshot \(reference.snapshot) with the root that job \(job) names")
                    }
                    return snapshot
                }
                return RetrainFacts(
                    completed: completed, position: event.position, settings: request.settings, baseArtefact: base, snapshots: published)
            }
        }
        throw CommandError(request == nil ? "the log has no job \(job)" : "job \(job) has made no adapter by the end of this log")
    }
}
