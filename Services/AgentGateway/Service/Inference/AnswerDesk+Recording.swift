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
    /// What was said, how it ended, and what of it is charged.
    struct Told: Sendable {
        let text: String
        let finish: String
        let count: TokenCount
        let row: String?
        /// Bytes of what it said, which its calls follow in the text.
        var textBytes = 0
        /// Whether it broke off before its model had ended it.
        var isCut = false
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
                case .tools(let more, let count, let isWithText):
                    calls.add(more)
                    if !isWithText { heard += 1 }
                    counted = count ?? counted
                    tell(.tools(more))
                case .end(let finish, let count, let row): end = (finish, count, row)
                }
            }
        } catch {
            if text.isEmpty, calls.isEmpty {
                await release(hold, order)
                if Task.isCancelled { throw CancellationError() }
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
        let saidBytes = text.utf8.count
        // What it asks for is as much its answer as what it says.
        if !calls.isEmpty { text += (text.isEmpty ? "" : "\n") + String(decoding: JSON.write(calls.json), as: UTF8.self) }
        let bytes = text.utf8.count + (order.request.stop.map(\.utf8.count).max() ?? 0)
        func output(_ told: Int) -> Int {
            TokenBounds.output(
                told: told, pieces: heard, bytes: bytes, most: order.request.maximumTokens, isHidden: begun.hidesTokens)
        }
        let told: Told
        if let end {
            let input = TokenBounds.input(
                told: end.count.input, bytes: order.promptBytes(with: passages), messages: order.request.messages.count + passages.count)
            told = Told(
                text: text, finish: end.finish, count: TokenCount(input: input, output: output(end.count.output)), row: end.row,
                textBytes: saidBytes)
        } else {
            let input = Self.readByThen(counted, order, passages, isBackendsFault: !Task.isCancelled)
            told = Told(
                text: text, finish: "length", count: TokenCount(input: input, output: output(counted?.output ?? 0)), row: nil,
                textBytes: saidBytes, isCut: true)
        }
        return try await recorded(order, told, passages, hold, begun.runner)
    }

    /// Puts an answer on the log, whether its caller is still there or not; one that can't be put there for good costs nothing, and
    /// nothing stays held for it.
    func recorded(
        _ order: Order, _ told: Told, _ passages: [Retrieval.Passage], _ hold: String?, _ runner: String
    ) async throws -> Completed {
        // Recording must not end with the caller's patience.
        try await Task {
            do { return try await record(order, told, passages, hold, runner) } catch {
                logger.error("an answer is not on the log", ["inference": .string(order.inference), "error": .string("\(error)")])
                await release(hold, order)
                throw error
            }
        }.value
    }

    /// Tokens that were read for an answer that broke off. The prompt was read for who left, and is charged by the server's count so far or
    /// at the least that so many bytes can be; for what the model server's fault cut short it is not.
    static func readByThen(
        _ counted: TokenCount?, _ order: Order, _ passages: [Retrieval.Passage], isBackendsFault: Bool
    ) -> Int {
        if isBackendsFault { return 0 }
        return TokenBounds.input(
            told: counted?.input ?? 0, bytes: order.promptBytes(with: passages),
            messages: order.request.messages.count + passages.count)
    }

    /// Puts an answer on the log, with its texts kept and its mandate told. What was given must be paid, so what fails for a moment is
    /// tried again.
    func record(
        _ order: Order, _ told: Told, _ passages: [Retrieval.Passage], _ hold: String?, _ runner: String
    ) async throws -> Completed {
        let insistence = Insistence(inference: order.inference, logger: logger)
        let (input, output) = (told.count.input, told.count.output)
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
            attempt: order.isNamed ? order.attempt : nil, cut: told.isCut ? true : nil)
        let outcome = try await kept(&inference, told.text, order, insistence)
        return Completed(
            inference: inference, finish: told.finish, position: outcome.facts.first?.position ?? 0, textBytes: told.textBytes)
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
                    order.inference, payer: order.payer, until: until, prompt: order.request.kept, answer: answer)
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
            let outcome = try await spending.record(inference, under: word, cause: cause, correlation: order.correlation) {
                try InferenceRules.check(inference, days: $0, at: $1)
            }
            // What a key may use up is known here before its next request.
            if order.key != nil, let place = outcome.facts.first { try? await maker.waitUntil(place.position + 1) }
            return outcome
        }
    }
}
