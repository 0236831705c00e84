internal import AdapterRouter
internal import Crypto
internal import Events
internal import HTTP
internal import HTTPClient
internal import JSON
internal import ServiceShell
internal import Web

/// Speaks to one server in its dialect.
struct ModelServer: Sendable {
    let site: BackendSite
    let peers: Peers
    let patience: Duration
    /// Puts an adapter's files where the server reads them.
    let shelf: AdapterShelf?

    /// The longest that bringing in an adapter may take.
    private static let longestLoad = Duration.seconds(120)

    /// Asks, and gives what comes.
    func answer(
        _ request: ChatRequest, model: ModelPublished, passages: [Retrieval.Passage]
    ) async throws -> AsyncThrowingStream<BackendEvent, any Error> {
        if site.kind == .runner, let (name, _) = request.options.foreign.first {
            throw Problem(OpenAIProblems.refused, "this model does not know \(name)", field: "#/\(name)")
        }
        let answer = try await call(
            request.isChat ? "/v1/chat/completions" : "/v1/completions", .object(JSONObject(body(request, model, passages))), patience)
        return AnswerReader(limit: request.maximumTokens, patience: patience).events(answer.body)
    }

    private func body(_ request: ChatRequest, _ model: ModelPublished, _ passages: [Retrieval.Passage]) -> [(String, JSONValue)] {
        var body: [(String, JSONValue)] = [
            ("model", .string(name(model))), ("max_tokens", .int(Int64(request.maximumTokens))),
            ("temperature", .double(request.temperature)), ("top_p", .double(request.topP)), ("stream", true),
            // vLLM counts while it speaks, as our own does unasked: so an answer that its caller leaves is known to the token.
            ("stream_options", site.kind == .vllm ? ["include_usage": true, "continuous_usage_stats": true] : ["include_usage": true]),
            ("stop", .array(request.stop.map { .string($0) })),
        ]
        if let seed = request.seed { body.append(("seed", .int(Int64(seed)))) }
        body += request.options.members + (site.kind == .runner ? [] : request.options.foreign)
        if let adapter = model.adapter?.prefixed {
            switch site.kind {
            case .runner:
                // The rules decide what of the answer its row of influence is made from.
                body += [("openledger_adapter", .string(adapter)), ("openledger_rules", .string(model.attribution.rules))]
            case .llama: body.append(("lora", [["id": .int(Int64(site.numbers[adapter] ?? 0)), "scale": 1]]))
            case .vllm, .openai: break
            }
        }
        // What our own runner's models have learned to read.
        let context = site.kind == .runner && !passages.isEmpty ? PassagePrompt.text(passages.map(\.text)) : nil
        let data = site.kind == .runner ? "" : Retrieval.data(passages)
        if request.isChat {
            let asks = request.messages.lastIndex { $0.role == "user" }
            let messages = request.messages.enumerated().map { place, message -> JSONValue in
                let content = (place == asks ? data : "") + message.content
                return ChatRequest.Message(role: message.role, content: content, tools: site.kind == .runner ? [] : message.tools).json
            }
            let before: [JSONValue] = context.map { [["role": "system", "content": .string($0)]] } ?? []
            body.append(("messages", .array(before + messages)))
        } else {
            body.append(("prompt", .string((context.map { $0 + "\n\n" } ?? data) + (request.messages.first?.content ?? ""))))
        }
        return body
    }

    /// What the server calls a model: vLLM has adapters as models of their own.
    private func name(_ model: ModelPublished) -> String {
        if site.kind == .vllm, let adapter = model.adapter { return adapter.hex }
        return site.models[model.base] ?? model.base
    }

    /// Brings an adapter in.
    func load(_ name: AdapterName) async throws {
        guard let adapter = name.adapter, let digest = Digest(prefixed: adapter) else { return }
        switch site.kind {
        case .runner: try await tell("/v1/adapters", ["base": .string(name.base), "adapter": .string(adapter)])
        case .vllm:
            guard let shelf, let place = site.shelf else { throw BackendError.broken("it has no folder for adapters") }
            try await shelf.put(adapter, into: place.here)
            do {
                try await tell(
                    "/v1/load_lora_adapter",
                    ["lora_name": .string(digest.hex), "lora_path": .string(place.there + "/" + digest.hex)])
            } catch BackendError.refused(400, let words, _) where words.contains("already") {
                // It has it from before this gateway began.
            }
        case .llama, .openai: break
        }
    }

    /// Lets an adapter go.
    func unload(_ name: AdapterName) async throws {
        guard let adapter = name.adapter, let digest = Digest(prefixed: adapter) else { return }
        switch site.kind {
        case .runner: try await tell("/v1/adapters/unload", ["base": .string(name.base), "adapter": .string(adapter)])
        case .vllm: try await tell("/v1/unload_lora_adapter", ["lora_name": .string(digest.hex)])
        case .llama, .openai: break
        }
    }

    /// Embeds texts; the answer as the server gave it.
    func embed(_ body: JSONValue) async throws -> JSONValue {
        let answer = try await call("/v1/embeddings", body, patience)
        let most = 64 << 20
        return try JSON.parse(try await answer.body.collect(upTo: most), limits: JSONLimits(bytes: most, items: most / 2))
    }

    private func tell(_ path: String, _ json: JSONValue) async throws {
        let answer = try await call(path, json, Self.longestLoad)
        _ = try await answer.body.collect(upTo: 1 << 20)
    }

    /// - Throws: ``BackendError/refused(status:words:)`` for every answer but 2xx, ``BackendError/silent(_:)``.
    private func call(_ path: String, _ json: JSONValue, _ patience: Duration) async throws -> ClientResponse {
        let answer = try await Patience.run(patience) {
            try await peers.open("POST", url: site.url + path, as: .training, json: json, silence: patience)
        }
        guard (200..<300).contains(answer.status) else {
            let words = try await Patience.run(patience) { try await answer.body.collect(upTo: 64 << 10) }
            throw BackendError.refused(
                status: answer.status, words: String(decoding: words.prefix(500), as: UTF8.self),
                retryAfter: answer.headers["Retry-After"].flatMap { Int($0) })
        }
        return answer
    }
}
