internal import AttributionDomain
internal import Blobs
internal import Crypto
internal import Decisions
internal import EventLog
internal import Events
internal import Telemetry

/// Corrections: what rulings change.
extension AttributionDesk {
    /// A ruling that penalised owners takes them out of the attribution that it is about. One that cannot be followed now is put off.
    func correctNext() async throws -> Bool {
        let skipped = idle.union(late.rulings.waiting(at: .now))
        let found = try await maker.query { state in
            state.corrections.first { !skipped.contains($0.trigger.event) }.flatMap { correction in
                state.attributions[correction.attribution].map { (correction, $0.evidence, state.owners) }
            }
        }
        guard let (correction, digest, names) = found else { return false }
        do { try await correct(correction, digest, names) } catch {
            try Task.checkCancellation()
            logger.warning("a ruling is not followed yet", ["ruling": .string(correction.ruling.ruling), "error": .describing(error)])
            late.rulings.failed(correction.trigger.event, "\(error)", at: .now)
            return true
        }
        late.rulings.done(correction.trigger.event)
        return true
    }

    private func correct(_ correction: AttributionState.Correction, _ digest: Digest, _ names: OwnerNames) async throws {
        let statement = try AttributionStatement(json: try await evidence.bytes(digest))
        let corrected = statement.corrected(by: correction.ruling, at: correction.trigger.position, names: names)
        guard try corrected.shares() != statement.shares() else {
            idle.insert(correction.trigger.event)
            return
        }
        let bytes = try corrected.bytes()
        let (list, long) = try EvidenceList.of(try corrected.shares())
        for document in [bytes] + [long].compactMap(\.self) { _ = try await evidence.put(canonical: document) }
        let event = AttributionCorrected(
            attribution: correction.attribution, ruling: correction.ruling.ruling, shares: list, evidence: SHA256.hash(bytes))
        guard let stream = StreamName(kind: "attribution", id: event.attribution) else { return }
        try await react(to: correction.trigger) { state in
            state.attributions[event.attribution]?.rulings.contains(event.ruling) == false ? [NewEvent(event, stream: stream)] : []
        }
    }
}
