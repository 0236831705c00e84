/// Strict JSON: reading (RFC 8259 with the rules of I-JSON, RFC 7493), writing, and the canonical form (RFC 8785).
public enum JSON {
    /// Reads one document. Refused are, besides what RFC 8259 refuses: invalid UTF-8, half surrogate pairs, keys given
    /// twice, numbers beyond the doubles, anything after the value, a byte-order mark, and what exceeds the limits.
    public static func parse(_ bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONError) -> JSONValue {
        try scanning(bytes, limits) { (scanner) throws(JSONFault) -> JSONValue in
            var parser = Parser(scanner, limits)
            parser.scanner.skipBlanks()
            let value = try parser.value(depth: limits.depth)
            parser.scanner.skipBlanks()
            try parser.scanner.expectEnd()
            return value
        }
    }

    /// Reads one document given as text.
    public static func parse(_ text: String, limits: JSONLimits = .standard) throws(JSONError) -> JSONValue {
        try parse(Array(text.utf8), limits: limits)
    }

    /// The value in compact form, members in their order. A number that is not finite becomes `null`, as in ECMAScript.
    public static func write(_ value: JSONValue) -> [UInt8] {
        var out: [UInt8] = []
        out.append(value)
        return out
    }

    /// The value over several lines, for people to read, members in their order.
    public static func pretty(_ value: JSONValue) -> [UInt8] {
        var out: [UInt8] = []
        out.appendPretty(value, indent: 0)
        return out
    }

    /// The value's RFC 8785 form: the bytes to hash and sign. Throws for integers that RFC 8785, which knows doubles only,
    /// would change, and for numbers that are not finite.
    /// - Parameter allowFractions: whether doubles, and integers beyond ±(2^53 − 1), may stand in it; events allow neither.
    public static func canonical(_ value: JSONValue, allowFractions: Bool = true) throws(JSONError) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(512)
        try out.appendCanonical(value, allowFractions: allowFractions)
        return out
    }

    /// Throws unless the bytes are exactly the RFC 8785 form of the value that they hold. One pass, nothing is built, and
    /// nothing allocated unless a key holds an escape or a number a fraction.
    /// - Parameter allowFractions: whether numbers other than integers up to ±(2^53 − 1) may stand in it.
    public static func checkCanonical(
        _ bytes: [UInt8], limits: JSONLimits = .standard, allowFractions: Bool = false
    ) throws(JSONError) {
        try scanning(bytes, limits) { (scanner) throws(JSONFault) in
            var check = CanonicalCheck(scanner, limits, allowFractions: allowFractions)
            try check.document(depth: limits.depth)
        }
    }

    /// The same for bytes that lie within others, which are not copied unless there is an error to be placed.
    public static func checkCanonical(
        _ bytes: Span<UInt8>, limits: JSONLimits = .standard, allowFractions: Bool = false
    ) throws(JSONError) {
        guard bytes.count <= limits.bytes else { throw JSONError(kind: .tooLong, offset: limits.bytes) }
        let fault = bytes.withUnsafeBufferPointer { buffer -> JSONFault? in
            var check = CanonicalCheck(Scanner(buffer), limits, allowFractions: allowFractions)
            do throws(JSONFault) { try check.document(depth: limits.depth) } catch { return error }
            return nil
        }
        if let fault { throw JSONError(fault, in: bytes.withUnsafeBufferPointer { Array($0) }) }
    }
}
