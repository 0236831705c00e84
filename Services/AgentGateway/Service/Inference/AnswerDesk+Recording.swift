internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import Telemetry
internal import Web

/// From the first word to the event that makes the fee due.
extension AnswerDesk {
    /// What was said, and how it ended.
    struct Told: Sendable {
        let text: String
        let finish: String
        let count: TokenCount
        let row: String?
    }

    /// Hears an answer to its end, its caller's or its time's, and puts it on the log.
    func follow(
        _ begun: BackendAnswer, _ order: Order, _ passages: [Retrieval.Passage], _ hold: String?,
        _ tell: @Sendable (Heard) -> Void
    ) async throws -> Completed {
        var text = ""
        var calls = ToolCalls()
        var heard = 0
        var counted: TokenCount?
        var end: (finish: String, count: TokenCount, row: String?)?
        do {
            for try await piece in begun.pieces {
                switch piece {
                case .text(let more, let count, let logprobs):
                    text += more
                    heard += 1
                    counted = count ?? counted
                    tell(.text(more, logprobs: logprobs))
                case .tools(let more, let count):
                    calls.add(more)
                    heard += 1
                    counted = count ?? counted
                    tell(.tools(more))
                case .end(let finish, let count, let row): end = (finish, count, row)
                }
            }
        } catch {
            if text.isEmpty, calls.isEmpty {
                await release(hold, order)
                logger.warning("an answer broke off", ["inference": .string(order.inference), "error": .string("\(error)")])
                throw Problem(OpenAIProblems.upstream, "the model could not answer")
            }
            if !Task.isCancelled {
                logger.warning("an answer broke off", ["inference": .string(order.inference), "error": .string("\(error)")])
            }
        }
        if end == nil, text.isEmpty, calls.isEmpty {
            await release(hold, order)
            throw CancellationError()
        }
        // What it asks for is as much its answer as what it says.
        if !calls.isEmpty { text += (text.isEmpty ? "" : "\n") + String(decoding: JSON.write(calls.json), as: UTF8.self) }
        let told =
            end.map { Told(text: text, finish: $0.finish, count: $0.count, row: $0.row) }
            ?? Told(
                text: text, finish: "length", count: Self.cutShort(heard, counted, order, passages, isBackendsFault: !Task.isCancelled),
                row: nil)
        // Recording must not end with the caller's patience.
        return try await Task { try await record(order, told, passages, hold, begun.runner) }.value
    }

    /// What an answer that broke off came to: the pieces that came, each of which is at least a token, or the server's count so far. The
    /// prompt was read for who left, and is charged by that count or at the least that so many bytes can be; for what the model server's
    /// fault cut short it is not.
    static func cutShort(
        _ pieces: Int, _ counted: TokenCount?, _ order: Order, _ passages: [Retrieval.Passage], isBackendsFault: Bool
    ) -> TokenCount {
        let output = max(pieces, counted?.output ?? 0)
        if isBackendsFault { return TokenCount(input: 0, output: output) }
        return TokenCount(
            input: counted?.input ?? order.promptBytes(with: passages) / InferencePrice.mostBytesOfToken, output: output)
    }

    /// Puts an answer on the log, with its texts kept and its mandate told. What was given must be paid, so what fails for a moment is
    /// tried again.
    func record(
        _ order: Order, _ told: Told, _ passages: [Retrieval.Passage], _ hold: String?, _ runner: String
    ) async throws -> Completed {
        let insistence = Insistence(inference: order.inference, logger: logger)
        // A model server that overstates what it used does not get more than was agreed.
        let output = min(told.count.output, order.request.maximumTokens)
        let bytes = order.promptBytes(with: passages)
        let input = min(told.count.input, bytes + 16 * (order.request.messages.count + passages.count + 1))
        let fee = try InferencePrice.fee(order.model.price, input: input, output: output)
        let (list, long) = try EvidenceList.of(passages.map { $0.retrieved(in: told.text) })
        if let long {
            try await insistence.run("evidence can't be kept yet", Insistence.always) { _ = try await evidence.put(canonical: long) }
        }
        var inference = InferenceCompleted(
            inference: order.inference, payer: order.payer, actor: order.caller, mandate: order.word?.mandate, key: order.key?.id,
            model: order.model.model,
            version: order.model.version,
            base: order.model.base, adapter: order.model.adapter, prompt: .zero, answer: .zero, inputTokens: input,
            outputTokens: output, fee: fee, hold: hold, runner: runner, passages: list,
            row: told.row.flatMap { Digest(prefixed: $0) }, retrieval: retrieval.ranking(of: passages),
            attempt: order.attempt == order.inference ? nil : order.attempt)
        let outcome: Outcome
        do { outcome = try await kept(&inference, told.text, order, insistence) } catch {
            // Somebody else has answered the same question: nothing is due for this answer, and what was set aside for it is free at once.
            if Self.isAnswered(error) { await release(hold, order) }
            throw error
        }
        return Completed(inference: inference, finish: told.finish, position: outcome.facts.first?.position ?? 0)
    }

    /// Whether another answer to the same question stands on the log.
    static func isAnswered(_ error: any Error) -> Bool {
        if case .conflict? = error as? DecisionError { true } else { false }
    }

    /// Keeps both texts for as long as the payer wishes, and puts the answer on the log, with what it comes to under its mandate.
    private func kept(
        _ inference: inout InferenceCompleted, _ answer: String, _ order: Order, _ insistence: Insistence
    ) async throws -> Outcome {
        var days = order.retentionDays
        while true {
            let until = Retention.lastDay(days: days, isStored: order.request.isStored, from: clock())
            inference.keptUntil = until
            (inference.prompt, inference.answer) = try await insistence.run("an answer's texts can't be kept yet", Insistence.always) {
                try await contents.put(
                    order.inference, payer: order.payer, until: until, prompt: order.request.messagesJSON, answer: answer)
            }
            do { return try await decided(inference, order, insistence) } catch {
                // The payer has meanwhile chosen a shorter time.
                guard Self.isKeptTooLong(error) else { throw error }
                days = try await insistence.run("the payer's choice can't be read yet", Insistence.ofTheLog) {
                    try await maker.query { $0.principals[order.payer]?.retentionDays }
                }
            }
        }
    }

    private static func isKeptTooLong(_ error: any Error) -> Bool {
        if case .keptTooLong? = error as? GatewayError { true } else { false }
    }

    private func decided(_ inference: InferenceCompleted, _ order: Order, _ insistence: Insistence) async throws -> Outcome {
        let cause = Cause.command(id: order.inference, digest: SHA256.hash(try JSON.canonical(inference.json)))
        return try await insistence.run("an answer can't be put on the log yet", Insistence.ofTheLog) {
            guard let word = order.word else {
                return try await maker.decide(
                    cause, actor: order.caller, correlation: order.correlation, InferenceRules.complete(inference))
            }
            // Whose mandate was revoked while the model spoke pays nothing: what ran under it is free by the revocation.
            let outcome = try await spending.record(inference, under: word, cause: cause, correlation: order.correlation) {
                try InferenceRules.check(inference, days: $0, at: $1)
            }
            // What a key may use up is known here before its next request.
            if order.key != nil, let place = outcome.facts.first { try? await maker.waitUntil(place.position + 1) }
            return outcome
        }
    }
}
