internal import AdapterRouter
internal import Crypto
internal import Events
internal import HTTP
internal import JSON
internal import ServiceShell
internal import Synchronization
internal import Telemetry
internal import Threads
internal import Web

/// All backends as one: a request goes where the router says, and elsewhere when that fails before the first word.
struct RoutedBackend: Sendable {
    let desk: RouterDesk
    private let figures: RouterMetrics
    private let embeddings = EmbeddingPlaces()
    private let logger: Logger

    init(_ settings: BackendSettings, carriers: Carriers, options: RouterOptions, logger: Logger, metrics: Metrics) {
        let shelf = AdapterShelf(peers: carriers.house)
        desk = RouterDesk(
            settings.sites.map { site in
                ModelServer(site: site, peers: carriers.peers(for: site), patience: settings.patience, shelf: shelf)
            }, options: options, logger: logger, metrics: metrics)
        figures = RouterMetrics(metrics)
        self.logger = logger
    }

    /// Asks, and answers when the first piece is there.
    /// - Parameter principal: whose turn it takes.
    func answer(_ request: ChatRequest, model: ModelPublished, passages: [Retrieval.Passage], principal: String) async throws
        -> BackendAnswer
    {
        let name = AdapterName(base: model.base, adapter: model.adapter?.prefixed)
        let came = ContinuousClock.now
        var place = try await desk.place(name, principal: principal, work: request.promptBytes / 4 + request.maximumTokens)
        while true {
            let server = desk.servers[place.backend]
            do {
                let relay = PieceRelay(try await server.answer(request, model: model, passages: passages))
                guard try await relay.hasBegun() else {
                    try Task.checkCancellation()
                    throw BackendError.broken("it ended without saying what was used")
                }
                await desk.heard(place)
                figures.answered(after: ContinuousClock.now - came, isCold: place.isCold)
                let taken = place
                relay.whenOver { [desk] outcome in Task { await desk.finished(taken, outcome) } }
                return BackendAnswer(
                    runner: server.site.runner, isCold: place.isCold, hidesTokens: server.site.hidesTokens,
                    pieces: AsyncThrowingStream { try await relay.next() })
            } catch {
                let outcome = Task.isCancelled ? .ended : BackendError.outcome(error, hasAdapter: name.adapter != nil)
                if outcome == .ended {
                    await desk.finished(place, .ended)
                    throw Self.problem(error)
                }
                logger.warning(
                    "a backend failed a request", ["backend": .string(server.site.profile.name), "error": .string("\(error)")])
                do { place = try await desk.again(place, outcome) } catch let problem as Problem
                    where problem.type == OpenAIProblems.upstream
                {
                    if outcome == .busy { throw Self.problem(error) }
                    throw Problem(OpenAIProblems.upstream, BackendError.words(error))
                }
            }
        }
    }

    /// Whether a backend embeds texts with this model.
    func embeds(with base: String) -> Bool { desk.servers.contains { $0.site.embeddings.contains(base) } }

    /// Embeds texts by the first backend that can.
    /// - Returns: its answer, and who computed it.
    func embed(_ base: String, _ body: [(String, JSONValue)]) async throws -> (answer: JSONValue, runner: String) {
        var last: (any Error)?
        var isFull = false
        var isBusy = false
        for server in desk.servers where server.site.embeddings.contains(base) {
            let profile = server.site.profile
            guard embeddings.enter(profile.name, most: profile.concurrency) else {
                isFull = true
                continue
            }
            defer { embeddings.leave(profile.name) }
            do {
                let model = server.site.models[base] ?? base
                return (try await server.embed(.object(JSONObject([("model", .string(model))] + body))), server.site.runner)
            } catch {
                try Task.checkCancellation()
                if BackendError.outcome(error, hasAdapter: false) == .ended { throw Self.problem(error) }
                last = error
                isBusy = BackendError.outcome(error, hasAdapter: false) == .busy
            }
        }
        if last == nil, isFull {
            throw Problem(OpenAIProblems.overloaded, "too much is being embedded: try again in 1 s", headers: ["Retry-After": "1"])
        }
        if isBusy, let last { throw Self.problem(last) }
        throw Problem(OpenAIProblems.upstream, last.map { BackendError.words($0) } ?? "no backend answered")
    }

    /// What a request's own fault becomes.
    private static func problem(_ error: any Error) -> any Error {
        guard case BackendError.refused(let status, let words, let wait) = error else { return error }
        if status == 429 {
            return Problem(
                OpenAIProblems.rateLimit, "too much is asked of this model: try again in \(wait ?? 1) s",
                headers: ["Retry-After": "\(max(1, wait ?? 1))"])
        }
        let said = try? JSON.parse(Array(words.utf8))
        let detail = said?["error"]?["message"]?.stringValue ?? said?["detail"]?.stringValue ?? words
        if isTooLong(said, detail) {
            return Problem(OpenAIProblems.tooLong, "the model reads less than this", field: "#/messages")
        }
        return Problem(OpenAIProblems.refused, "the model does not take this request")
    }

    /// How servers say that a conversation is too long: OpenAI and our runner by a code, llama.cpp by a type, vLLM in words.
    private static func isTooLong(_ said: JSONValue?, _ detail: String) -> Bool {
        let codes = [said?["error"]?["code"], said?["error"]?["type"], said?["type"]].compactMap { $0?.stringValue }
        return codes.contains {
            $0.hasSuffix("context-length-exceeded") || $0 == "context_length_exceeded" || $0 == "exceed_context_size_error"
        }
            || detail.contains("maximum context length")
    }
}

/// Keeps embeddings within as many places of a backend as it has for answers. Nobody waits: an embedding is short, and who finds no place
/// comes again.
final class EmbeddingPlaces: Sendable {
    private let taken = Lock<[String: Int]>([:])

    /// Takes a place; false when all are taken.
    func enter(_ backend: String, most: Int) -> Bool {
        taken.withLock { taken in
            guard taken[backend] ?? 0 < most else { return false }
            taken[backend, default: 0] += 1
            return true
        }
    }

    func leave(_ backend: String) { taken.withLock { $0[backend, default: 1] -= 1 } }
}
