internal import AgentGatewayDomain
internal import Blobs
internal import Decisions
internal import EventLog
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Web

/// Answers that were given: what the log says of them, and their texts for who may read them.
struct InferenceRoutes: Sendable {
    let maker: DecisionMaker<GatewayState>
    let known: KnownAnswers
    let contents: InferenceContents
    let clock: @Sendable () -> Timestamp

    var routes: [Route] { [show, content, erase] }

    private var show: Route {
        Route(
            .get, "/v1/inferences/{inference}", operation: "showInference", summary: "What the log says of an answer.",
            access: .scope("inferences:read"), replies: [.json(200, "The answer's facts.", .any)], problems: [.notFound]
        ) { context in .json(try await find(context).json) }
    }

    private var content: Route {
        Route(
            .get, "/v1/inferences/{inference}/content", operation: "readInference",
            summary: "What was asked and answered; with the tools and the form of answer that the model was told of.",
            access: .scope("inferences:read"), replies: [.json(200, "Both texts.", .any)],
            problems: [.notFound, GatewayProblems.erased, GatewayProblems.unreadable]
        ) { [contents] context in
            let inference = try await find(context)
            let texts: (prompt: JSONValue, answer: String)
            do { texts = try await contents.content(of: inference) } catch { throw Self.refusal(error, inference.inference) }
            return .json(Self.content(texts.prompt, answer: texts.answer))
        }
    }

    /// What was kept of a request, as the request had it.
    private static func content(_ prompt: JSONValue, answer: String) -> JSONValue {
        guard let messages = prompt["messages"] else { return ["prompt": prompt, "answer": .string(answer)] }
        return .members([
            "prompt": messages, "tools": prompt["tools"], "response_format": prompt["response_format"], "answer": .string(answer),
        ])
    }

    /// Why texts cannot be had, as far as that is for ever.
    private static func refusal(_ error: any Error, _ inference: String) -> any Error {
        switch error {
        case BlobError.erased, BlobError.notFound, BlobError.noKey:
            Problem(GatewayProblems.erased, "the texts of \(inference) were erased")
        case BlobError.tooLarge, BlobError.damaged, is JSONError:
            Problem(GatewayProblems.unreadable, "the texts of \(inference) cannot be read: \(error)")
        default: error
        }
    }

    private var erase: Route {
        Route(
            .delete, "/v1/principals/{principal}/texts", operation: "eraseTexts",
            summary: "Destroys the keys of a principal's texts and files: nobody reads them again. The log and its money stay as they are.",
            access: .scope("keys:write"), idempotency: .required, replies: [.json(200, "A receipt for each key.", .any)],
            problems: GatewayProblems.all + DecisionError.problemTypes
        ) { [contents, maker, clock] context in
            let id = context.path["principal"]
            guard try context.caller.subject == id else { throw GatewayError.forbidden("only \(id) itself erases its texts") }
            // What was destroyed stays so whatever comes next, and a repeat finds the same receipts.
            let receipts = try await contents.erase(id, at: clock())
            _ = try await context.decide(maker, PrincipalRules.erase(id, keys: receipts.map(\.keyFingerprint)))
            return .json(["receipts": .array(receipts.map(\.json))])
        }
    }

    /// The answer, for who asked, who paid, and services that may read all.
    private func find(_ context: RequestContext) async throws -> InferenceCompleted {
        let id = context.path["inference"]
        let caller = try context.caller
        let found = try await known.find(id)
        guard let inference = found,
            inference.payer == caller.subject || inference.actor == caller.subject || caller.has("inferences:content")
        else { throw GatewayError.notFound("inference \(id)") }
        return inference
    }
}
