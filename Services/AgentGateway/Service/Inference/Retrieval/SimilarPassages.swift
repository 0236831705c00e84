internal import AgentGatewayDomain
internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTPClient
internal import JSON
internal import Postgres
internal import ServiceShell
internal import Telemetry
internal import Web

/// Finds passages by their meaning: keeps the embeddings of what models look up, in the background and a few at a time, and compares
/// questions with them. What was taken back is gone from memory and table at the next round; its text is not to be had before that.
actor SimilarPassages {
    nonisolated let embedder: Embedder
    private let settings: RetrievalSettings
    private let maker: DecisionMaker<GatewayState>
    private let texts: PassageTexts
    private let store: EmbeddingStore
    private let evidence: EvidenceStore
    private let logger: Logger
    private let count: Gauge
    private let missing: Gauge

    private var known: [Digest: UnitVector]?
    private var nets: [String: PassageVectors] = [:]
    /// What is not embedded yet, and in which Datanets it is.
    private var queue: [(item: AdmittedItem, datanets: [String])] = []
    private var seen = -1
    private var lists: [Digest: [AdmittedItem]] = [:]
    private var saidTooMany = false

    /// Items embedded in one request.
    private static let batch = 16
    /// Between two looks at what changed, and at most between two tries.
    private static let pause = Duration.milliseconds(500)
    private static let longestPause = Duration.seconds(60)

    init(
        _ context: ServiceContext, embedder: Embedder, settings: RetrievalSettings, maker: DecisionMaker<GatewayState>,
        evidence: EvidenceStore
    ) {
        self.embedder = embedder
        self.settings = settings
        self.maker = maker
        self.evidence = evidence
        texts = PassageTexts(peers: context.peers)
        store = EmbeddingStore(pool: PostgresPool(context.database, size: 2), model: embedder.model)
        logger = context.logger
        count = context.metrics.gauge("openledger_retrieval_embedded", help: "Items that are found by their meaning.").with([])
        missing = context.metrics.gauge("openledger_retrieval_waiting", help: "Items that wait to be embedded.").with([])
    }

    /// The rule and the model, as answers name them.
    nonisolated var ranking: RetrievalRanking { RetrievalRanking(rule: PassageFusion.rule, embeddings: embedder.model) }

    /// What each of these Datanets has that is like a question, best first.
    /// - Parameter principal: who asked it.
    /// - Throws: when the question can't be embedded in time.
    nonisolated func nearest(
        _ question: String, of principal: String, in datanets: [String], count: Int, within time: Duration
    ) async throws -> [String: [AdmittedItem]] {
        let embedder = embedder
        guard let vector = try await Patience.run(time, { try await embedder.vectors([question], for: principal) }).first else {
            return [:]
        }
        var found: [String: [AdmittedItem]] = [:]
        // Compared beside the actor, which goes on embedding meanwhile.
        for (datanet, vectors) in await vectors(of: datanets) {
            found[datanet] = vectors.nearest(vector, count: count, atLeast: settings.least)
        }
        return found
    }

    private func vectors(of datanets: [String]) -> [String: PassageVectors] { nets.filter { datanets.contains($0.key) } }

    // MARK: Keeping up

    /// Keeps the embeddings up to date until the task is cancelled.
    func run() async {
        var pause = Self.pause
        while !Task.isCancelled {
            do {
                let isDone = try await round()
                pause = Self.pause
                if !isDone { continue }
            } catch {
                if Task.isCancelled { break }
                logger.warning("passages are not embedded yet: \(error)", ["waiting": .integer(Int64(queue.count))])
                pause = min(pause * 2, Self.longestPause)
            }
            try? await Task.sleep(for: pause)
        }
        await store.pool.close()
    }

    /// Takes in what changed, and embeds a few.
    /// - Returns: whether nothing is left to do.
    func round() async throws -> Bool {
        let (revision, sources) = try await maker.query { ($0.retrieval.revision, $0.retrieval.sources) }
        if revision != seen {
            try await sort(sources)
            seen = revision
        }
        if !queue.isEmpty { try await embedSome() }
        count.set(Double(known?.count ?? 0))
        missing.set(Double(queue.count))
        return queue.isEmpty
    }

    /// Which items there are now: those that have gone are forgotten, those that came wait.
    private func sort(_ sources: [RetrievalSources.Source]) async throws {
        var known: [Digest: UnitVector] = [:]
        if let before = self.known { known = before } else { known = try await store.all(atMost: settings.items) }
        var fresh: [String: PassageVectors] = [:]
        var waiting: [(item: AdmittedItem, datanets: [String])] = []
        var places: [Digest: Int] = [:]
        var wanted: Set<Digest> = []
        var lists: [Digest: [AdmittedItem]] = [:]
        for source in sources {
            let published = source.published
            let list = try await list(published)
            lists[published.list] = list
            let present = try await maker.query { state in list.filter { !state.retrieval.isGone($0, of: source) } }
            var vectors = PassageVectors()
            for item in present {
                guard wanted.count < settings.items || wanted.contains(item.commitment) else { continue }
                wanted.insert(item.commitment)
                if let vector = known[item.commitment] {
                    vectors.entries.append(PassageVectors.Entry(item: item, vector: vector))
                } else if let place = places[item.commitment] {
                    waiting[place].datanets.append(published.datanet)
                } else {
                    places[item.commitment] = waiting.count
                    waiting.append((item, [published.datanet]))
                }
            }
            fresh[published.datanet] = vectors
        }
        if wanted.count == settings.items, !saidTooMany {
            saidTooMany = true
            logger.warning("no more items are embedded: OPENLEDGER_RETRIEVAL_ITEMS", ["items": .integer(Int64(wanted.count))])
        }
        let gone = known.keys.filter { !wanted.contains($0) }
        for hash in gone { known[hash] = nil }
        // Out of memory first, so that nothing that was taken back is found while the table is tidied.
        self.known = known
        nets = fresh
        queue = waiting.reversed()
        self.lists = lists
        try await store.forget(gone)
    }

    private func list(_ published: SnapshotPublished) async throws -> [AdmittedItem] {
        if let list = lists[published.list] { return list }
        return try EvidenceList<AdmittedItem>.decode(try await evidence.bytes(published.list))
    }

    /// Embeds the next few. Those whose text is gone, or that the backend does not take even alone, are left to their words.
    private func embedSome() async throws {
        let part = Array(queue.suffix(Self.batch).reversed())
        var read: [(item: AdmittedItem, datanets: [String], text: String)] = []
        for (item, datanets) in part {
            guard let text = try await text(of: item) else { continue }
            read.append((item, datanets, text))
        }
        var made: [(item: AdmittedItem, datanets: [String], vector: UnitVector)] = []
        do {
            for (one, vector) in zip(read, try await vectors(read.map(\.text))) { made.append((one.item, one.datanets, vector)) }
        } catch let problem as Problem where Self.isRefusal(problem) {
            for one in read {
                if let vector = try await alone(one.text) { made.append((one.item, one.datanets, vector)) }
            }
        }
        try await keep(made)
        queue.removeLast(part.count)
    }

    private func vectors(_ texts: [String]) async throws -> [UnitVector] { texts.isEmpty ? [] : try await embedder.vectors(texts) }

    private func alone(_ text: String) async throws -> UnitVector? {
        do { return try await embedder.vectors([text]).first } catch let problem as Problem where Self.isRefusal(problem) {
            logger.warning("a passage can't be embedded", ["bytes": .integer(Int64(text.utf8.count))])
            return nil
        }
    }

    private static func isRefusal(_ problem: Problem) -> Bool {
        problem.type == OpenAIProblems.refused || problem.type == OpenAIProblems.tooLong
    }

    private func keep(_ made: [(item: AdmittedItem, datanets: [String], vector: UnitVector)]) async throws {
        guard let length = made.first?.vector.numbers.count else { return }
        if let other = known?.values.first?.numbers.count, other != length {
            logger.warning(
                "the embedding model has changed, so everything is embedded anew",
                ["before": .integer(Int64(other)), "now": .integer(Int64(length))])
            let old = Array((known ?? [:]).keys)
            (known, nets, seen) = ([:], [:], -1)
            try await store.forget(old)
        }
        try await store.keep(made.map { ($0.item.commitment, $0.vector) })
        for one in made {
            known?[one.item.commitment] = one.vector
            for datanet in one.datanets {
                nets[datanet, default: PassageVectors()].entries.append(PassageVectors.Entry(item: one.item, vector: one.vector))
            }
        }
    }

    /// Nil for what is gone, or has no words.
    private func text(of item: AdmittedItem) async throws -> String? {
        do {
            let text = try await texts.text(contribution: item.contribution, item: item.item, timeout: .seconds(30))
            return text.contains { !$0.isWhitespace } ? text : nil
        } catch {
            if Self.isGone(error) { return nil }
            throw error
        }
    }

    // Told apart in a function that does not wait: the optimiser of Swift 6.3 crashes on a pattern there.
    private static func isGone(_ error: any Error) -> Bool {
        if let error = error as? PeerError { return (400..<500).contains(error.status) && error.status != 429 && error.status != 401 }
        return error is JSONError
    }
}
