internal import AdapterRouter
internal import HTTP
internal import ServiceShell
internal import Telemetry
internal import Web

/// Drives the router: gives it the time and what happened, and does what it says.
actor RouterDesk {
    /// A place that a request was given.
    struct Place: Sendable {
        let request: UInt64
        let backend: Int
        let isCold: Bool
    }

    private var router: AdapterRouter
    let servers: [ModelServer]
    private let logger: Logger
    private let figures: RouterMetrics
    private let start = ContinuousClock.now
    private var next: UInt64 = 0
    private var waiting: [UInt64: CheckedContinuation<Place, any Error>] = [:]
    /// The last thing that was asked of a backend about an adapter: the next waits for it.
    private var errands: [String: Task<Void, Never>] = [:]
    private var isTicking = false

    init(_ servers: [ModelServer], options: RouterOptions, logger: Logger, metrics: Metrics) {
        self.servers = servers
        self.logger = logger
        router = AdapterRouter(servers.map(\.site.profile), options: options)
        figures = RouterMetrics(metrics)
    }

    // MARK: Requests

    /// Why a request of this principal could not even wait now.
    func refusal(for principal: String) -> Problem? { router.refusal(for: principal).map { Self.problem($0, nil) } }

    /// Waits for a place. Cancelling the task gives it up.
    /// - Throws: `Problem` when there is none to be had, `CancellationError`.
    func place(_ name: AdapterName, principal: String, work: Int) async throws -> Place {
        next += 1
        let request = RoutedRequest(id: next, name: name, principal: principal, work: work)
        return try await wait(request.id) { router, now in router.submit(request, at: now) }
    }

    /// A request failed before its first word: waits for a place elsewhere.
    func again(_ place: Place, _ outcome: RouterOutcome) async throws -> Place {
        if outcome != .busy { figures.failures.with(name(place.backend)).add() }
        return try await wait(place.request) { router, now in router.finished(place.request, outcome, at: now) }
    }

    /// A request is being answered.
    func heard(_ place: Place) { perform(router.heard(place.request, at: now)) }

    /// A request is over.
    func finished(_ place: Place, _ outcome: RouterOutcome) {
        if outcome == .failed || outcome == .broke { figures.failures.with(name(place.backend)).add() }
        perform(router.finished(place.request, outcome, at: now))
    }

    private func wait(_ id: UInt64, _ tell: (inout AdapterRouter, Int64) -> [RouterAction]) async throws -> Place {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiting[id] = continuation
                perform(tell(&router, now))
                // Whoever was gone before has been told of by nobody.
                if Task.isCancelled { abandon(id) }
            }
        } onCancel: {
            Task { await abandon(id) }
        }
    }

    private func abandon(_ id: UInt64) {
        guard let continuation = waiting.removeValue(forKey: id) else { return }
        continuation.resume(throwing: CancellationError())
        perform(router.cancel(id, at: now))
    }

    // MARK: Backends

    /// How all are doing.
    func report() -> (backends: [(BackendFigures, [AdapterName])], waiting: Int) {
        (router.figures.enumerated().map { ($1, router.residents(of: $0)) }, router.waiting)
    }

    /// Empties a backend, or lets it work again; false when there is none of that name.
    func drain(_ name: String, _ isDraining: Bool) -> Bool {
        guard let backend = router.backend(named: name) else { return false }
        perform(router.drain(backend, isDraining, at: now))
        return true
    }

    // MARK: Acting

    private var now: Int64 {
        let passed = (ContinuousClock.now - start).components
        return passed.seconds * 1_000_000 + passed.attoseconds / 1_000_000_000_000
    }

    private func name(_ backend: Int) -> String { servers[backend].site.profile.name }

    private func perform(_ actions: [RouterAction]) {
        for action in actions {
            switch action {
            case .start(let id, let backend, let isCold):
                if let continuation = waiting.removeValue(forKey: id) {
                    continuation.resume(returning: Place(request: id, backend: backend, isCold: isCold))
                } else {
                    // Whoever asked has gone in this very moment.
                    perform(router.finished(id, .ended, at: now))
                }
            case .refuse(let id, let refusal): waiting.removeValue(forKey: id)?.resume(throwing: Self.problem(refusal, id))
            case .load(let adapter, let backend): load(adapter, on: backend)
            case .unload(let adapter, let backend):
                errand(adapter, backend) { [logger] server in
                    do { try await server.unload(adapter) } catch {
                        logger.warning("an adapter did not leave", Self.fields(server, adapter, error))
                    }
                }
            }
        }
        figures.set(router.figures, waiting: router.waiting)
        if router.waiting > 0, !isTicking { tick() }
    }

    private func load(_ adapter: AdapterName, on backend: Int) {
        let began = ContinuousClock.now
        errand(adapter, backend) { [logger, figures] server in
            do {
                try await server.load(adapter)
                figures.loads.with(server.site.profile.name).observe((ContinuousClock.now - began).inSeconds)
                await self.tell { router, now in router.loaded(adapter, on: backend, at: now) }
            } catch {
                logger.warning("an adapter could not be brought in", Self.fields(server, adapter, error))
                let isFault = Self.speaksAgainstServer(error)
                await self.tell { router, now in router.loadFailed(adapter, on: backend, isFault: isFault, at: now) }
            }
        }
    }

    /// What a server says about an adapter is no fault of the server's.
    private static func speaksAgainstServer(_ error: any Error) -> Bool {
        switch error {
        case BackendError.refused(let status, _, _): !(400..<500).contains(status) || status == 429
        case let error as PeerError: !(400..<500).contains(error.status)
        default: !(error is ArtefactError)
        }
    }

    /// Does something at a backend about an adapter, after what was asked before about the same.
    private func errand(_ adapter: AdapterName, _ backend: Int, _ work: @escaping @Sendable (ModelServer) async -> Void) {
        let key = "\(backend)/\(adapter)"
        let before = errands[key]
        let server = servers[backend]
        errands[key] = Task {
            await before?.value
            await work(server)
        }
        // Those that are done are let go of now and then.
        if errands.count > 10_000 { errands = errands.filter { $0.key == key } }
    }

    private func tell(_ event: @Sendable (inout AdapterRouter, Int64) -> [RouterAction]) { perform(event(&router, now)) }

    private func tick() {
        isTicking = true
        Task {
            while router.waiting > 0 {
                try? await Task.sleep(for: .milliseconds(100))
                perform(router.tick(at: now))
            }
            isTicking = false
        }
    }

    private static func fields(_ server: ModelServer, _ adapter: AdapterName, _ error: any Error) -> KeyValuePairs<String, LogValue> {
        [
            "backend": .string(server.site.profile.name), "adapter": .string(adapter.description), "error": .string("\(error)"),
        ]
    }

    private static func problem(_ refusal: RouterRefusal, _ id: UInt64?) -> Problem {
        func later(_ wait: Int64) -> Int { Int((wait + 999_999) / 1_000_000) }
        switch refusal {
        case .unknown: return Problem(OpenAIProblems.upstream, "no backend can serve this model")
        case .failed: return Problem(OpenAIProblems.upstream, "the model failed wherever it was asked")
        case .tooManyOfOne(let wait):
            return Problem(
                OpenAIProblems.rateLimit, "too many of your requests are waiting: try again in \(later(wait)) s",
                headers: ["Retry-After": "\(later(wait))"])
        case .full(let wait), .tooLate(let wait):
            return Problem(
                OpenAIProblems.overloaded, "too much is going on: try again in \(later(wait)) s", headers: ["Retry-After": "\(later(wait))"]
            )
        case .noBackend(let wait):
            return Problem(
                OpenAIProblems.overloaded, "no backend for this model is up: try again in \(later(wait)) s",
                headers: ["Retry-After": "\(later(wait))"])
        }
    }
}
