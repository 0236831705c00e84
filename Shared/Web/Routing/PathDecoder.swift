/// Turns the raw path of a request into decoded segments: the one place where percent-encoding in paths is undone.
///
/// Refused, since two readers of one path could disagree about it: what is no percent-encoding, control characters and NUL, bytes that
/// are not UTF-8, dot segments in any spelling. Text is decoded once: `%2541` is `%41`. The path is split at its raw slashes; a segment with
/// an encoded one fits only where a slash means nothing but itself, in `{name...}`: clients encode a name that has one there.
enum PathDecoder {
    /// Most segments of a path.
    static let maximumSegments = 64

    /// - Returns: the segments, none for `/`, those with an encoded slash decoded as they are; nil when a segment, or a part of one between
    ///   encoded slashes, is empty, which no route has.
    static func segments(of path: Substring) throws(Problem) -> [String]? {
        guard path.utf8.first == UInt8(ascii: "/") else { throw Problem(.badPath, "the path must begin with a slash") }
        let rest = path.utf8.dropFirst()
        if rest.isEmpty { return [] }
        var segments: [String] = []
        var isWhole = true
        for raw in rest.split(separator: UInt8(ascii: "/"), maxSplits: maximumSegments, omittingEmptySubsequences: false) {
            guard segments.count < maximumSegments else { throw Problem(.badPath, "the path has more than \(maximumSegments) segments") }
            let text = try PercentEncoding.decode(raw, plusIsSpace: false) { why in Problem(.badPath, "the path \(why)") }
            // Only an encoded slash parts a segment, and only what has a dot can be a dot segment.
            if !text.isEmpty, !text.utf8.contains(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") }) {
                segments.append(text)
                continue
            }
            for part in text.split(separator: "/", omittingEmptySubsequences: false) {
                guard part != ".", part != ".." else { throw Problem(.badPath, "the path has a dot segment") }
                if part.isEmpty { isWhole = false }
            }
            segments.append(text)
        }
        return isWhole ? segments : nil
    }
}
