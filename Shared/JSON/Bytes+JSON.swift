extension [UInt8] {
    /// Appends the text in quotes with the escapes of RFC 8785 §3.2.2.2, which are the fewest that RFC 8259 allows.
    mutating func appendQuoted(_ text: String) {
        append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            var from = 0, at = 0
            while at < utf8.count {
                if at + 8 <= utf8.count, let base = utf8.baseAddress {
                    let stop = bytesToLookAt(UInt64(littleEndian: UnsafeRawPointer(base + at).loadUnaligned(as: UInt64.self)))
                    at += stop == 0 ? 8 : stop.trailingZeroBitCount >> 3
                    if stop == 0 { continue }
                }
                let byte = utf8[at]
                if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                    append(contentsOf: UnsafeBufferPointer(rebasing: utf8[from..<at]))
                    appendEscape(byte)
                    from = at + 1
                }
                at += 1
            }
            append(contentsOf: UnsafeBufferPointer(rebasing: utf8[from...]))
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func appendEscape(_ byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0a: append(UInt8(ascii: "n"))
        case 0x0c: append(UInt8(ascii: "f"))
        case 0x0d: append(UInt8(ascii: "r"))
        case 0..<0x20:
            append(contentsOf: "u00".utf8)
            append(0x30 + byte >> 4)
            append(byte & 15 < 10 ? 0x30 + byte & 15 : 0x57 + byte & 15)
        default: append(byte)
        }
    }

    /// Appends the integer in decimal.
    mutating func appendDecimal(_ number: Int64) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var start = 20, rest = number.magnitude
        repeat {
            start -= 1
            digits[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if number < 0 { append(UInt8(ascii: "-")) }
        for index in start..<20 { append(digits[index]) }
    }

    /// Appends the number in ECMAScript's form; `null` when it is not finite.
    mutating func appendNumber(_ number: Double) {
        guard number.isFinite else { return append(contentsOf: "null".utf8) }
        let text = NumberText(number)
        for index in 0..<text.count { append(text[index]) }
    }

    /// Appends the value, compact, members in their order.
    mutating func append(_ value: JSONValue) {
        switch value {
        case .null: append(contentsOf: "null".utf8)
        case .bool(let value): append(contentsOf: value ? "true".utf8 : "false".utf8)
        case .int(let number): appendDecimal(number)
        case .double(let number): appendNumber(number)
        case .string(let text): appendQuoted(text)
        case .array(let list):
            append(UInt8(ascii: "["))
            for index in list.indices {
                if index > 0 { append(UInt8(ascii: ",")) }
                append(list[index])
            }
            append(UInt8(ascii: "]"))
        case .object(let object):
            append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { append(UInt8(ascii: ",")) }
                appendQuoted(member.key)
                append(UInt8(ascii: ":"))
                append(member.value)
            }
            append(UInt8(ascii: "}"))
        }
    }

    /// Appends the value's RFC 8785 form.
    mutating func appendCanonical(_ value: JSONValue, allowFractions: Bool) throws(JSONError) {
        switch value {
        case .int(let number) where !isSafe(number) && !(allowFractions && survivesAsDouble(number)):
            throw JSONError(kind: .unsafeInteger)
        case .double where !allowFractions: throw JSONError(kind: .fraction)
        case .double(let number) where !number.isFinite: throw JSONError(kind: .notFinite)
        case .null, .bool, .int, .double, .string: append(value)
        case .array(let list):
            append(UInt8(ascii: "["))
            for index in list.indices {
                if index > 0 { append(UInt8(ascii: ",")) }
                do throws(JSONError) { try appendCanonical(list[index], allowFractions: allowFractions) } catch {
                    throw error.inside("\(index)")
                }
            }
            append(UInt8(ascii: "]"))
        case .object(let object):
            append(UInt8(ascii: "{"))
            for (index, member) in inCanonicalOrder(object.members).enumerated() {
                if index > 0 { append(UInt8(ascii: ",")) }
                appendQuoted(member.key)
                append(UInt8(ascii: ":"))
                do throws(JSONError) { try appendCanonical(member.value, allowFractions: allowFractions) } catch {
                    throw error.inside(member.key)
                }
            }
            append(UInt8(ascii: "}"))
        }
    }

    /// Appends the value over several lines, two blanks a level.
    mutating func appendPretty(_ value: JSONValue, indent: Int) {
        switch value {
        case .array(let list) where !list.isEmpty:
            append(UInt8(ascii: "["))
            for index in list.indices {
                appendLine(indent + 2, comma: index > 0)
                appendPretty(list[index], indent: indent + 2)
            }
            appendLine(indent, comma: false)
            append(UInt8(ascii: "]"))
        case .object(let object) where !object.isEmpty:
            append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                appendLine(indent + 2, comma: index > 0)
                appendQuoted(member.key)
                append(contentsOf: ": ".utf8)
                appendPretty(member.value, indent: indent + 2)
            }
            appendLine(indent, comma: false)
            append(UInt8(ascii: "}"))
        default: append(value)
        }
    }

    private mutating func appendLine(_ indent: Int, comma: Bool) {
        if comma { append(UInt8(ascii: ",")) }
        append(UInt8(ascii: "\n"))
        append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent))
    }
}

/// Whether every reader of JSON gets the integer as it is: ±(2^53 − 1), RFC 7493 §2.2.
@inline(__always)
func isSafe(_ number: Int64) -> Bool { number.magnitude < 1 << 53 }

/// Whether the integer, read as a double and written again, has the same digits: 10^17 has, 2^53 + 1 has not.
private func survivesAsDouble(_ number: Int64) -> Bool {
    var asInteger: [UInt8] = [], asDouble: [UInt8] = []
    asInteger.appendDecimal(number)
    asDouble.appendNumber(Double(number))
    return asInteger == asDouble
}
