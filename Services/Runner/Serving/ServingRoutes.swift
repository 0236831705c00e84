internal import Crypto
internal import Engine
internal import Events
internal import HTTP
internal import HTTPClient
internal import JSON
internal import ServiceShell
internal import Web

/// Answers over the runner's models, in OpenAI's form, for the gateway. `openledger_adapter` names the adapter by its artefact, and
/// `openledger_rules` the rules of its attribution; the last chunk's `openledger_row` names the answer's attribution row.
struct ServingRoutes: Sendable {
    let library: ModelLibrary
    let artefacts: TrainingDesk

    var routes: [Route] { [models, chat, completions, load, unload] }

    private static let access = Access.scope("runners:serve")
    private static let tooLong = ProblemType("context-length-exceeded", 400, "The conversation is longer than the model reads")

    private var models: Route {
        Route(
            .get, "/runner/v1/models", operation: "listRunnerModels", summary: "The base models of this runner.", access: Self.access,
            replies: [.json(200, "Models.", .any)]
        ) { [library] _ in
            .json([
                "object": "list",
                "data": .array(library.models.keys.sorted().map { ["id": .string($0), "object": "model", "owned_by": "openledger"] }),
            ])
        }
    }

    private var chat: Route {
        Route(
            .post, "/runner/v1/chat/completions", operation: "answerChat", summary: "Answers a conversation as server-sent events.",
            access: Self.access, body: .json(.openObject(.required("model", .text), .required("messages", .any)), limit: 8 << 20),
            replies: [.events("Chunks in OpenAI's form.")], problems: [.notFound, Self.tooLong]
        ) { context in try await answer(context, isChat: true) }
    }

    private var completions: Route {
        Route(
            .post, "/runner/v1/completions", operation: "answerPrompt", summary: "Goes on from a text as server-sent events.",
            access: Self.access,
            body: .json(.openObject(.required("model", .text), .required("prompt", .text(1...1 << 20))), limit: 8 << 20),
            replies: [.events("Chunks in OpenAI's form.")], problems: [.notFound, Self.tooLong]
        ) { context in try await answer(context, isChat: false) }
    }

    private static let adapter: Schema = .object(.required("base", .text(1...100)), .required("adapter", .text(.sha256)))

    private var load: Route {
        Route(
            .post, "/runner/v1/adapters", operation: "loadAdapter", summary: "Brings an adapter into memory.", access: Self.access,
            body: .json(Self.adapter), replies: [.empty(204, "It is ready.")], problems: [.notFound]
        ) { [library] context in
            let (base, digest) = try Self.named(context)
            guard library.models[base] != nil else { throw Problem(.notFound, "this runner has no base model \(base)", field: "#/base") }
            do { _ = try await library.adapter(digest, on: base) } catch { throw Self.trouble(error, digest, field: "#/adapter") }
            return .noContent
        }
    }

    /// What it means for a caller that an adapter can't be had: there is none, it is broken or of another base, or it may come yet.
    private static func trouble(_ error: any Error, _ digest: Digest, field: String) -> any Error {
        if let error = error as? PeerError, error.status == 404 {
            return Problem(.notFound, "there is no adapter \(digest)", field: field)
        }
        guard !JobFault.isPassing(error), !(error is PeerError), !(error is CancellationError) else { return error }
        return Problem(.badBody, "the adapter \(digest) can't be used: \(error)", field: field)
    }

    private var unload: Route {
        Route(
            .post, "/runner/v1/adapters/unload", operation: "unloadAdapter", summary: "Lets an adapter go from memory.",
            access: Self.access, body: .json(Self.adapter), replies: [.empty(204, "It is not kept.")]
        ) { [library] context in
            let (base, digest) = try Self.named(context)
            library.release(digest, on: base)
            return .noContent
        }
    }

    private static func named(_ context: RequestContext) throws -> (base: String, adapter: Digest) {
        try context.decode { json in
            let fields = try json.object()
            return (try fields.string("base"), try fields.digest("adapter"))
        }
    }

    private func answer(_ context: RequestContext, isChat: Bool) async throws -> Response {
        let fields = try context.decode { try $0.object() }
        let name = try fields.string("model")
        guard let model = library.models[name] else { throw Problem(.notFound, "this runner has no base model \(name)", field: "#/model") }
        var request = try context.decode { _ in try Self.request(fields, model, isChat: isChat) }
        let digest = try context.decode { _ in try fields.optionalDigest("openledger_adapter") }
        let rules = try context.decode { _ in try fields.optionalString("openledger_rules", bytes: 1...100) }
        if let digest {
            do { request.adapter = try await library.adapter(digest, on: name) } catch {
                throw Self.trouble(error, digest, field: "#/openledger_adapter")
            }
        }
        let pieces: AsyncThrowingStream<GeneratedPiece, any Error>
        do { pieces = try model.generator.generate(request) } catch let error as EngineError {
            throw Problem(.badBody, "\(error)", field: "#/messages")
        }
        let form = ChunkForm(id: context.requestID, model: name, isChat: isChat)
        let asked = request
        return SSE.response(
            AsyncThrowingStream { continuation in
                let task = Task {
                    do {
                        try await follow(pieces, asked, model, digest.map { ($0, rules) }, form) { continuation.yield($0) }
                        continuation.finish()
                    } catch {
                        continuation.yield(form.failure(error))
                        continuation.finish()
                    }
                }
                continuation.onTermination = { end in if case .cancelled = end { task.cancel() } }
            })
    }

