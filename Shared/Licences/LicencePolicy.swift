/// What licences a Datanet takes.
public struct LicencePolicy: Sendable, Hashable {
    /// Identifiers that are taken; empty when every licence of the list is that lets others train on the data and use it
    /// in commerce.
    public let accepted: Set<String>

    /// From the expressions of the Datanet's policy: every licence that they name is taken.
    public init(_ expressions: [String]) {
        var accepted: Set<String> = []
        for text in expressions {
            // The Datanet checks its own policy; what cannot be read takes nothing.
            guard let expression = try? LicenceExpression(text) else { continue }
            Self.collect(expression, &accepted)
        }
        self.accepted = accepted
        isOpen = expressions.isEmpty
    }

    private let isOpen: Bool

    /// Whether data under such an expression is taken.
    public func takes(_ expression: LicenceExpression) -> Bool {
        expression.isSatisfied { isOpen ? Self.isFree($0) : accepted.contains($0) }
    }

    /// Not those that forbid commerce or derived works, not software's "no licence", and not those that nobody knows.
    private static func isFree(_ id: String) -> Bool {
        !id.hasPrefix("LicenseRef-") && !id.split(separator: "-").contains { $0 == "NC" || $0 == "ND" } && !id.hasPrefix("BUSL")
            && !id.hasPrefix("PolyForm")
    }

    private static func collect(_ expression: LicenceExpression, _ into: inout Set<String>) {
        switch expression {
        case .licence(let id, _): into.insert(id)
        // Without the exception it is another licence.
        case .with(.licence(let id, _), let exception): into.insert("\(id) WITH \(exception)")
        case .with(let licence, _): collect(licence, &into)
        case .and(let a, let b), .or(let a, let b):
            collect(a, &into)
            collect(b, &into)
        }
    }
}
