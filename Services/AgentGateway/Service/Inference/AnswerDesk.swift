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
    let known: KnownAnswers
    let peers: Peers
    let backend: RoutedBackend
    let retrieval: Retrieval
    let limits: LimitDesk
    /// Names that stand for models.
    let aliases: [String: String]
    let contents: InferenceContents
    let evidence: EvidenceStore
    let spending: SpendingDesk
    let solvent: SolventPayers
    let lag: AttributionLag
    let holds: HoldDesk
    /// The longest that an answer may be talked, from its request on: less than its hold lasts.
    let longest: Duration
    let clock: @Sendable () -> Timestamp
    let logger: Logger
    /// All that is being answered, here and through agents' tools.
    let underWay: AnswersUnderWay
    /// Whose turn it is to answer what its caller has named.
    let named: NamedAnswers

    /// Who asks what.
    struct Order: Sendable {
        /// The answer's id. Only one is ever on the log.
        var inference: String
        /// This attempt to answer: its hold and its mandate's word are its own, so that an attempt which failed spoils no later one.
        var attempt: String
        let request: ChatRequest
        let model: ModelPublished
        let caller: String
        let payer: String
        let correlation: String
        /// Days that the payer has its texts kept, as it was when this was asked.
        let retentionDays: Int?
        /// The mandate that it is spent under, where the caller has one, and its word for this answer.
        var purse: SpendingDesk.Purse?
        var word: SpendingDesk.Grant?
        /// The API key that it was asked with, and its limits.
        var key: Key?
        /// When it was asked.
        let began = ContinuousClock.now

        struct Key: Sendable {
            let id: String
            let limits: KeyLimits?
        }

        /// Whether its caller has named it.
        var isNamed: Bool { attempt != inference }
    }

    /// An answer that has begun, and what its head says about limits.
    struct Begun: Sendable {
        let inference: String
        let model: String
        let heard: AsyncThrowingStream<Heard, any Error>
        let headers: Headers
    }

    /// What the caller hears.
    enum Heard: Sendable {
        /// A piece, and its tokens' probabilities where those were asked for.
        case text(String, logprobs: JSONValue?)
        /// More of the calls that it asks for, in OpenAI's form of a delta.
        case tools(JSONValue)
        case done(Completed)
    }

    /// An answer that is on the log.
    struct Completed: Sendable {
        let inference: InferenceCompleted
        let finish: String
        let position: UInt64
        /// Bytes of what it said, which its calls follow in the text that is kept.
        let textBytes: Int
        /// Whether it was given, and paid, before.
        var isRepeated = false
    }

    /// Begins, or tells again what was answered before to a request of this name. What is thrown before the first piece is thrown here:
    /// unknown models, limits, missing money, a model server that is away.
    /// - Parameter order: makes the order of a request that was not answered before.
    func begin(_ request: ChatRequest, as name: Name?, _ order: @Sendable () async throws -> Order) async throws -> Begun {
        guard let name else {
            let made = try await order()
            let entry = try underWay.enter(made.inference)
            do { return try await begin(made, entry) } catch {
                underWay.leave(entry)
                throw error
            }
        }
        let entry = try underWay.enter(name.inference)
        do {
            switch try await turn(request, name, entry) {
            case .again(let begun):
                underWay.leave(entry)
                return begun
            case .mine(let attempt):
                do { return try await begin(order().named(name, attempt), entry) } catch {
                    await named.giveUp(name.inference, attempt: attempt)
                    throw error
                }
            }
        } catch {
            underWay.leave(entry)
            throw error
        }
    }

    private func begin(_ order: Order, _ entry: AnswersUnderWay.Entry) async throws -> Begun {
        if let problem = await backend.desk.refusal(for: order.payer) { throw problem }
        if let problem = await lag.refusal() { throw problem }
        // Whoever may not ask costs no search: the limits come first, with the most that passages can come to.
        let passagesAtMost = order.model.retrieval.isEmpty ? 0 : Retrieval.count
        let bytesAtMost = order.request.promptBytes + (passagesAtMost > 0 ? Retrieval.mostBytes : 0)
        let grant = try await admit(
            order, promptBytes: bytesAtMost, messages: order.request.messages.count + passagesAtMost,
            try most(order, promptBytes: bytesAtMost, passages: passagesAtMost))
        do {
            var passages = await retrieval.passages(
                for: order.request, of: order.payer, from: order.model.retrieval, logger: logger)
            while order.promptBytes(with: passages) > bytesAtMost { passages.removeLast() }
            let most = try most(order, promptBytes: order.promptBytes(with: passages), passages: passages.count)
            // Where the caller spends under a mandate, that decides first: what it refuses is never held.
            let allowed = try await authorized(order, most)
            if let word = allowed.word { await spending.watch(word) { entry.cut(SpendingDesk.ended(word)) } }
            do {
                let read = passages
                let (hold, asked) = try await entry.cut.run { try await heldAndAsked(most, allowed, read) }
                return Begun(
                    inference: allowed.inference, model: allowed.model.model,
                    heard: heard(asked.answer, allowed, asked.passages, hold, grant, entry), headers: grant?.headers ?? [:])
            } catch {
                if let word = allowed.word { spending.unwatch(word) }
                throw error
            }
        } catch {
            grant?.finish(tokens: 0, money: .zero(order.model.price.request.asset))
            throw error
        }
    }

    private func most(_ order: Order, promptBytes: Int, passages: Int) throws -> Amount {
        try InferencePrice.most(
            order.model.price, promptBytes: promptBytes, messages: order.request.messages.count + passages,
            output: order.request.maximumTokens)
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
            throw Problem(OpenAIProblems.upstream, BackendError.words(error))
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
                    order.request, model: order.model, passages: passages, principal: order.payer)
                return Asked(answer: answer, passages: passages)
            } catch let problem as Problem where problem.type == OpenAIProblems.tooLong && !passages.isEmpty { passages.removeLast() }
        }
    }

    /// Lets a key's request through, or says why not.
    /// - Parameters:
    ///   - promptBytes: the most that the model reads, and `messages`, how many they are in.
    ///   - most: what it can cost.
    func admit(_ order: Order, promptBytes: Int, messages: Int, _ most: Amount) async throws -> LimitGrant? {
        guard let key = order.key, let limits = key.limits else { return nil }
        let output = order.request.maximumTokens
        let seconds = clock().microseconds / 1_000_000
        let ask = LimitDesk.Ask(
            key: key.id, limits: limits, tokens: promptBytes / 4 + output,
            mostTokens: TokenBounds.mostInput(bytes: promptBytes, messages: messages) + output, money: most, day: KeyUsage.day(clock()),
            dayLeft: 86_400 - seconds % 86_400)
        return try await self.limits.admit(ask) { try await maker.query { $0.keyUsage[key.id] ?? KeyUsage() } }
    }

    /// Places the hold, to its end: a caller who leaves meanwhile must not leave it behind.
    func held(_ most: Amount, _ order: Order) async throws -> String? {
        guard most.isPositive else { return nil }
        let hold = try await Task {
            do {
                return try await holds.place(
                    HoldDesk.Wanted(
                        payer: order.payer, amount: most, reference: order.word?.authorization, key: order.attempt))
            } catch {
                await free(order)
                throw error
            }
        }.value
        if Task.isCancelled {
            await release(hold, order)
            throw CancellationError()
        }
        return hold
    }

    private func heard(
        _ answer: BackendAnswer, _ order: Order, _ passages: [Retrieval.Passage], _ hold: String?, _ grant: LimitGrant?,
        _ entry: AnswersUnderWay.Entry
    ) -> AsyncThrowingStream<Heard, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                defer {
                    if let word = order.word { spending.unwatch(word) }
                    underWay.leave(entry)
                }
                do {
                    let completed = try await follow(answer, order, passages, hold) { continuation.yield($0) }
                    let inference = completed.inference
                    grant?.finish(tokens: inference.inputTokens + inference.outputTokens, money: inference.fee)
                    if order.isNamed {
                        await named.tell(
                            order.inference, attempt: order.attempt, .init(finish: completed.finish, textBytes: completed.textBytes))
                    }
                    continuation.yield(.done(completed))
                    continuation.finish()
                } catch {
                    if order.isNamed { await named.giveUp(order.inference, attempt: order.attempt) }
                    grant?.finish(tokens: 0, money: .zero(order.model.price.request.asset))
                    // Another gateway was asked the same, and answered first.
                    continuation.finish(throwing: Self.isAnswered(error) ? AnswersUnderWay.inFlight : entry.cut.told(error))
                }
            }
            // The mandate has ended, or the gateway stops: it ends as one that reached its limit of tokens.
            entry.cut.cancels { task.cancel() }
            // It is talked for long enough, as well over the hold's time as a whole answer's over its caller's: it ends as one that reached
            // its limit of tokens.
            let most = order.request.stream ? longest : min(longest, Self.longestWhole)
            let end = Alarms.shared.set(at: order.began + most) { task.cancel() }
            continuation.onTermination = { reason in
                end.end()
                // The caller has gone: the model stops, and what was made so far is counted.
                if case .cancelled = reason { task.cancel() }
            }
        }
    }

    /// The longest that a caller waits for a whole answer: a little less than its route lets it.
    private static let longestWhole = ChatRoutes.deadline - .seconds(10)

    /// Gives back what was held for an answer that came to nothing.
    func release(_ hold: String?, _ order: Order) async {
        guard let hold else { return }
        // In a task of its own: a caller who has left must not keep the call from being made.
        await Task {
            await holds.release(hold, key: order.attempt + "-release")
            await free(order)
        }.value
    }
}

extension AnswerDesk.Order {
    /// The same under its caller's name for it, answered by this attempt.
    func named(_ name: AnswerDesk.Name, _ attempt: String) -> AnswerDesk.Order {
        var order = self
        (order.inference, order.attempt) = (name.inference, attempt)
        return order
    }

    /// The bytes that the model reads: no token is shorter.
    func promptBytes(with passages: [Retrieval.Passage]) -> Int {
        request.promptBytes + Retrieval.data(passages).utf8.count
    }
}