    private func follow(
        _ pieces: AsyncThrowingStream<GeneratedPiece, any Error>, _ request: GenerationRequest, _ model: ServedModel,
        _ adapter: (digest: Digest, rules: String?)?, _ form: ChunkForm, _ tell: @Sendable (ServerSentEvent) -> Void
    ) async throws {
        var tokens: [Int32] = []
        var end: (GeneratedPiece.FinishReason, GeneratedPiece.Usage)?
        var isCounted = false
        var told: [ChunkForm.TokenOdds] = []
        for try await piece in pieces {
            tokens += piece.tokens
            for (place, odds) in piece.logprobs.enumerated() {
                told.append(ChunkForm.TokenOdds(odds, place < piece.alternatives.count ? piece.alternatives[place] : []))
            }
            if !piece.text.isEmpty {
                let logprobs = request.logprobs == nil ? nil : form.logprobs(told, model.tokenizer)
                tell(form.text(piece.text, count: isCounted ? nil : (request.prompt.count, tokens.count), logprobs: logprobs))
                told = []
                isCounted = true
            }
            if let finish = piece.finish, let usage = piece.usage { end = (finish, usage) }
        }
        guard let (finish, usage) = end else { throw EngineError.cancelled }
        let row = try await row(request.prompt, tokens, model, adapter)
        tell(form.end(finish: finish == .stop ? "stop" : "length", usage: usage, row: row))
        tell(ServerSentEvent(data: "[DONE]"))
    }

    /// The rules under which an answer's row is made from all that it says; under later ones, and where none are named, from what it says by
    /// itself.
    private static let rulesOfAll: Set<String> = ["attribution/1", "attribution/2", "attribution/3"]

    /// The answer's attribution row, kept with the artefacts; nil for a base model, an adapter whose curvature this process does not have, or
    /// an answer of which nothing counts.
    private func row(
        _ prompt: [Int32], _ answer: [Int32], _ model: ServedModel, _ adapter: (digest: Digest, rules: String?)?
    ) async throws -> Digest? {
        guard let adapter, !answer.isEmpty, let factors = try await library.factors(of: adapter.digest, on: model) else { return nil }
        let example: TrainingExample
        if let rules = adapter.rules, Self.rulesOfAll.contains(rules) {
            let tokens = Array((prompt + answer).suffix(model.model.contextLength))
            example = TrainingExample(tokens: tokens, lossFrom: max(1, tokens.count - answer.count))
        } else {
            guard let own = TrainingExample.answer(answer, to: prompt, context: model.model.contextLength) else { return nil }
            example = own
        }
        guard let bytes = try await factors.rows([example], role: .answer, pool: library.pool).first?.bytes else { return nil }
        let digest = SHA256.hash(bytes)
        try await artefacts.put(digest, bytes)
        return digest
    }

    private static func request(_ fields: JSONFields, _ model: ServedModel, isChat: Bool) throws -> GenerationRequest {
        let prompt: [Int32]
        if isChat {
            let messages = try fields.array("messages", count: 1...1_024).map { entry in
                let message = try entry.object()
                return ChatMessage(role: try message.string("role"), content: try message.string("content", bytes: 0...4 << 20))
            }
            prompt = try JobRows.prompt(messages, model)
        } else {
            prompt = model.tokenizer.encode(try fields.string("prompt", bytes: 1...4 << 20), readingSpecialTokens: false)
        }
        let context = model.model.contextLength
        guard prompt.count < context else {
            throw Problem(
                tooLong, "it has \(prompt.count) tokens, and \(model.name) reads \(context) with the answer",
                field: isChat ? "#/messages" : "#/prompt")
        }
        var request = GenerationRequest(prompt: prompt)
        // An answer for which less is left than was asked for ends there, as one that reached its limit.
        request.maximumTokens = min(try fields.optionalInt("max_tokens", in: 1...1 << 20) ?? 256, context - prompt.count)
        request.stopTokens = model.ends
        request.sampling.temperature = Float(try fields.optionalDouble("temperature", in: 0...2) ?? 1)
        request.sampling.topP = Float(try fields.optionalDouble("top_p", in: 0...1) ?? 1)
        request.sampling.topK = try fields.optionalInt("top_k", in: 0...100_000) ?? 0
        request.sampling.repetitionPenalty = Float(try fields.optionalDouble("repetition_penalty", in: 0.01...100) ?? 1)
        request.sampling.frequencyPenalty = Float(try fields.optionalDouble("frequency_penalty", in: -2...2) ?? 0)
        request.sampling.presencePenalty = Float(try fields.optionalDouble("presence_penalty", in: -2...2) ?? 0)
        if isChat {
            if try fields.optionalBool("logprobs") ?? false { request.logprobs = try fields.optionalInt("top_logprobs", in: 0...20) ?? 0 }
        } else {
            request.logprobs = try fields.optionalInt("logprobs", in: 0...5)
        }
        // Who names no seed wants another answer each time.
        let seed = try fields.optionalInt("seed").map { UInt64(bitPattern: Int64($0)) }
        request.sampling.seed = seed ?? UInt64.random(in: .min ... .max)
        request.stopStrings = try (fields.optionalArray("stop", count: 0...64) ?? []).map { try $0.string(bytes: 1...1_024) }
        return request
    }
}
