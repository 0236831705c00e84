internal import Events
internal import HTTP
internal import JSON
internal import Web

/// OpenAI's embeddings, by published models whose base a backend embeds with.
struct EmbeddingRoutes: Sendable {
    let chat: ChatRoutes

    var routes: [Route] { [embed] }

    private var embed: Route {
        Route(
            .post, "/v1/embeddings", operation: "createEmbedding", summary: "Embeds texts, by a model that a backend has for that.",
            access: .scope("inferences:write"), headers: ChatRoutes.naming,
            body: .json(.openObject(.required("model", .text), .required("input", .any)), limit: 4 << 20),
            replies: [.json(200, "The embeddings.", .any)], problems: ChatRoutes.problems, deadline: ChatRoutes.deadline,
            errors: .openAI
        ) { [chat] context in
            let request = try context.decode { try ChatRequest(embedding: $0) }
            let options = try context.decode { try Self.options($0) }
            return try await chat.desk.embed(
                request, as: try chat.name(context), input: context.json["input"] ?? .null, options: options,
                chat.order(request, context))
        }
    }

    private static func options(_ json: JSONValue) throws -> [(String, JSONValue)] {
        let fields = try json.object()
        var options: [(String, JSONValue)] = []
        if let format = try fields.optionalString("encoding_format") {
            guard ["float", "base64"].contains(format) else { throw try fields.field("encoding_format").error("must be float or base64") }
            options.append(("encoding_format", .string(format)))
        }
        if let dimensions = try fields.optionalInt("dimensions", in: 1...65_536) { options.append(("dimensions", .int(Int64(dimensions)))) }
        return options
    }
}
