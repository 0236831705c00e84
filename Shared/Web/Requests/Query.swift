/// The query of a request, decoded and checked against what the route declares.
public struct Query: Sendable {
    /// Most parameters of a query.
    static let maximumCount = 64

    private let values: [(name: String, value: String)]

    /// - Throws: `Problem` 400 that names every parameter at fault.
    init(_ raw: Substring?, declared: [QueryParameter]) throws(Problem) {
        var values: [(name: String, value: String)] = []
        var faults: [Problem.Fault] = []
        let parts = (raw ?? "").utf8.split(separator: UInt8(ascii: "&"), maxSplits: Self.maximumCount)
        guard parts.count <= Self.maximumCount else {
            throw Problem(.badQuery, "the query has more than \(Self.maximumCount) parameters")
        }
        for part in parts {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let name = try PercentEncoding.decode(part[..<equals], plusIsSpace: true) { Problem(.badQuery, "a name in the query \($0)") }
            let rawValue = equals == part.endIndex ? part[equals...] : part[part.index(after: equals)...]
            let value = try PercentEncoding.decode(rawValue, plusIsSpace: true) { why in
                Problem(.badQuery, "the query parameter \(name) \(why)", field: name)
            }
            guard let parameter = declared.first(where: { $0.name == name }) else {
                let known = declared.map(\.name).joined(separator: ", ")
                let hint = known.isEmpty ? "this route takes none" : "this route takes \(known)"
                faults.append(.init(field: name, detail: "is no query parameter here; \(hint)"))
                continue
            }
            if !parameter.isRepeated, values.contains(where: { $0.name == name }) {
                faults.append(.init(field: name, detail: "was given more than once"))
            } else if let fault = parameter.schema.fault(inText: value) {
                faults.append(.init(field: name, detail: fault))
            } else {
                values.append((name, value))
            }
        }
        for parameter in declared where parameter.isRequired && !values.contains(where: { $0.name == parameter.name }) {
            if !faults.contains(where: { $0.field == parameter.name }) { faults.append(.init(field: parameter.name, detail: "is missing")) }
        }
        if let first = faults.first {
            let all = faults.map { "\($0.field) \($0.detail)" }.joined(separator: "; ")
            throw Problem(.badQuery, all, field: first.field, errors: faults)
        }
        self.values = values
    }

    /// The value of a parameter, nil when it was not given.
    public func string(_ name: String) -> String? { values.first { $0.name == name }?.value }

    /// Every value of a repeated parameter, in order.
    public func strings(_ name: String) -> [String] { values.filter { $0.name == name }.map(\.value) }

    /// The value of a parameter declared as an integer, nil when it was not given.
    public func integer(_ name: String) -> Int? { string(name).flatMap { Int($0) } }

    /// The value of a parameter declared as a boolean, nil when it was not given.
    public func boolean(_ name: String) -> Bool? { string(name).map { $0 == "true" } }

    /// The parameters as given, for links to the next page.
    var all: [(name: String, value: String)] { values }
}
