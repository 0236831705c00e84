internal import HTTP
internal import Web

/// A form with files, as browsers and OpenAI's clients send it (RFC 7578).
struct MultipartForm: Sendable {
    /// A field: its name, a file's name where it is one, and the bytes.
    struct Part: Sendable {
        let name: String
        let filename: String?
        let bytes: ArraySlice<UInt8>
    }

    let parts: [Part]

    /// Most fields of one form.
    private static let mostParts = 32

    /// - Throws: `Problem` 400 that says where the form is broken.
    init(_ bytes: [UInt8], type: String) throws(Problem) {
        guard let boundary = Self.parameter("boundary", in: type), (1...70).contains(boundary.utf8.count) else {
            throw Problem(
                .badHeader, "Content-Type must be multipart/form-data with a boundary of 1 to 70 characters", field: "Content-Type")
        }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter may stand at the very beginning (RFC 2046 §5.1.1).
        var rest = bytes[...]
        let opening = delimiter.dropFirst(2)
        if rest.starts(with: opening) { rest = rest.dropFirst(opening.count) } else { rest = try Self.skip(delimiter[...], rest) }
        var parts: [Part] = []
        while !rest.starts(with: "--".utf8) {
            guard rest.starts(with: "\r\n".utf8), parts.count < Self.mostParts else { throw Self.broken("a part has no beginning") }
            rest = rest.dropFirst(2)
            guard let end = Self.find(delimiter, in: rest) else { throw Self.broken("the last part has no end") }
            parts.append(try Self.part(rest[..<end]))
            rest = rest[(end + delimiter.count)...]
        }
        self.parts = parts
    }

    /// The text of a field.
    func text(_ name: String) -> String? {
        parts.first { $0.name == name && $0.filename == nil }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// The file of a field.
    func file(_ name: String) -> Part? { parts.first { $0.name == name && $0.filename != nil } }

    private static func part(_ bytes: ArraySlice<UInt8>) throws(Problem) -> Part {
        guard let gap = bytes.starts(with: "\r\n".utf8) ? bytes.startIndex - 2 : find(Array("\r\n\r\n".utf8), in: bytes) else {
            throw broken("a part has no head")
        }
        let head = String(decoding: bytes[..<max(gap, bytes.startIndex)], as: UTF8.self)
        let lines = head.split(separator: "\r\n").filter { $0.lowercased().hasPrefix("content-disposition:") }
        guard lines.count == 1, let disposition = lines.first.map(String.init), let name = parameter("name", in: disposition) else {
            throw broken("a part does not say its name")
        }
        return Part(name: name, filename: parameter("filename", in: disposition), bytes: bytes[(gap + 4)...])
    }

    /// A parameter of a header field, quoted or not.
    static func parameter(_ name: String, in field: String) -> String? {
        var rest = Substring(field)
        while let semicolon = rest.firstIndex(of: ";") {
            rest = rest[rest.index(after: semicolon)...].drop { $0 == " " || $0 == "\t" }
            guard let equals = rest.firstIndex(of: "=") else { return nil }
            let found = rest[..<equals].lowercased()
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest.removeFirst()
                while let next = rest.popFirst(), next != "\"" {
                    if next == "\\", rest.first == "\"" || rest.first == "\\", let escaped = rest.popFirst() {
                        value.append(escaped)
                    } else {
                        value.append(next)
                    }
                }
            } else {
                value = String(rest.prefix { $0 != ";" && $0 != " " && $0 != "\r\n" && $0 != "\r" })
            }
            if found == name { return value }
        }
        return nil
    }

    private static func skip(_ delimiter: ArraySlice<UInt8>, _ bytes: ArraySlice<UInt8>) throws(Problem) -> ArraySlice<UInt8> {
        guard let start = find(Array(delimiter), in: bytes) else { throw broken("its boundary is nowhere") }
        return bytes[(start + delimiter.count)...]
    }

    private static func find(_ needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = needle.first, bytes.count >= needle.count else { return nil }
        var start = bytes.startIndex
        let last = bytes.endIndex - needle.count
        while start <= last {
            guard let candidate = bytes[start...last].firstIndex(of: first) else { return nil }
            if bytes[candidate..<candidate + needle.count].elementsEqual(needle) { return candidate }
            start = candidate + 1
        }
        return nil
    }

    private static func broken(_ why: String) -> Problem { Problem(.badBody, "the form is broken: \(why)", field: "#") }
}
