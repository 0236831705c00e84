internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import IngestDomain
internal import Telemetry

/// Takes uploads that are complete, one after another, and puts them through the rules. What it has decided is on the log;
/// what a crash interrupts is done again from the uploaded parts and comes out the same.
actor Screener {
    private var shelf = ScreeningShelf()
    private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// Says that there is something to do.
    nonisolated func ring() { bell.continuation.yield() }

    /// Works until the task is cancelled. A draft that meets trouble waits, and the others go on.
    func run(_ core: IngestCore) async {
        ring()
        for await _ in bell.stream {
            var postponed: [String] = []
            var isTroubled = false
            while !Task.isCancelled {
                var hand: String?
                do {
                    guard let draft = try await core.drafts.queued(except: postponed) else { break }
                    hand = draft.contribution
                    try await screen(draft, core)
                } catch is CancellationError {
                    return
                } catch {
                    core.logger.error("screening waits: \(error)", hand.map { ["contribution": .string($0)] } ?? [:])
                    isTroubled = true
                    guard let hand else { break }
                    postponed.append(hand)
                }
            }
            if isTroubled {
                try? await Task.sleep(for: .seconds(1))
                ring()
            }
        }
    }

    /// Forgets items of a Datanet, which were erased: the same may come again.
    func forget(_ datanet: String, items: [String]) { shelf.forget(datanet, items: items) }

    /// Forgets what a Datanet holds: something of it was erased.
    func forget(_ datanet: String) { shelf.forget(datanet) }

    private func screen(_ draft: Draft, _ core: IngestCore) async throws {
        // After a crash a draft may be on the log already: then only its upload is left to clear.
        if try await core.maker.query({ $0.contributions[draft.contribution] == nil }) {
            do {
                try await settle(draft, core)
            } catch {
                guard let reason = Self.lasting(error) else { throw error }
                core.logger.info("contribution failed: \(reason)", ["contribution": .string(draft.contribution)])
                return try await core.drafts.finish(draft.contribution, .failed, problem: reason)
            }
        }
        try await Upload(core: core).clear(draft)
        try await core.drafts.finish(draft.contribution, .done)
    }

    /// Why a draft can never be screened as it is; nil for trouble that may pass.
    private static func lasting(_ error: any Error) -> String? {
        switch error {
        case let error as ScreeningFailure: error.description
        case let error as IngestRefusal: "\(error)"
        case BlobError.erased(let owner): "the contents of \(owner) were erased"
        case BlobError.notFound, BlobError.noKey, BlobError.damaged:
            "a part of the upload can't be read any more: begin the contribution anew"
        default: nil
        }
    }

    /// Screens a draft and puts it on the log with its verdicts.
    private func settle(_ draft: Draft, _ core: IngestCore) async throws {
        let id = draft.manifest.datanet
        guard let datanet = try await core.maker.find({ $0.datanets[id] }) else { throw IngestRefusal.noDatanet(id) }
        let policy = ScreeningPolicy(datanet.policy, media: datanet.media)
        let known = shelf.take(id)
        var session: ScreeningSession?
        defer { shelf.put(id, session) }
        let inspector = Inspector(policy: policy, scanner: core.scanner)
        let before: ScreeningSession
        if let known { before = known } else { before = try await SessionFilling(core: core, inspector: inspector).session(of: id) }
        let run = ScreeningRun(draft, core, inspector, before, corrects: try await corrected(draft, core))
        let items = try await run.items()
        try await append(draft, items, core)
        session = await run.session
    }

    /// What of the contribution that this one corrects may be corrected: the items that were refused.
    private func corrected(_ draft: Draft, _ core: IngestCore) async throws -> Set<String> {
        guard let old = draft.manifest.supersedes, let contribution = try await core.maker.query({ $0.contributions[old] }) else {
            return []
        }
        return Set(try await core.items(of: contribution).filter { $0.verdict == "rejected" }.map(\.item))
    }

    private func append(_ draft: Draft, _ items: [ScreenedItem], _ core: IngestCore) async throws {
        guard let command = draft.command, let digest = draft.digest else { throw DraftError.damaged(draft.contribution) }
        let accepted = items.count { $0.verdict == "accepted" }
        let manifest = draft.manifest
        let submitted = ContributionSubmitted(
            contribution: draft.contribution, datanet: manifest.datanet, contributor: draft.contributor, kind: manifest.kind.rawValue,
            manifest: SHA256.hash(draft.bytes), signer: manifest.signer, signature: Base64URL.encode(draft.signature), items: items.count,
            bytes: manifest.bytes, supersedes: manifest.supersedes)
        let screened = ContributionScreened(
            contribution: draft.contribution, datanet: manifest.datanet, contributor: draft.contributor, rules: ScreeningRules.version,
            accepted: accepted, rejected: items.count - accepted, items: try await ItemLists.make(items, core.evidence))
        _ = try await core.maker.decide(
            .command(id: command, digest: digest), actor: draft.contributor, correlation: draft.correlation
        ) { state, _ in try IngestRules.submit(state, submitted, screened) }
    }
}

/// Why a whole contribution cannot be screened.
struct ScreeningFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
