/// Cuts what datanet sends into its lines as it comes. Of an image or a recording, whose bytes are of no use here and may be more than fit
/// into memory, only the beginning is kept.
struct ContentLines {
    /// A line.
    enum Line: Equatable {
        /// All of it.
        case whole([UInt8])
        /// An item whose content has no text: the line up to its content.
        case media([UInt8])
    }

    /// A line that is longer than lines of text are.
    struct TooLong: Error {}

    private let longest: Int
    private let glance: Int
    private var line: [UInt8] = []
    /// What of a media line is kept, while the rest of it goes by.
    private var head: [UInt8]?
    private var quotes = 0
    private var isLooked = false

    private static let content = Array(",\"content\":{\"media_type\":\"".utf8)
    private static let bytes = Array("\",\"base64\":\"".utf8)
    private static let end = Array("\"}}".utf8)

    /// - Parameters:
    ///   - longest: the most bytes of a line of text.
    ///   - glance: after so many bytes it is looked whether a line is media.
    init(longest: Int, glance: Int = 1 << 20) {
        self.longest = longest
        self.glance = glance
    }

    /// Whether nothing is left over.
    var isEmpty: Bool { line.isEmpty && head == nil }

    /// Takes the next bytes.
    mutating func add(_ piece: [UInt8], _ each: (Line) throws -> Void) throws {
        var start = piece.startIndex
        while let end = piece[start...].firstIndex(of: 0x0A) {
            try take(piece[start..<end])
            try each(try finish())
            start = end + 1
        }
        try take(piece[start...])
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) throws {
        if head != nil {
            quotes += bytes.count { $0 == 0x22 }
            line = Array((line + bytes.suffix(Self.end.count)).suffix(Self.end.count))
            return
        }
        line += bytes
        if line.count > glance, !isLooked {
            isLooked = true
            if let cut = Self.media(line) {
                head = Array(line[..<cut.content])
                quotes = line[cut.bytes...].count { $0 == 0x22 }
                line = Array(line.suffix(Self.end.count))
            }
        }
        guard line.count <= longest else { throw TooLong() }
    }

    private mutating func finish() throws -> Line {
        defer { (line, head, quotes, isLooked) = ([], nil, 0, false) }
        guard let head else { return .whole(line) }
        // Bytes in base64 have no quote: the one that ends them ends the line.
        guard quotes == 1, line == Self.end else { throw TooLong() }
        return .media(head + [UInt8(ascii: "}")])
    }

    /// Where the content of a media line begins, and its bytes; nil for other lines. Quotes in texts are escaped, so that none looks like it.
    private static func media(_ line: [UInt8]) -> (content: Int, bytes: Int)? {
        let start = line.prefix(1 << 16)
        guard let content = start.firstRange(of: content), let bytes = start[content.upperBound...].firstRange(of: bytes),
            !start[content.upperBound..<bytes.lowerBound].contains(0x22)
        else { return nil }
        return (content.lowerBound, bytes.upperBound)
    }
}
