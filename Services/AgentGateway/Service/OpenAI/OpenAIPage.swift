internal import Events
internal import HTTP
internal import JSON
internal import Web

/// Pages of lists as OpenAI has them: `after` the last id of the page before.
enum OpenAIPage {
    static let parameters = [
        QueryParameter("limit", .integer(1...10_000), "Most entries."),
        QueryParameter("after", .text(1...200), "The last id of the page before."),
        QueryParameter("order", .oneOf("asc", "desc"), "By time; newest first when left out."),
    ]

    /// A page of entries that are sorted newest first.
    static func response<Entry>(_ entries: [Entry], _ context: RequestContext, id: (Entry) -> String, view: (Entry) -> JSONValue)
        -> Response
    {
        let sorted = context.query.string("order") == "asc" ? entries.reversed() : entries
        var rest = sorted[...]
        if let after = context.query.string("after"), let index = sorted.firstIndex(where: { id($0) == after }) {
            rest = sorted[(index + 1)...]
        }
        let page = rest.prefix(context.query.integer("limit") ?? 20)
        return .json(
            .members([
                "object": "list", "data": .array(page.map(view)), "has_more": .bool(page.count < rest.count),
                "first_id": page.first.map { .string(id($0)) }, "last_id": page.last.map { .string(id($0)) },
            ]))
    }
}
