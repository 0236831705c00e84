public import HTTP
public import JSON

/// One page of a list: at most `limit` items, and a cursor when there are more.
///
///     query: Page.parameters(limit: 1...500)
///     …
///     let page = Page(context, default: 100)
///     let after = try page.cursor.map { try codec.decode($0) }
///     return page.response(items, next: codec.encode([last.id]))
public struct Page: Sendable {
    /// Most items to give.
    public let limit: Int
    /// Where to go on, as the caller sent it.
    public let cursor: String?
    private let path: String
    private let others: [(name: String, value: String)]

    /// The query parameters of a route that gives pages.
    public static func parameters(limit: ClosedRange<Int> = 1...500) -> [QueryParameter] {
        [
            QueryParameter("limit", .integer(limit), "Most items of a page."),
            QueryParameter("cursor", .text(1...CursorCodec.maximumLength), "Where to go on: `next` of the page before."),
        ]
    }

    /// The page that a request asks for.
    /// - Parameter count: items when the caller names no limit.
    public init(_ context: RequestContext, default count: Int = 100) {
        limit = context.query.integer("limit") ?? count
        cursor = context.query.string("cursor")
        path = String(context.request.path)
        others = context.query.all.filter { $0.name != "cursor" }
    }

    /// The page as JSON: `{"items": […], "next": "…"}`, and `Link: <…>; rel="next"` (RFC 8288) when there is more.
    public func response(_ items: [JSONValue], next: String?) -> Response {
        var object: JSONObject = ["items": .array(items)]
        var headers: Headers = [:]
        if let next {
            object["next"] = .string(next)
            let query = (others + [("cursor", next)]).map { "\(PercentEncoding.encode($0.0))=\(PercentEncoding.encode($0.1))" }
            headers.set("Link", "<\(path)?\(query.joined(separator: "&"))>; rel=\"next\"")
        }
        return .json(.object(object), headers: headers)
    }

    /// The schema of a page of such items.
    public static func schema(_ item: Schema, atMost maximum: Int = 500) -> Schema {
        .openObject(.required("items", .list(item, atMost: maximum)), .optional("next", .text, "The cursor of the next page."))
    }
}
