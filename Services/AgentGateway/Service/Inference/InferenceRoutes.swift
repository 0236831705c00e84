internal import AgentGatewayDomain
internal import Blobs
internal import Decisions
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import Web

/// Answers that were given: what the log says of them, and their texts for who may read them.
struct InferenceRoutes: Sendable {
    let maker: DecisionMaker<GatewayState>
    let contents: InferenceContents

    var routes: [Route] { [show, content] }

    private var show: Route {
        Route(
            .get, "/v1/inferences/{inference}", operation: "showInference", summary: "What the log says of an answer.",
            access: .scope("inferences:read"), replies: [.json(200, "The answer's facts.", .any)], problems: [.notFound]
        ) { context in .json(try await find(context).json) }
    }

    private var content: Route {
        Route(
            .get, "/v1/inferences/{inference}/content", operation: "readInference", summary: "What was asked and answered.",
            access: .authenticated, replies: [.json(200, "Both texts.", .any)], problems: [.notFound, GatewayProblems.erased]
        ) { [contents] context in
            let inference = try await find(context)
            let texts: (prompt: JSONValue, answer: String)
            do { texts = try await contents.content(of: inference) } catch let error as BlobError {
                switch error {
                case .erased, .notFound, .noKey: throw Problem(GatewayProblems.erased, "the texts of \(inference.inference) were erased")
                default: throw error
                }
            }
            return .json(["prompt": texts.prompt, "answer": .string(texts.answer)])
        }
    }

    /// The answer, for who asked, who paid, and services that may read all.
    private func find(_ context: RequestContext) async throws -> InferenceCompleted {
        let id = context.path["inference"]
        let caller = try context.caller
        let inference = try await maker.find { $0.inferences[id] }
        guard let inference,
            inference.payer == caller.subject || inference.actor == caller.subject || caller.has("inferences:content")
        else { throw GatewayError.notFound("inference \(id)") }
        return inference
    }
}
