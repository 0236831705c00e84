package import HTTP

/// Incremental decoder of one request body (RFC 9112 §6, §7.1). Pure: it is handed bytes and gives ranges of them.
///
/// Chunk extensions and trailers are checked, counted and dropped. White space in a chunk line, which the RFC calls bad,
/// is refused.
package struct BodyDecoder: Sendable {
    /// What was found.
    package enum Step: Equatable, Sendable {
        case data(Range<Int>)
        case more
        case end
    }

    private enum State {
        case length, done
        case size, sizeLineFeed, data, dataReturn, dataLineFeed
        case extensionStart, extensionName, extensionValueStart, extensionValue, quoted, escaped, quoteEnd
        case trailerStart, trailerName, trailerValue, trailerLineFeed, endLineFeed
    }

    private let limits: Limits
    private var state: State
    /// Bytes of this body or chunk that must still come.
    private var left = 0
    /// Hexadecimal digits of this chunk's size so far.
    private var digits = 0
    /// Bytes of all chunks so far.
    private var total = 0
    /// Bytes of extensions, and then of trailers, so far.
    private var dropped = 0
    /// The name of the trailer at hand, as far as it could be one that matters.
    private var trailerName: [UInt8] = []

    package init(_ framing: Framing, limits: Limits) {
        self.limits = limits
        switch framing {
        case .none:
            state = .done
        case .length(let length):
            state = length == 0 ? .done : .length
            left = length
        case .chunked:
            state = .size
        }
    }

    package var isDone: Bool { state == .done }

    /// Bytes that must still come, where that is known.
    package var remaining: Int? { state == .length ? left : nil }

    /// Reads on from `index`, which it moves.
    package mutating func next(_ bytes: borrowing Span<UInt8>, at index: inout Int) throws(HTTPError) -> Step {
        while state != .done {
            guard index < bytes.count else { return .more }
            if state == .length || state == .data {
                let range = index..<index + min(left, bytes.count - index)
                index = range.upperBound
                left -= range.count
                if left == 0 { state = state == .length ? .done : .dataReturn }
                return .data(range)
            }
            try take(bytes[index])
            index += 1
        }
        return .end
    }

    /// One byte of what surrounds the data.
    private mutating func take(_ byte: UInt8) throws(HTTPError) {
        switch state {
        case .size: try size(byte)
        case .sizeLineFeed:
            try expect(byte, Chars.lineFeed, "bare CR in chunk line")
            digits = 0
            state = left == 0 ? .trailerStart : .data
            if left == 0 { dropped = 0 }
        case .dataReturn:
            try expect(byte, Chars.carriageReturn, "chunk end")
            state = .dataLineFeed
        case .dataLineFeed:
            try expect(byte, Chars.lineFeed, "chunk end")
            state = .size
        case .extensionStart, .extensionName, .extensionValueStart, .extensionValue, .quoted, .escaped, .quoteEnd:
            try chunkExtension(byte)
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .endLineFeed:
            try trailer(byte)
        case .length, .data, .done: break
        }
    }

    private mutating func size(_ byte: UInt8) throws(HTTPError) {
        if let digit = Chars.hex(byte) {
            digits += 1
            // Fifteen digits cannot overflow an `Int`.
            guard digits <= 15 else { throw HTTPError(400, "chunk size") }
            left = left << 4 | Int(digit)
            return
        }
        guard digits > 0, byte == Chars.carriageReturn || byte == Chars.semicolon else { throw HTTPError(400, "chunk size") }
        guard left <= limits.body - total else { throw HTTPError(413, "body too long") }
        total += left
        state = byte == Chars.semicolon ? .extensionStart : .sizeLineFeed
    }

    /// `*( ";" token [ "=" ( token / quoted-string ) ] )` (RFC 9112 §7.1.1).
    private mutating func chunkExtension(_ byte: UInt8) throws(HTTPError) {
        try charge(limits.chunkExtensions)
        switch (state, byte) {
        case (.extensionName, Chars.carriageReturn), (.extensionValue, Chars.carriageReturn), (.quoteEnd, Chars.carriageReturn):
            state = .sizeLineFeed
        case (.extensionName, Chars.semicolon), (.extensionValue, Chars.semicolon), (.quoteEnd, Chars.semicolon):
            state = .extensionStart
        case (.extensionName, Chars.equals):
            state = .extensionValueStart
        case (.extensionValueStart, Chars.quote):
            state = .quoted
        case (.quoted, _), (.escaped, _):
            guard byte >= 32 && byte < 127 || byte == Chars.tab else { throw HTTPError(400, "chunk extension") }
            if state == .escaped {
                state = .quoted
            } else if byte == Chars.backslash {
                state = .escaped
            } else if byte == Chars.quote {
                state = .quoteEnd
            }
        default:
            guard state != .quoteEnd, Chars.isToken(byte) else { throw HTTPError(400, "chunk extension") }
            if state == .extensionStart { state = .extensionName } else if state == .extensionValueStart { state = .extensionValue }
        }
    }

    /// Field lines and the empty line behind them (RFC 9112 §7.1.2).
    private mutating func trailer(_ byte: UInt8) throws(HTTPError) {
        switch state {
        case .trailerStart where byte == Chars.carriageReturn:
            state = .endLineFeed
        case .trailerStart:
            guard Chars.isToken(byte) else { throw HTTPError(400, "trailer") }
            state = .trailerName
            trailerName = [byte]
            try charge(limits.trailerBytes)
        case .trailerName:
            guard byte == Chars.colon || Chars.isToken(byte) else { throw HTTPError(400, "trailer") }
            if byte == Chars.colon {
                guard !Self.isForbidden(trailerName) else { throw HTTPError(400, "framing or routing in a trailer") }
                state = .trailerValue
            } else if trailerName.count <= Self.longestForbidden {
                trailerName.append(byte)
            }
            try charge(limits.trailerBytes)
        case .trailerValue:
            guard byte == Chars.carriageReturn || Chars.isFieldValue(byte) else { throw HTTPError(400, "trailer") }
            if byte == Chars.carriageReturn { state = .trailerLineFeed }
            try charge(limits.trailerBytes)
        default:
            try expect(byte, Chars.lineFeed, "bare CR in trailer")
            state = state == .endLineFeed ? .done : .trailerStart
        }
    }

    private static let longestForbidden = 17

    /// Fields that would have to be known before the body (RFC 9110 §6.5.1): whoever merges trailers into the head would be
    /// misled by them.
    private static func isForbidden(_ name: [UInt8]) -> Bool {
        let bytes = name.span, all = 0..<name.count
        return bytes.isWord(all, "transfer-encoding") || bytes.isWord(all, "content-length") || bytes.isWord(all, "host")
    }

    private func expect(_ byte: UInt8, _ wanted: UInt8, _ reason: String) throws(HTTPError) {
        guard byte == wanted else { throw HTTPError(400, reason) }
    }

    private mutating func charge(_ limit: Int) throws(HTTPError) {
        dropped += 1
        if dropped > limit { throw HTTPError(431, "chunk extensions or trailers too long") }
    }
}
