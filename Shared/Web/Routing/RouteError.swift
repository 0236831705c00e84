/// A route table that makes no sense; seen when the application is put together, never while it serves.
public enum RouteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The pattern cannot be read.
    case badPattern(String, String)
    /// Two routes answer the same method and path.
    case twice(String)
    /// Two routes have one operation id.
    case operationTwice(String)
    /// A route cannot do what it says.
    case contradiction(String, String)

    /// Names the route.
    public var description: String {
        switch self {
        case .badPattern(let pattern, let why): "the path pattern \(pattern) \(why)"
        case .twice(let route): "\(route) is routed twice"
        case .operationTwice(let operation): "the operation id \(operation) is used twice"
        case .contradiction(let operation, let why): "the route \(operation) \(why)"
        }
    }
}
