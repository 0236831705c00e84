/// Finds the route of a method and path: a tree of segments, no regular expressions.
///
/// A literal segment wins over `{name}`, which wins over `{name...}`; when a choice leads nowhere the next one is tried. No path
/// has a slash at its end or an empty segment: such a one is not found, never redirected. HEAD is answered by GET's route. An encoded slash
/// is part of a value, which only `{name...}` takes; there it is the same as a raw one.
struct Router: Sendable {
    /// What a path leads to.
    enum Found {
        case route(index: Int, parameters: PathParameters)
        /// The path is there, the method is not.
        case otherMethods(allow: [String])
        case nothing
    }

    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        var parameter: Int?
        var rest: Int?
        /// The route of each method, by its index.
        var routes: [Method: Int] = [:]
    }

    private var nodes = [Node()]
    private let names: [[String]]
    /// The routes of patterns without parameters, by the path as it is written: most requests are one look-up.
    private let whole: [String: [Method: Int]]

    /// - Throws: when two routes take the same method and path, whatever their parameters are called.
    init(_ routes: [(method: Method, pattern: String)]) throws(RouteError) {
        var names: [[String]] = []
        var nodes = [Node()]
        var whole: [String: [Method: Int]] = [:]
        func child(_ at: Int, _ path: WritableKeyPath<Node, Int?>) -> Int {
            if let next = nodes[at][keyPath: path] { return next }
            nodes.append(Node())
            nodes[at][keyPath: path] = nodes.count - 1
            return nodes.count - 1
        }
        for (index, route) in routes.enumerated() {
            let pattern = try PathPattern(route.pattern)
            var at = 0
            for segment in pattern.segments {
                switch segment {
                case .literal(let text): at = child(at, \.literals[text])
                case .parameter: at = child(at, \.parameter)
                case .rest: at = child(at, \.rest)
                }
            }
            guard nodes[at].routes.updateValue(index, forKey: route.method) == nil else {
                throw .twice("\(route.method.rawValue) \(route.pattern)")
            }
            names.append(pattern.names)
            // A literal segment has nothing that could be encoded, and wins over all else.
            if pattern.names.isEmpty { whole[route.pattern, default: [:]][route.method] = index }
        }
        self.nodes = nodes
        self.names = names
        self.whole = whole
    }

    /// - Throws: a `Problem` when the path cannot be read.
    func find(method: String, path: Substring) throws(Problem) -> Found {
        let wanted = Method(rawValue: method == "HEAD" ? "GET" : method)
        if let wanted, let index = whole[String(path)]?[wanted] {
            return .route(index: index, parameters: PathParameters(names: [], values: []))
        }
        guard let segments = try PathDecoder.segments(of: path) else { return .nothing }
        var others: Set<Method> = []
        var values: [String] = []
        if let index = walk(0, segments[...], wanted, &values, &others) {
            return .route(index: index, parameters: PathParameters(names: names[index], values: values))
        }
        if others.isEmpty {
            // Said as what it is: whoever encodes a slash takes it for a part of a name.
            guard !segments.contains(where: Self.hasSlash) else { throw Problem(.badPath, "the path has an encoded slash") }
            return .nothing
        }
        var allow = others.map(\.rawValue)
        if others.contains(.get) { allow.append("HEAD") }
        return .otherMethods(allow: allow.sorted())
    }

    private func walk(
        _ at: Int, _ segments: ArraySlice<String>, _ wanted: Method?, _ values: inout [String], _ others: inout Set<Method>
    ) -> Int? {
        let node = nodes[at]
        guard let first = segments.first else { return leaf(node, wanted, &others) }
        if let next = node.literals[first], let found = walk(next, segments.dropFirst(), wanted, &values, &others) { return found }
        if let next = node.parameter, !Self.hasSlash(first) {
            values.append(first)
            if let found = walk(next, segments.dropFirst(), wanted, &values, &others) { return found }
            values.removeLast()
        }
        if let next = node.rest, let found = leaf(nodes[next], wanted, &others) {
            values.append(segments.joined(separator: "/"))
            return found
        }
        return nil
    }

    /// Whether it came with an encoded slash.
    private static func hasSlash(_ segment: String) -> Bool { segment.utf8.contains(UInt8(ascii: "/")) }

    private func leaf(_ node: Node, _ wanted: Method?, _ others: inout Set<Method>) -> Int? {
        if let wanted, let index = node.routes[wanted] { return index }
        others.formUnion(node.routes.keys)
        return nil
    }
}

/// The methods that routes have. HEAD comes with GET.
public enum Method: String, Sendable, Hashable, CaseIterable {
    /// Reads.
    case get = "GET"
    /// Does something, or makes something whose name the server chooses.
    case post = "POST"
    /// Puts something under a name that the caller chooses.
    case put = "PUT"
    /// Changes a part.
    case patch = "PATCH"
    /// Takes away.
    case delete = "DELETE"
}
