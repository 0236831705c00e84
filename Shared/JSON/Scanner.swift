/// Reads tokens from bytes that somebody else keeps alive. Everything that reads JSON here stands on it, so there is one
/// set of rules.
struct Scanner {
    let bytes: UnsafeBufferPointer<UInt8>
    var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>, at: Int = 0) {
        self.bytes = bytes
        self.at = at
    }

    /// The next byte; 0, which begins no token, at the end.
    @inline(__always)
    var next: UInt8 { at < bytes.count ? bytes[at] : 0 }

    /// What to say about the byte at hand.
    var unexpected: JSONFault { fault(at < bytes.count ? .unexpectedByte : .unexpectedEnd) }

    func fault(_ kind: JSONError.Kind) -> JSONFault { JSONFault(kind: kind, offset: at) }

    @inline(__always)
    mutating func skipBlanks() {
        while at < bytes.count, bytes[at] <= 0x20 {
            switch bytes[at] {
            case 0x20, 0x0a, 0x0d, 0x09: at &+= 1
            default: return
            }
        }
    }

    /// Steps over the byte if it is next.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte, at < bytes.count else { return false }
        at &+= 1
        return true
    }

    @inline(__always)
    mutating func expect(_ byte: UInt8) throws(JSONFault) {
        if !take(byte) { throw unexpected }
    }

    mutating func expectWord(_ word: StaticString) throws(JSONFault) {
        for index in 0..<word.utf8CodeUnitCount {
            guard next == word.utf8Start[index] else { throw unexpected }
            at += 1
        }
    }

    mutating func expectEnd() throws(JSONFault) {
        if at < bytes.count { throw fault(.trailingBytes) }
    }

    /// Steps over a value that nobody asked for; it is checked but for duplicate keys.
    mutating func skipValue(depth: Int) throws(JSONFault) {
        skipBlanks()
        switch next {
        case UInt8(ascii: "\""): _ = try text()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth > 0 else { throw fault(.tooDeep) }
            let isObject = next == UInt8(ascii: "{")
            let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
            at += 1
            skipBlanks()
            if take(close) { return }
            while true {
                if isObject {
                    skipBlanks()
                    _ = try text()
                    skipBlanks()
                    try expect(UInt8(ascii: ":"))
                }
                try skipValue(depth: depth - 1)
                skipBlanks()
                if take(UInt8(ascii: ",")) { continue }
                return try expect(close)
            }
        case UInt8(ascii: "t"): try expectWord("true")
        case UInt8(ascii: "f"): try expectWord("false")
        case UInt8(ascii: "n"): try expectWord("null")
        default: _ = try number()
        }
    }
}

/// Runs a scan over the bytes and finds the place of what it threw.
func scanning<Result>(
    _ bytes: [UInt8], _ limits: JSONLimits, _ body: (inout Scanner) throws(JSONFault) -> Result
) throws(JSONError) -> Result {
    guard bytes.count <= limits.bytes else { throw JSONError(kind: .tooLong, offset: limits.bytes) }
    do throws(JSONFault) {
        return try bytes.withUnsafeBufferPointer { (buffer) throws(JSONFault) -> Result in
            var scanner = Scanner(buffer)
            return try body(&scanner)
        }
    } catch {
        throw JSONError(error, in: bytes)
    }
}
