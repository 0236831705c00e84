internal import AdapterRouter
internal import Crypto
internal import Events
internal import HTTP
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Web

/// All backends as one: a request goes where the router says, and elsewhere when that fails before the first word.
struct RoutedBackend: Sendable {
    let desk: RouterDesk
    private let figures: RouterMetrics
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
            } catch { place = try await elsewhere(error, name, place) }
        }
    }

    /// Whether a backend embeds texts with this model.
    func embeds(with base: String) -> Bool { desk.servers.contains { $0.site.embeddings.contains(base) } }

    /// Embeds texts: in its turn among all that is asked, where the router says, and elsewhere when that fails.
    /// - Parameter principal: whose turn it takes.
    /// - Returns: the server's answer, and who computed it.
    func embed(
        _ base: String, _ body: [(String, JSONValue)], principal: String, work: Int
    ) async throws -> (answer: JSONValue, runner: String) {
        let name = AdapterName(embedding: base)
        var place = try await desk.place(name, principal: principal, work: work)
        while true {
            let server = desk.servers[place.backend]
            do {
                let model = server.site.models[base] ?? base
                let answer = try await server.embed(.object(JSONObject([("model", .string(model))] + body)))
                await desk.finished(place, .served)
                return (answer, server.site.runner)
            } catch { place = try await elsewhere(error, name, place) }
        }
    }

    /// The next place of a request that failed before its first word.
    /// - Throws: what its caller is told, where there is none.
    private func elsewhere(_ error: any Error, _ name: AdapterName, _ place: RouterDesk.Place) async throws -> RouterDesk.Place {
        let outcome = Task.isCancelled ? .ended : BackendError.outcome(error, hasAdapter: name.adapter != nil)
        if outcome == .ended {
            await desk.finished(place, .ended)
            throw Self.problem(error)
        }
        let server = desk.servers[place.backend].site.profile.name
        logger.warning("a backend failed a request", ["backend": .string(server), "error": .string("\(error)")])
        do { return try await desk.again(place, outcome) } catch let problem as Problem where problem.type == OpenAIProblems.upstream {
            if outcome == .busy { throw Self.problem(error) }
            throw Problem(OpenAIProblems.upstream, BackendError.words(error))
        }
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
