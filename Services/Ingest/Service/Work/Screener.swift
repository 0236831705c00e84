internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import IngestDomain
internal import Postgres
internal import ServiceShell
internal import Telemetry

/// Takes uploads that are complete and puts them through the rules: a few at a time, one of a Datanet and one of a contributor, so that
/// none keeps the others waiting. What it has decided is on the log; what a crash interrupts is done again from the uploaded parts and
/// comes out the same.
actor Screener {
    private var shelf = ScreeningShelf()
    private var inHand: [String: (datanet: String, contributor: String)] = [:]
    /// Drafts that met trouble, and how many ticks they wait.
    private var postponed: [String: Int] = [:]
    private var isTroubled = false
    private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// At most so many at once.
    private static let hands = 3
    /// A draft on which screening began so often without coming to an end has failed: it may be what ends it.
    static let mostAttempts = 5
    /// How often what was left behind is looked for, in ticks of a second.
    private static let round = 600

    /// Says that there is something to do.
    nonisolated func ring() { bell.continuation.yield() }

    /// Works until the task is cancelled. A draft that meets trouble waits, and the others go on.
    func run(_ core: IngestCore) async {
        ring()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.tick(core) }
            for await _ in bell.stream {
                while let draft = await next(core) { group.addTask { await self.handle(draft, core) } }
            }
        }
    }

    /// The draft whose turn it is, in hand from now on.
    private func next(_ core: IngestCore) async -> Draft? {
        guard !Task.isCancelled, inHand.count < Self.hands else { return nil }
        do {
            let draft = try await core.drafts.queued(
                except: Array(postponed.keys) + inHand.keys, datanets: inHand.values.map(\.datanet),
                contributors: inHand.values.map(\.contributor))
            guard let draft else { return nil }
            inHand[draft.contribution] = (draft.manifest.datanet, draft.contributor)
            return draft
        } catch {
            if !Task.isCancelled { core.logger.error("no upload is screened: \(error)") }
            isTroubled = true
            return nil
        }
    }

    /// Time: what was postponed comes back, and what was left behind expires.
    private func tick(_ core: IngestCore) async {
        var count = 0
        while !Task.isCancelled {
            if count % Self.round == 0 {
                do { try await Upload(core: core).clearOld() } catch { core.logger.warning("old uploads stay: \(error)") }
            }
            count += 1
            try? await Task.sleep(for: .seconds(1))
            let due = postponed.filter { $0.value <= 1 }.keys
            for id in due { postponed[id] = nil }
            for id in postponed.keys { postponed[id]? -= 1 }
            if isTroubled || !due.isEmpty { ring() }
            isTroubled = false
        }
    }

    /// Screens a draft, or notes why not.
    private func handle(_ draft: Draft, _ core: IngestCore) async {
        let id = draft.contribution
        do { try await attempt(draft, core) } catch {
            let isPassing = Task.isCancelled || Self.isPassing(error)
            if isPassing {
                // Not a child of the task that ends: whoever stops the service is not the draft's fault.
                await Task { try? await core.drafts.release(id) }.value
            }
            if !Task.isCancelled { core.logger.error("screening waits: \(error)", ["contribution": .string(id)]) }
            postponed[id] = isPassing ? 1 : 1 << min(5, draft.attempts)
        }
        inHand[id] = nil
        ring()
    }

    private func attempt(_ draft: Draft, _ core: IngestCore) async throws {
        let id = draft.contribution
        guard try await core.drafts.begin(id) <= Self.mostAttempts else {
            let reason = "screening it came to no end \(Self.mostAttempts) times: bring it in smaller parts, or look at its files"
            core.logger.error("contribution failed: \(reason)", ["contribution": .string(id)])
            return try await core.drafts.fail(id, problem: reason)
        }
        try await screen(draft, core)
    }

    /// Trouble of the house, that goes on without the draft too.
    private static func isPassing(_ error: any Error) -> Bool {
        switch error {
        case is PoolError, is PostgresError, is PeerError, is SketchTrouble: true
        case DecisionError.unavailable, DecisionError.busy, DecisionError.stopped: true
        case BlobError.server, BlobError.system: true
        default: false
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
                return try await core.drafts.fail(draft.contribution, problem: reason)
            }
        }
        // What is settled stands on the log, and the names of files are content: nothing of the draft stays.
        try await Upload(core: core).clear(draft)
        try await core.drafts.remove(draft.contribution)
    }

    /// Why a draft can never be screened as it is; nil for trouble that may pass.
    static func lasting(_ error: any Error) -> String? {
        switch error {
        case let error as ScreeningFailure: error.description
        case let error as IngestRefusal: "\(error)"
        case BlobError.tooLarge(let what, let limit):
            "\(what) has more than \(limit) bytes: bring the files in several contributions"
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
        // The names of files are content: the signed bytes are sealed like the items, and the log has what they hash to.
        let sealed = try await core.content.put(
            owner: draft.contributor, [SealedItem(id: "\(draft.contribution)/manifest", content: draft.bytes)])
        let submitted = ContributionSubmitted(
            contribution: draft.contribution, datanet: manifest.datanet, contributor: draft.contributor, kind: manifest.kind.rawValue,
            manifest: SHA256.hash(draft.bytes), signer: manifest.signer, signature: Base64URL.encode(draft.signature), items: items.count,
            bytes: manifest.bytes, supersedes: manifest.supersedes, sealed: sealed.first)
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
