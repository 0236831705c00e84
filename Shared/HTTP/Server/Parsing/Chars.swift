/// Byte classes of RFC 9110, 9112 and 3986. Switches over constants: the compiler makes bit tests of them.
enum Chars {
    static let tab: UInt8 = 9
    static let lineFeed: UInt8 = 10
    static let carriageReturn: UInt8 = 13
    static let space: UInt8 = 32
    static let quote: UInt8 = 34
    static let percent: UInt8 = 37
    static let asterisk: UInt8 = 42
    static let comma: UInt8 = 44
    static let dot: UInt8 = 46
    static let slash: UInt8 = 47
    static let colon: UInt8 = 58
    static let semicolon: UInt8 = 59
    static let equals: UInt8 = 61
    static let questionMark: UInt8 = 63
    static let openBracket: UInt8 = 91
    static let backslash: UInt8 = 92
    static let closeBracket: UInt8 = 93

    /// tchar (RFC 9110 §5.6.2).
    @inline(__always) static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 33, 35...39, 42, 43, 45, 46, 94...96, 124, 126: true
        default: false
        }
    }

    /// What a reg-name may hold: unreserved, sub-delims and "%" (RFC 3986 §3.2.2).
    @inline(__always) static func isRegName(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 33, 36...46, 59, 61, 95, 126: true
        default: false
        }
    }

    /// What a path and a query may hold: pchar, "/" and "?" (RFC 3986 §3.3, §3.4).
    @inline(__always) static func isTarget(_ byte: UInt8) -> Bool {
        switch byte {
        case 63...90, 97...122, 33, 36...59, 61, 95, 126: true
        default: false
        }
    }

    /// A byte of a field value: visible, space, tab or obs-text (RFC 9110 §5.5).
    @inline(__always) static func isFieldValue(_ byte: UInt8) -> Bool { byte >= 32 && byte != 127 || byte == tab }

    @inline(__always) static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

    @inline(__always) static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    /// The value of a hexadecimal digit.
    @inline(__always) static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte &- 48
        case 65...70: byte &- 55
        case 97...102: byte &- 87
        default: nil
        }
    }

    @inline(__always) static func lower(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 32 : byte }
}

extension Span where Element == UInt8 {
    /// Whether these bytes are `word`, which is in lower case, in any case.
    func isWord(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        var index = range.lowerBound
        for byte in word.description.utf8 {
            if Chars.lower(self[index]) != byte { return false }
            index += 1
        }
        return true
    }

    /// The range without the white space at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound, end = range.upperBound
        while start < end, Chars.isBlank(self[start]) { start += 1 }
        while end > start, Chars.isBlank(self[end - 1]) { end -= 1 }
        return start..<end
    }

    /// Whether a "%" at `index` begins a whole escape that ends before `end`.
    func isEscape(at index: Int, before end: Int) -> Bool {
        index + 2 < end && Chars.hex(self[index + 1]) != nil && Chars.hex(self[index + 2]) != nil
    }

    func string(_ range: Range<Int>) -> String {
        unsafe extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    func array(_ range: Range<Int>) -> [UInt8] {
        unsafe extracting(range).withUnsafeBufferPointer { unsafe Array($0) }
    }
}
