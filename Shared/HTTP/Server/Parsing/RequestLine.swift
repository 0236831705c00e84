internal import HTTP

/// The first line of a request (RFC 9112 §3), checked.
struct RequestLine: Sendable {
    let method: String
    /// Where path and query lie.
    let target: Range<Int>
    /// Where an absolute form's authority lies.
    let authority: Range<Int>?
    let minorVersion: Int

    /// An absolute form may have no path; then it is "/" (RFC 9112 §3.2.1).
    func targetText(_ bytes: borrowing Span<UInt8>) -> String {
        let text = bytes.string(target)
        if let first = text.utf8.first, first != Chars.questionMark { return text }
        return "/" + text
    }

    private static let longestMethod = 16

    init(_ bytes: borrowing Span<UInt8>, _ line: Range<Int>) throws(HTTPError) {
        let end = line.upperBound
        var index = line.lowerBound
        while index < end, Chars.isToken(bytes[index]) { index += 1 }
        let method = line.lowerBound..<index
        guard !method.isEmpty, method.count <= Self.longestMethod, index < end, bytes[index] == Chars.space else {
            throw HTTPError(400, "method")
        }
        index += 1
        let start = index
        while index < end, Chars.isTarget(bytes[index]) {
            if bytes[index] == Chars.percent, !bytes.isEscape(at: index, before: end) { throw HTTPError(400, "percent sign in target") }
            index += 1
        }
        guard index > start else { throw HTTPError(400, "target") }
        guard index < end, bytes[index] == Chars.space else { throw HTTPError(400, "character in target") }
        let target = start..<index
        minorVersion = try Self.version(bytes, index + 1..<end)
        self.method = bytes.string(method)
        switch self.method {
        case "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS": break
        default: throw HTTPError(501, "method")
        }
        (self.target, authority) = try Self.form(bytes, target, isOptions: self.method == "OPTIONS")
    }

    /// "HTTP/1.0" or "HTTP/1.1", in capitals.
    private static func version(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) throws(HTTPError) -> Int {
        let start = range.lowerBound
        guard range.count == 8, bytes[start] == 72, bytes[start + 1] == 84, bytes[start + 2] == 84, bytes[start + 3] == 80,
            bytes[start + 4] == Chars.slash, Chars.isDigit(bytes[start + 5]), bytes[start + 6] == Chars.dot, Chars.isDigit(bytes[start + 7])
        else { throw HTTPError(400, "version") }
        guard bytes[start + 5] == 49, bytes[start + 7] <= 49 else { throw HTTPError(505, "version") }
        return Int(bytes[start + 7] - 48)
    }

    /// Origin form, asterisk form or absolute form; the authority form belongs to CONNECT, which is not served.
    private static func form(
        _ bytes: borrowing Span<UInt8>, _ target: Range<Int>, isOptions: Bool
    ) throws(HTTPError) -> (Range<Int>, authority: Range<Int>?) {
        let start = target.lowerBound, end = target.upperBound
        if bytes[start] == Chars.slash { return (target, nil) }
        if target.count == 1, bytes[start] == Chars.asterisk, isOptions { return (target, nil) }
        let scheme: Int
        if target.count > 7, bytes.isWord(start..<start + 7, "http://") {
            scheme = 7
        } else if target.count > 8, bytes.isWord(start..<start + 8, "https://") {
            scheme = 8
        } else {
            throw HTTPError(400, "target form")
        }
        var index = start + scheme
        while index < end, bytes[index] != Chars.slash, bytes[index] != Chars.questionMark { index += 1 }
        guard index > start + scheme else { throw HTTPError(400, "target without authority") }
        return (index..<end, start + scheme..<index)
    }
}
