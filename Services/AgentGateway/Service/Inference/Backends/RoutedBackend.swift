internal import AdapterRouter
internal import Crypto
internal import Events
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
    func answer(_ request: ChatRequest, model: ModelPublished, passages: [String], principal: String) async throws -> BackendAnswer {
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
                    runner: server.site.runner, isCold: place.isCold, pieces: AsyncThrowingStream { try await relay.next() })
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
                    throw Problem(OpenAIProblems.upstream, "\(error)")
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
        for server in desk.servers where server.site.embeddings.contains(base) {
            do {
                let model = server.site.models[base] ?? base
                return (try await server.embed(.object(JSONObject([("model", .string(model))] + body))), server.site.runner)
            } catch {
                try Task.checkCancellation()
                if BackendError.outcome(error, hasAdapter: false) == .ended { throw Self.problem(error) }
                last = error
            }
        }
        throw Problem(OpenAIProblems.upstream, last.map { "\($0)" } ?? "no backend answered")
    }

    /// What a request's own fault becomes.
    private static func problem(_ error: any Error) -> any Error {
        guard case BackendError.refused(_, let words) = error else { return error }
        let said = try? JSON.parse(Array(words.utf8))
        let detail = said?["error"]?["message"]?.stringValue ?? said?["detail"]?.stringValue ?? words
        if isTooLong(said, detail) {
            return Problem(OpenAIProblems.tooLong, "the model reads less than this: \(detail)", field: "#/messages")
        }
        return Problem(OpenAIProblems.refused, "the model does not take this request: \(detail)")
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
