/// Turns the raw path of a request into decoded segments: the one place where percent-encoding in paths is undone.
///
/// Refused, since two readers of one path could disagree about it: what is no percent-encoding, an encoded slash, control
/// characters and NUL, bytes that are not UTF-8, dot segments in any spelling. Text is decoded once: `%2541` is `%41`.
enum PathDecoder {
    /// Most segments of a path.
    static let maximumSegments = 64

    /// - Returns: the segments, none for `/`; nil when a segment is empty, which no route has.
    static func segments(of path: Substring) throws(Problem) -> [String]? {
        guard path.utf8.first == UInt8(ascii: "/") else { throw Problem(.badPath, "the path must begin with a slash") }
        let rest = path.utf8.dropFirst()
        if rest.isEmpty { return [] }
        var segments: [String] = []
        var isWhole = true
        for raw in rest.split(separator: UInt8(ascii: "/"), maxSplits: maximumSegments, omittingEmptySubsequences: false) {
            guard segments.count < maximumSegments else { throw Problem(.badPath, "the path has more than \(maximumSegments) segments") }
            let text = try PercentEncoding.decode(raw, plusIsSpace: false) { why in Problem(.badPath, "the path \(why)") }
            guard !text.utf8.contains(UInt8(ascii: "/")) else { throw Problem(.badPath, "the path has an encoded slash") }
            guard text != ".", text != ".." else { throw Problem(.badPath, "the path has a dot segment") }
            if text.isEmpty { isWhole = false }
            segments.append(text)
        }
        return isWhole ? segments : nil
    }
}
