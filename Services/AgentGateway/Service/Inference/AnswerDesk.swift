internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import ServiceShell
internal import Telemetry
internal import Web

/// One answer from the first look at its price to the event that makes its fee due: hold → serve → count → record. What then happens with
/// the hold is billing's to do, by the log alone; so a gateway that dies in between leaves a hold that runs out by itself.
struct AnswerDesk: Sendable {
    let maker: DecisionMaker<GatewayState>
    let peers: Peers
    let backend: RoutedBackend
    let limits: LimitDesk
    /// Names that stand for models.
    let aliases: [String: String]
    let contents: InferenceContents
    let evidence: EvidenceStore
    let spending: SpendingDesk
    let solvent: SolventPayers
    let lag: AttributionLag
    let clock: @Sendable () -> Timestamp
    let logger: Logger

    /// How long a hold outlives its request, in seconds of log time.
    static let holdTime: Int64 = 900

    /// Who asks what.
    struct Order: Sendable {
        let inference: String
        let request: ChatRequest
        let model: ModelPublished
        let caller: String
        let payer: String
        let correlation: String
        /// The mandate that it is spent under, where the caller has one, and its word for this answer.
        var purse: SpendingDesk.Purse?
        var word: SpendingDesk.Grant?
        /// The API key that it was asked with, with its limits and what was used.
        var key: Key?

        struct Key: Sendable {
            let id: String
            let limits: KeyLimits?
            let usage: KeyUsage
        }
    }

    /// An answer that has begun, and what its head says about limits.
    struct Begun: Sendable {
        let heard: AsyncThrowingStream<Heard, any Error>
        let headers: Headers
    }

    /// What the caller hears.
    enum Heard: Sendable {
        case text(String)
        case done(Completed)
    }

    /// An answer that is on the log.
    struct Completed: Sendable {
        let inference: InferenceCompleted
        let finish: String
        let position: UInt64
    }

    /// Begins. What is thrown before the first piece is thrown here: unknown models, limits, missing money, a model server that is away.
    func begin(_ order: Order) async throws -> Begun {
        if let problem = await backend.desk.refusal(for: order.payer) { throw problem }
        if let problem = await lag.refusal() { throw problem }
        let passages = try await Retrieval(peers: peers).passages(for: order.request, from: order.model.retrieval, logger: logger)
        let bytes = order.request.promptBytes + passages.reduce(0) { $0 + $1.text.utf8.count + 8 }
        let most = try InferencePrice.most(
            order.model.price, promptBytes: bytes, messages: order.request.messages.count + passages.count,
            output: order.request.maximumTokens)
        let grant = try admit(order, tokens: bytes / 4 + order.request.maximumTokens, most)
        do {
            // Where the caller spends under a mandate, that decides first: what it refuses is never held.
            let order = try await authorized(order, most)
            let (hold, asked) = try await heldAndAsked(most, order, passages)
            return Begun(heard: heard(asked.answer, order, asked.passages, hold, grant), headers: grant?.headers ?? [:])
        } catch {
            grant?.finish(tokens: 0, money: .zero(most.asset))
            throw error
        }
    }

    /// Places the hold and asks, one after the other; together for a payer whose last hold was placed a moment ago.
    private func heldAndAsked(_ most: Amount, _ order: Order, _ passages: [Retrieval.Passage]) async throws -> (String?, Asked) {
        if solvent.contains(order.payer) {
            async let asking = outcome(of: order, passages)
            // When there is no hold, what was begun is cancelled and awaited as this is left.
            let hold = try await noted(most, order)
            return (hold, try await begun(asking, hold, order))
        }
        let hold = try await noted(most, order)
        return (hold, try await begun(outcome(of: order, passages), hold, order))
    }

    private func noted(_ most: Amount, _ order: Order) async throws -> String? {
        do {
            let hold = try await held(most, order)
            if hold != nil { solvent.insert(order.payer) }
            return hold
        } catch {
            solvent.remove(order.payer)
            throw error
        }
    }

    private func begun(_ outcome: Result<Asked, any Error>, _ hold: String?, _ order: Order) async throws -> Asked {
        do { return try outcome.get() } catch {
            await release(hold, order)
            if error is Problem || error is CancellationError { throw error }
            throw Problem(OpenAIProblems.upstream, "\(error)")
        }
    }

