/// Header fields in order (RFC 9110 §5).
///
/// All fields share one buffer: for a received message that is the one copy of its head, so that a head with twenty fields
/// costs two allocations and a string is made only for what somebody reads.
public struct Headers: Sendable {
    /// Where a field's name and value lie in `bytes`.
    package struct Field: Sendable {
        let nameStart: UInt32, nameEnd: UInt32, valueStart: UInt32, valueEnd: UInt32

        package init(name: Range<Int>, value: Range<Int>) {
            nameStart = UInt32(name.lowerBound)
            nameEnd = UInt32(name.upperBound)
            valueStart = UInt32(value.lowerBound)
            valueEnd = UInt32(value.upperBound)
        }

        package var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        package var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    package private(set) var bytes: [UInt8]
    package private(set) var fields: [Field]

    /// Fields that lie in `bytes`, which are not copied.
    package init(bytes: [UInt8], fields: [Field]) {
        self.bytes = bytes
        self.fields = fields
    }

    /// Fields in the given order.
    public init(_ headers: [Header] = []) {
        bytes = []
        fields = []
        fields.reserveCapacity(headers.count)
        for header in headers { append(header.name, header.value) }
    }

    /// The number of fields; a name may occur more than once.
    public var count: Int { fields.count }

    /// The first value of that name, if there is one.
    public subscript(_ name: String) -> String? {
        for field in fields where isNamed(field, name) { return text(field.value) }
        return nil
    }

    /// Every value of that name, in order, not split at commas.
    public func all(_ name: String) -> [String] {
        var values: [String] = []
        for field in fields where isNamed(field, name) { values.append(text(field.value)) }
        return values
    }

    /// Adds a field behind the others.
    public mutating func append(_ name: String, _ value: String) {
        let start = bytes.count
        bytes.append(contentsOf: name.utf8)
        let middle = bytes.count
        bytes.append(contentsOf: value.utf8)
        fields.append(Field(name: start..<middle, value: middle..<bytes.count))
    }

    /// Replaces every field of that name by one.
    public mutating func set(_ name: String, _ value: String) {
        remove(name)
        append(name, value)
    }

    /// Drops every field of that name.
    public mutating func remove(_ name: String) {
        if fields.contains(where: { isNamed($0, name) }) { fields = fields.filter { !isNamed($0, name) } }
    }

    private func isNamed(_ field: Field, _ name: String) -> Bool {
        let wanted = name.utf8
        guard Int(field.nameEnd - field.nameStart) == wanted.count else { return false }
        var at = Int(field.nameStart)
        for byte in wanted {
            if Self.lower(bytes[at]) != Self.lower(byte) { return false }
            at += 1
        }
        return true
    }

    /// ASCII only, as field names are: a locale has no say here.
    private static func lower(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 32 : byte }

    fileprivate func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

extension Headers: Sequence {
    /// Walks the fields in order.
    public struct Iterator: IteratorProtocol {
        private let headers: Headers
        private var index = 0

        fileprivate init(_ headers: Headers) { self.headers = headers }

        /// The next field.
        public mutating func next() -> Header? {
            guard index < headers.fields.count else { return nil }
            let field = headers.fields[index]
            index += 1
            return Header(headers.text(field.name), headers.text(field.value))
        }
    }

    /// The fields from the first on.
    public func makeIterator() -> Iterator { Iterator(self) }
}

extension Headers: ExpressibleByDictionaryLiteral {
    /// `["Content-Type": "text/plain"]`, in that order; a name may be given twice.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements.map { Header($0.0, $0.1) })
    }
}

extension Headers: Equatable {
    /// The same fields in the same order, names spelled alike.
    public static func == (left: Headers, right: Headers) -> Bool { left.elementsEqual(right) }
}
