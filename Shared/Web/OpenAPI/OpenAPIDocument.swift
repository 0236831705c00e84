internal import JSON

/// The OpenAPI 3.1 document of a set of routes, made from the same values that the routes act on.
struct OpenAPIDocument {
    let name: String
    let version: String
    let groups: [(name: String, routes: [Route])]

    var bytes: [UInt8] { JSON.write(document) }

    private var document: JSONValue {
        var components = SchemaWriter()
        var paths = JSONObject()
        for group in groups {
            for route in group.routes {
                let path = route.pattern.replacing("...}", with: "}")
                var item = paths[path]?.objectValue ?? JSONObject()
                item[route.method.rawValue.lowercased()] = operation(route, group.name, &components)
                paths[path] = .object(item)
            }
        }
        return [
            "openapi": "3.1.0",
            "info": ["title": .string(name), "version": .string(version), "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"]],
            "servers": [["url": "/"]],
            "tags": .array(groups.filter { !$0.routes.isEmpty }.map { ["name": .string($0.name)] }),
            "paths": .object(paths),
            "components": ["schemas": .object(components.named), "securitySchemes": Self.securitySchemes],
        ]
    }

    private static let securitySchemes: JSONValue = [
        "token": ["type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token signed with Ed25519, or an API key."],
        "apiKey": ["type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key, olk_…"],
    ]

    private func operation(_ route: Route, _ tag: String, _ components: inout SchemaWriter) -> JSONValue {
        var object: JSONObject = [
            "operationId": .string(route.operation), "summary": .string(route.summary), "tags": [.string(tag)],
            "security": security(route.access),
        ]
        let parameters = parameters(route, &components)
        if !parameters.isEmpty { object["parameters"] = .array(parameters) }
        if let body = requestBody(route.body, &components) { object["requestBody"] = body }
        object["responses"] = responses(route, &components)
        if let deadline = route.deadline { object["x-deadline-seconds"] = .double(Double(deadline.components.seconds)) }
        return .object(object)
    }

    private func security(_ access: Access) -> JSONValue {
        // OpenAPI 3.1 lets scopes stand with any scheme (§4.8.30).
        let scopes = JSONValue.array(access.required.map { .string($0) })
        let schemes: [JSONValue] = [["token": scopes], ["apiKey": scopes]]
        switch access {
        case .public: return []
        case .authenticated, .scopes: return .array(schemes)
        case .scopesOrLoopback: return .array(schemes + [[:]])
        }
    }

    private func parameters(_ route: Route, _ components: inout SchemaWriter) -> [JSONValue] {
        let names = (try? PathPattern(route.pattern).names) ?? []
        var list: [JSONValue] = names.map { name in
            let schema = components.write(route.path[name] ?? .text(1...255))
            return ["name": .string(name), "in": "path", "required": true, "schema": schema]
        }
        for parameter in route.query {
            let schema = components.write(parameter.isRepeated ? .list(parameter.schema, atMost: Query.maximumCount) : parameter.schema)
            list.append([
                "name": .string(parameter.name), "in": "query", "required": .bool(parameter.isRequired),
                "description": .string(parameter.summary), "schema": schema,
            ])
        }
        switch route.idempotency {
        case .none: break
        case .required, .optional:
            var isRequired = false
            if case .required = route.idempotency { isRequired = true }
            list.append([
                "name": "Idempotency-Key", "in": "header", "required": .bool(isRequired),
                "description": "Names the command: the same key with the same body gets the first answer again.",
                "schema": ["type": "string", "minLength": 1, "maxLength": 512],
            ])
        }
        for header in route.headers {
            list.append([
                "name": .string(header.name), "in": "header", "required": false, "description": .string(header.summary),
                "schema": ["type": "string"],
            ])
        }
        return list
    }

    private func requestBody(_ rule: BodyRule, _ components: inout SchemaWriter) -> JSONValue? {
        var content = JSONObject()
        switch rule {
        case .none: return nil
        case .json(let schema, _, _), .rawJSON(let schema, _): content["application/json"] = ["schema": components.write(schema)]
        case .bytes(let types, _), .stream(let types, _): for type in types { content[type] = [:] }
        }
        return ["required": true, "content": .object(content)]
    }

    private func headers(_ reply: Reply) -> JSONValue {
        var headers = JSONObject()
        for header in reply.headers { headers[header.name] = ["description": .string(header.summary), "schema": ["type": "string"]] }
        return .object(headers)
    }

    private func responses(_ route: Route, _ components: inout SchemaWriter) -> JSONValue {
        var responses = JSONObject()
        for reply in route.replies {
            var response: JSONObject = ["description": .string(reply.summary)]
            if let type = reply.type {
                var media = JSONObject()
                if let schema = reply.schema { media["schema"] = components.write(schema) }
                response["content"] = [type: .object(media)]
            }
            if !reply.headers.isEmpty { response["headers"] = headers(reply) }
            responses[String(reply.status)] = .object(response)
        }
        for status in Set(route.allProblems.map(\.status)).sorted() {
            let problems = route.allProblems.filter { $0.status == status }
            let words = problems.map { "\($0.title) (\($0.code))." }.joined(separator: " ")
            let media: JSONValue = route.errors.type == "application/problem+json" ? ["schema": components.write(Problem.schema)] : [:]
            var response = responses[String(status)]?.objectValue ?? JSONObject()
            var content = response["content"]?.objectValue ?? JSONObject()
            content[route.errors.type] = content[route.errors.type] ?? media
            response["description"] = response["description"].flatMap(\.stringValue).map { .string("\($0) \(words)") } ?? .string(words)
            response["content"] = .object(content)
            responses[String(status)] = .object(response)
        }
        return .object(responses)
    }
}
