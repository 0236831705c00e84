extension Scanner {
    /// A string as it stands in the bytes, found to be sound.
    struct Text {
        /// What stands between the quotes.
        var range: Range<Int>
        /// Whether a backslash is among it.
        var isEscaped: Bool
    }

    /// Reads a string: escapes, surrogates and UTF-8 are checked, nothing is copied.
    mutating func text() throws(JSONFault) -> Text {
        try expect(UInt8(ascii: "\""))
        let start = at
        var seen: UInt64 = 0
        var isEscaped = false
        while true {
            skipPlain(&seen)
            guard at < bytes.count else { throw fault(.unexpectedEnd) }
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try skipEscape()
            } else if byte < 0x20 {
                throw fault(.controlCharacter)
            } else {
                seen |= UInt64(byte)
                at &+= 1
            }
        }
        let range = Range(uncheckedBounds: (start, at))
        // Text beyond ASCII is rare enough to be walked a second time.
        if seen & 0x8080_8080_8080_8080 != 0, let bad = firstInvalidUTF8(bytes, range) {
            throw JSONFault(kind: .badUTF8, offset: bad)
        }
        at &+= 1
        return Text(range: range, isEscaped: isEscaped)
    }

    /// Steps over whole words of bytes that are neither quote, backslash nor control character, and over the first few of
    /// the word that holds one.
    @inline(__always)
    private mutating func skipPlain(_ seen: inout UInt64) {
        guard let base = bytes.baseAddress else { return }
        while at &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self))
            let stop = bytesToLookAt(word)
            if stop == 0 {
                seen |= word
                at &+= 8
                continue
            }
            // Only the lowest mark is certain: a borrow can make false ones above it.
            let plain = stop.trailingZeroBitCount & ~7
            seen |= word & (1 &<< UInt64(plain) &- 1)
            at &+= plain >> 3
            return
        }
    }

    /// Steps over one escape, a surrogate pair being one.
    private mutating func skipEscape() throws(JSONFault) {
        guard at + 1 < bytes.count else { throw JSONFault(kind: .unexpectedEnd, offset: bytes.count) }
        switch bytes[at + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
        case UInt8(ascii: "u"):
            guard let unit = codeUnit(at + 2) else { throw fault(.badEscape) }
            switch unit {
            case 0xdc00...0xdfff: throw fault(.loneSurrogate)
            case 0xd800...0xdbff:
                guard at + 7 < bytes.count, bytes[at + 6] == UInt8(ascii: "\\"), bytes[at + 7] == UInt8(ascii: "u"),
                    let low = codeUnit(at + 8), low & 0xfc00 == 0xdc00
                else { throw fault(.loneSurrogate) }
                at += 12
            default: at += 6
            }
        default: throw fault(.badEscape)
        }
    }

    /// Four hexadecimal digits.
    private func codeUnit(_ start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for index in start..<start + 4 {
            let digit: UInt8
            switch bytes[index] {
            case 0x30...0x39: digit = bytes[index] - 0x30
            case 0x41...0x46: digit = bytes[index] - 0x37
            case 0x61...0x66: digit = bytes[index] - 0x57
            default: return nil
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }

    /// The text as a string.
    func string(_ text: Text) -> String {
        String(unsafeUninitializedCapacity: text.range.count) { out in
            guard text.isEscaped else {
                return out.update(fromContentsOf: UnsafeBufferPointer(rebasing: bytes[text.range]))
            }
            return unescape(text.range, into: out)
        }
    }

    /// Undoes the escapes of a text that `text()` accepted: never longer than it was.
    private func unescape(_ range: Range<Int>, into out: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var from = range.lowerBound, to = 0
        while from < range.upperBound {
            guard bytes[from] == UInt8(ascii: "\\"), from + 1 < range.upperBound else {
                out[to] = bytes[from]
                to += 1
                from += 1
                continue
            }
            let letter = bytes[from + 1]
            from += 2
            switch letter {
            case UInt8(ascii: "b"): out[to] = 0x08
            case UInt8(ascii: "f"): out[to] = 0x0c
            case UInt8(ascii: "n"): out[to] = 0x0a
            case UInt8(ascii: "r"): out[to] = 0x0d
            case UInt8(ascii: "t"): out[to] = 0x09
            case UInt8(ascii: "u"):
                var value = codeUnit(from) ?? 0xfffd
                from += 4
                if value & 0xfc00 == 0xd800 {
                    value = 0x10000 + (value & 0x3ff) << 10 + ((codeUnit(from + 2) ?? 0) & 0x3ff)
                    from += 6
                }
                for unit in UTF8.encode(Unicode.Scalar(value) ?? "\u{fffd}") ?? UTF8.encodedReplacementCharacter {
                    out[to] = unit
                    to += 1
                }
                continue
            default: out[to] = letter
            }
            to += 1
        }
        return to
    }
}

/// Marks the high bit of bytes that are a quote, a backslash or below 0x20. The lowest mark is exact.
@inline(__always)
func bytesToLookAt(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let quote = word ^ (ones &* 0x22), backslash = word ^ (ones &* 0x5c)
    return ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash | (word &- ones &* 0x20) & ~word) & (ones &* 0x80)
}

/// Where the bytes stop being UTF-8 (RFC 3629 §4: no overlong form, no surrogate, nothing beyond U+10FFFF).
func firstInvalidUTF8(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int? {
    var at = range.lowerBound
    while at < range.upperBound {
        let lead = bytes[at]
        if lead < 0x80 {
            at &+= 1
            continue
        }
        var second: ClosedRange<UInt8> = 0x80...0xbf
        let count: Int
        switch lead {
        case 0xc2...0xdf: count = 2
        case 0xe0: (count, second) = (3, 0xa0...0xbf)
        case 0xed: (count, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: count = 3
        case 0xf0: (count, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: count = 4
        case 0xf4: (count, second) = (4, 0x80...0x8f)
        default: return at
        }
        guard at + count <= range.upperBound, second.contains(bytes[at + 1]) else { return at }
        for index in at + 2..<max(at + 2, at + count) where bytes[index] & 0xc0 != 0x80 { return at }
        at += count
    }
    return nil
}
