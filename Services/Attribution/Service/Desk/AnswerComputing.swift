internal import AttributionDomain
internal import Blobs
internal import Crypto
internal import EventLog
internal import Events
internal import Threads

/// From an answer that waits to the event that attributes it, with its documents in the evidence store.
struct AnswerComputing: Sendable {
    let gathering: Gathering
    let evidence: EvidenceStore

    /// How many answers are worked on side by side.
    static let width = 16

    /// An event whose documents are kept.
    struct Computed: Sendable {
        let event: AttributionComputed
        let stream: StreamName
    }

    /// What came of one answer, by its place among those that were looked at together.
    struct Attempt: Sendable {
        let place: Int
        let outcome: Result<Computed, any Error>
    }

    /// Several answers side by side, in their order, each with its documents in the evidence store.
    func compute(_ tasks: [AttributionTask]) async -> [Attempt] {
        await withTaskGroup(of: Attempt.self) { group in
            for (place, task) in tasks.enumerated() {
                group.addTask {
                    do {
                        return Attempt(place: place, outcome: .success(try await compute(task)))
                    } catch {
                        return Attempt(place: place, outcome: .failure(error))
                    }
                }
            }
            var attempts: [Attempt] = []
            attempts.reserveCapacity(tasks.count)
            for await attempt in group { attempts.append(attempt) }
            return attempts.sorted { $0.place < $1.place }
        }
    }

    private func compute(_ task: AttributionTask) async throws -> Computed {
        let material = try await gathering.material(for: task)
        let (event, documents) = try await OSThread.run(name: "attribution") { try Self.event(material) }
        for bytes in documents { _ = try await evidence.put(canonical: bytes) }
        guard let stream = StreamName(kind: "attribution", id: event.attribution) else {
            throw AttributionTrouble.answer(.attribution, "cannot name a stream for \(event.attribution)")
        }
        return Computed(event: event, stream: stream)
    }

    private static func event(_ material: AnswerMaterial) throws -> (AttributionComputed, [[UInt8]]) {
        let statement = try material.statement()
        let bytes = try statement.bytes()
        let (list, long) = try EvidenceList.of(try statement.shares())
        let event = AttributionComputed(
            attribution: statement.attribution, inference: statement.inference, model: statement.model, version: statement.version,
            rules: statement.rules, methods: try statement.methods(), fallback: try statement.isFallback(), shares: list,
            evidence: SHA256.hash(bytes), missing: statement.missing)
        return (event, [bytes] + [long].compactMap(\.self))
    }
}
