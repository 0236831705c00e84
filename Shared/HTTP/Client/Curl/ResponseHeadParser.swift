internal import HTTP

/// The status and fields of an answer.
struct ResponseHead: Sendable {
    var status: Int
    var headers: Headers

    /// Whether the server ends the connection after this answer (RFC 9112 §9.6).
    var closesConnection: Bool {
        headers.all("Connection").contains { $0.lowercased().split(separator: ",").contains { $0.contains("close") } }
    }
}

/// Puts an answer's head together from the lines that libcurl hands on, interim answers and trailers among them.
struct ResponseHeadParser {
    /// The most bytes of head lines in one exchange, interim answers and trailers included.
    static let maximumBytes = 256 << 10

    private var status = 0
    private var bytes: [UInt8] = []
    private var fields: [Headers.Field] = []
    private(set) var isComplete = false
    private(set) var total = 0

    /// Takes a line with its line end; returns the head when the line ends the final answer's.
    mutating func take(_ line: UnsafeBufferPointer<UInt8>) throws(HTTPClientError) -> ResponseHead? {
        total += line.count
        guard total <= Self.maximumBytes else {
            throw .transport(code: 0, text: "the response's head is longer than \(Self.maximumBytes) bytes", sent: true)
        }
        if isComplete { return nil }
        var line = line[...]
        while let last = line.last, last == 0x0D || last == 0x0A { line.removeLast() }
        if line.isEmpty {
            guard status >= 200 else { return nil }
            isComplete = true
            return ResponseHead(status: status, headers: Headers(bytes: bytes, fields: fields))
        }
        if line.starts(with: "HTTP/".utf8) {
            try begin(line)
        } else if line.first == 0x20 || line.first == 0x09 {
            fold(Self.trimmed(line))
        } else if let colon = line.firstIndex(of: 0x3A) {
            append(name: line[..<colon], value: Self.trimmed(line[(colon + 1)...]))
        }
        return nil
    }

    private mutating func begin(_ line: Slice<UnsafeBufferPointer<UInt8>>) throws(HTTPClientError) {
        let digits = line.drop { $0 != 0x20 }.drop { $0 == 0x20 }.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            throw .transport(code: 0, text: "the response has no status", sent: true)
        }
        status = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
    }

    private mutating func append(name: Slice<UnsafeBufferPointer<UInt8>>, value: Slice<UnsafeBufferPointer<UInt8>>) {
        let start = bytes.count
        bytes.append(contentsOf: name)
        let middle = bytes.count
        bytes.append(contentsOf: value)
        fields.append(Headers.Field(name: start..<middle, value: middle..<bytes.count))
    }

    /// A line that goes on with the value before it, the obsolete way (RFC 9112 §5.2).
    private mutating func fold(_ text: Slice<UnsafeBufferPointer<UInt8>>) {
        guard let last = fields.popLast() else { return }
        bytes.append(0x20)
        bytes.append(contentsOf: text)
        fields.append(Headers.Field(name: last.name, value: last.value.lowerBound..<bytes.count))
    }

    private static func trimmed(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> Slice<UnsafeBufferPointer<UInt8>> {
        var text = text.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }
}
