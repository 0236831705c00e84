internal import AgentEconomyService
internal import AgentGatewayDomain
internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import Telemetry
internal import Web

/// Requests that their callers have named, by an Idempotency-Key or as MCP, A2A and x402 name them: each is answered, and paid, once,
/// whichever gateway is asked and however often.
extension AnswerDesk {
    /// A caller's name for a request. The log takes no second answer of one inference, so its id comes of the name.
    struct Name: Sendable {
        let inference: String
        /// SHA-256 of what is asked.
        let digest: Digest

        /// Of a request of OpenAI's API.
        init(_ command: CommandIdentity) {
            inference = "in_" + Hex.encode(Array(SHA256.hash(utf8: "openledger/answer\n" + command.id).bytes.prefix(16)))
            digest = command.digest
        }

        /// Of a question that is asked through a tool, an agent or a payment.
        init(question inference: String, digest: Digest) {
            self.inference = inference
            self.digest = digest
        }
    }

    /// What comes of taking the turn to answer.
    enum Turn: Sendable {
        /// It is this attempt's to answer.
        case mine(attempt: String)
        /// It was answered before, and is told again.
        case again(Begun)
    }

    /// Takes the turn to answer a request, or tells what was answered to it before.
    /// - Throws: `Problem` while it is being answered, for another request under its name, and for an answer that can't be told any more.
    func turn(_ request: ChatRequest, _ name: Name, _ entry: AnswersUnderWay.Entry) async throws -> Turn {
        let attempt = Self.newID()
        switch try await named.take(name.inference, attempt: attempt, digest: name.digest, cut: entry.cut) {
        case .told(let teller, let telling):
            guard let known = try await known.find(name.inference) else {
                throw Problem(.unavailable, "what was answered can't be read yet: try again", headers: ["Retry-After": "1"])
            }
            return .again(try await again(known, request, known.attempt == teller ? telling : nil))
        case .mine:
            do {
                // By an attempt that could not say so any more, or so long ago that it is forgotten how it was told.
                guard let known = try await known.find(name.inference) else { return .mine(attempt: attempt) }
                let again = try await again(known, request, nil)
                await named.giveUp(name.inference, attempt: attempt)
                return .again(again)
            } catch {
                await named.giveUp(name.inference, attempt: attempt)
                throw error
            }
        }
    }

    static func newID() -> String { "in_" + Hex.encode(Random.bytes(16)) }

    /// What was answered to the same request before.
    /// - Parameter telling: how it was told; nil where that is not known any more.
    private func again(_ known: InferenceCompleted, _ request: ChatRequest, _ telling: NamedAnswerStore.Telling?) async throws -> Begun {
        guard request.maximumTokens > 0 else {
            throw Problem(
                .conflict, "this was asked, answered and paid as \(known.inference); embeddings are not kept: ask under another key")
        }
        let text = try await text(of: known, telling == nil ? request : nil)
        // What it said and what it asked for are one text there.
        guard telling != nil || request.options.toolBytes == 0 else {
            throw Problem(
                .conflict,
                "this was asked, answered and paid as \(known.inference): GET /v1/inferences/\(known.inference)/content has its text")
        }
        let completed = Completed(
            inference: known,
            finish: telling?.finish ?? (known.cut == true || known.outputTokens >= request.maximumTokens ? "length" : "stop"),
            position: try await self.known.position(of: known.inference), textBytes: text.utf8.count, isRepeated: true)
        let (said, calls) = Self.parts(text, telling)
        return Begun(
            inference: known.inference, model: known.model,
            heard: AsyncThrowingStream { continuation in
                if !said.isEmpty { continuation.yield(.text(said, logprobs: nil)) }
                if let calls { continuation.yield(.tools(calls)) }
                continuation.yield(.done(completed))
                continuation.finish()
            }, headers: [:])
    }

    /// The text of an answer that was given before.
    /// - Parameter request: what it must have been given to, where that is not known yet.
    /// - Throws: `Problem` for another request, and for an answer whose text is kept no more.
    private func text(of known: InferenceCompleted, _ request: ChatRequest?) async throws -> String {
        let texts: (prompt: JSONValue, answer: String)
        do { texts = try await contents.content(of: known) } catch {
            guard Self.isGone(error) else { throw error }
            throw Problem(
                GatewayProblems.erased, "this was asked, answered and paid as \(known.inference); the answer's text is kept no more")
        }
        guard let request else { return texts.answer }
        let name = aliases[request.model] ?? request.model
        let model = try await maker.query { $0.model(asked: name)?.model ?? name }
        guard model == known.model, texts.prompt == request.kept else { throw NamedAnswers.reused(known.inference) }
        return texts.answer
    }

    private static func isGone(_ error: any Error) -> Bool {
        switch error {
        case BlobError.erased, BlobError.notFound, BlobError.noKey: true
        default: false
        }
    }

    /// What an answer said, and the calls that it asked for: as a delta has them, each says which one it is.
    private static func parts(_ text: String, _ telling: NamedAnswerStore.Telling?) -> (said: String, calls: JSONValue?) {
        guard let telling, telling.textBytes < text.utf8.count else { return (text, nil) }
        let said = String(decoding: text.utf8.prefix(telling.textBytes), as: UTF8.self)
        let rest = Array(text.utf8.dropFirst(telling.textBytes + (telling.textBytes > 0 ? 1 : 0)))
        guard let calls = try? JSON.parse(rest, limits: JSONLimits(bytes: rest.count, items: rest.count)) else { return (said, nil) }
        let indexed = (calls.arrayValue ?? []).enumerated().map { index, call in
            JSONValue.object(JSONObject([("index", .count(index))] + (call.objectValue?.members.map { ($0.key, $0.value) } ?? [])))
        }
        return (said, .array(indexed))
    }
}