    /// An answer that has begun, and the passages that the model read for it.
    private struct Asked: Sendable {
        let answer: BackendAnswer
        let passages: [Retrieval.Passage]
    }

    private func outcome(of order: Order, _ passages: [Retrieval.Passage]) async -> Result<Asked, any Error> {
        do { return .success(try await asked(order, passages)) } catch { return .failure(error) }
    }

    /// Asks with as many of the passages as the model reads beside the conversation: these are our doing, so they give way.
    private func asked(_ order: Order, _ passages: [Retrieval.Passage]) async throws -> Asked {
        var passages = passages
        while true {
            do {
                let answer = try await backend.answer(
                    order.request, model: order.model, passages: passages.map(\.text), principal: order.payer)
                return Asked(answer: answer, passages: passages)
            } catch let problem as Problem where problem.type == OpenAIProblems.tooLong && !passages.isEmpty { passages.removeLast() }
        }
    }

    func admit(_ order: Order, tokens: Int, _ most: Amount) throws -> LimitGrant? {
        guard let key = order.key, let limits = key.limits else { return nil }
        let seconds = clock().microseconds / 1_000_000
        return try self.limits.admit(
            LimitDesk.Ask(
                key: key.id, limits: limits, usage: key.usage, tokens: tokens, money: most, day: KeyUsage.day(clock()),
                dayLeft: 86_400 - seconds % 86_400))
    }

    /// Places the hold, to its end: a caller who leaves meanwhile must not leave it behind.
    func held(_ most: Amount, _ order: Order) async throws -> String? {
        let hold = try await Task { try await placeHold(most, order) }.value
        if Task.isCancelled {
            await release(hold, order)
            throw CancellationError()
        }
        return hold
    }

