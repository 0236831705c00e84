/// The values of a path's `{name}` parts, decoded.
public struct PathParameters: Sendable {
    private let names: [String]
    private let values: [String]

    init(names: [String], values: [String]) {
        self.names = names
        self.values = values
    }

    /// The value of a parameter that the route's pattern has. Of `{name...}` the segments, joined by slashes, be these raw
    /// or encoded in the path.
    /// Asking for one that the pattern lacks is an error in the program and stops it.
    public subscript(_ name: String) -> String {
        guard let index = names.firstIndex(of: name) else { preconditionFailure("the route's path has no {\(name)}") }
        return values[index]
    }

    /// Every name with its value.
    var all: Zip2Sequence<[String], [String]> { zip(names, values) }

    /// A whole number, written in decimal without sign and leading zeros, so that each has one path.
    /// - Throws: `Problem` 400.
    public func integer(_ name: String, in range: ClosedRange<Int> = 0...Int.max) throws(Problem) -> Int {
        let text = self[name]
        guard let value = Int(text), String(value) == text, range.contains(value) else {
            throw Problem(.badPath, "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)", field: name)
        }
        return value
    }
}