    private func heard(
        _ answer: BackendAnswer, _ order: Order, _ passages: [Retrieval.Passage], _ hold: String?, _ grant: LimitGrant?
    ) -> AsyncThrowingStream<Heard, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let completed = try await follow(answer, order, passages, hold) { continuation.yield(.text($0)) }
                    let inference = completed.inference
                    grant?.finish(tokens: inference.inputTokens + inference.outputTokens, money: inference.fee)
                    continuation.yield(.done(completed))
                    continuation.finish()
                } catch {
                    grant?.finish(tokens: 0, money: .zero(order.model.price.request.asset))
                    continuation.finish(throwing: error)
                }
            }
            // The caller has gone: the model stops, and what was made so far is counted.
            continuation.onTermination = { end in if case .cancelled = end { task.cancel() } }
        }
    }

    private func follow(
        _ begun: BackendAnswer, _ order: Order, _ passages: [Retrieval.Passage], _ hold: String?,
        _ tell: @Sendable (String) -> Void
    ) async throws -> Completed {
        var text = ""
        var heard = 0
        var end: (finish: String, input: Int, output: Int, row: String?)?
        do {
            for try await piece in begun.pieces {
                switch piece {
                case .text(let more):
                    text += more
                    heard += 1
                    tell(more)
                case .end(let finish, let input, let output, let row): end = (finish, input, output, row)
                }
            }
        } catch {
            if text.isEmpty {
                await release(hold, order)
                throw Problem(OpenAIProblems.upstream, "\(error)")
            }
            logger.warning("an answer broke off", ["inference": .string(order.inference), "error": .string("\(error)")])
        }
        if end == nil, text.isEmpty {
            await release(hold, order)
            throw CancellationError()
        }
        // An answer that broke off is charged by the pieces that came, each of which is at least a token; its prompt is not charged.
        let count = end ?? ("length", 0, heard, nil)
        let answer = text
        // Recording must not end with the caller's patience.
        return try await Task { try await record(order, answer, count, passages, hold, begun.runner) }.value
    }

    func record(
        _ order: Order, _ answer: String, _ end: (finish: String, input: Int, output: Int, row: String?), _ passages: [Retrieval.Passage],
        _ hold: String?, _ runner: String
    ) async throws -> Completed {
        // A model server that overstates what it used does not get more than was agreed.
        let output = min(end.output, order.request.maximumTokens)
        let bytes = order.request.promptBytes + passages.reduce(0) { $0 + $1.text.utf8.count + 8 }
        let input = min(end.input, bytes + 16 * (order.request.messages.count + passages.count + 1))
        let fee = try InferencePrice.fee(order.model.price, input: input, output: output)
        // Whose mandate was revoked while the model spoke pays nothing, and its hold is free by now.
        try await settle(order, fee)
        let (list, long) = try EvidenceList.of(passages.map { $0.retrieved(in: answer) })
        if let long { _ = try await evidence.put(canonical: long) }
        var inference = InferenceCompleted(
            inference: order.inference, payer: order.payer, actor: order.caller, mandate: order.word?.mandate, key: order.key?.id,
            model: order.model.model,
            version: order.model.version,
            base: order.model.base, adapter: order.model.adapter, prompt: .zero, answer: .zero, inputTokens: input,
            outputTokens: output, fee: fee, hold: hold, runner: runner, passages: list,
            row: end.row.flatMap { Digest(prefixed: $0) })
        let outcome = try await kept(&inference, answer, order)
        return Completed(inference: inference, finish: end.finish, position: outcome.facts.first?.position ?? 0)
    }

    /// Keeps both texts for as long as the payer wishes, and puts the answer on the log.
    private func kept(_ inference: inout InferenceCompleted, _ answer: String, _ order: Order) async throws -> Outcome {
        while true {
            let days = try await maker.query { $0.principals[order.payer]?.retentionDays }
            inference.keptUntil = Retention.lastDay(days: days, isStored: order.request.isStored, from: clock())
            (inference.prompt, inference.answer) = try await contents.put(
                order.inference, payer: order.payer, until: inference.keptUntil, prompt: order.request.messagesJSON, answer: answer)
            do { return try await decided(inference, order) } catch {
                // The payer has meanwhile chosen a shorter time.
                guard Self.isKeptTooLong(error) else { throw error }
            }
        }
    }

    private static func isKeptTooLong(_ error: any Error) -> Bool {
        if case .keptTooLong? = error as? GatewayError { true } else { false }
    }

    /// Puts an answer on the log. What was given must be paid, so a log that is away for a moment is waited for.
    private func decided(_ inference: InferenceCompleted, _ order: Order) async throws -> Outcome {
        let cause = Cause.command(id: order.inference, digest: SHA256.hash(try JSON.canonical(inference.json)))
        var pause = Duration.milliseconds(50)
        while true {
            do {
                return try await maker.decide(
                    cause, actor: order.caller, correlation: order.correlation, InferenceRules.complete(inference))
            } catch let error as DecisionError {
                switch error {
                case .busy, .unavailable: break
                default: throw error
                }
                guard pause < .seconds(30) else { throw error }
                logger.warning(
                    "an answer can't be put on the log yet", ["inference": .string(order.inference), "error": .string("\(error)")])
                try await Task.sleep(for: pause)
                pause *= 2
            }
        }
    }

    private func placeHold(_ amount: Amount, _ order: Order) async throws -> String? {
        guard amount.isPositive else { return nil }
        do {
            let placed = try await peers.call(
                "POST", .billing, "/v1/holds",
                json: .members([
                    "account": .string("payer:" + order.payer), "amount": amount.json, "seconds": .int(Self.holdTime),
                    "reference": order.word.map { .string($0.authorization) },
                ]), key: order.inference)
            guard let id = placed["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue else {
                throw Problem(.unavailable, "billing gave no hold; try again")
            }
            return id
        } catch let error as PeerError where error.status == 402 || error.status == 404 || error.status == 409 || error.status == 422 {
            await free(order)
            throw Problem(
                OpenAIProblems.noMoney,
                "the balance of \(order.payer) does not cover up to \(amount): \(error.detail). Deposit first, or ask for fewer tokens")
        } catch let error as PeerError {
            await free(order)
            throw Problem(.unavailable, "billing is not available (\(error)); try again", headers: ["Retry-After": "1"])
        }
    }

    func release(_ hold: String?, _ order: Order) async {
        guard let hold else { return }
        // In a task of its own: a caller who has left must not keep the call from being made.
        await Task {
            do {
                _ = try await peers.call(
                    "POST", .billing, "/v1/holds/\(hold)/release", json: .object(JSONObject()), key: order.inference + "-release")
            } catch {
                logger.warning(
                    "a hold could not be released; it runs out by itself", ["hold": .string(hold), "error": .string("\(error)")])
            }
            await free(order)
        }.value
    }
}
