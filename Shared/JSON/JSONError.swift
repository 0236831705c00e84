/// What is wrong with a JSON text, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong.
    public enum Kind: Sendable, Hashable {
        /// The text ends inside a value.
        case unexpectedEnd
        /// A byte that cannot stand there.
        case unexpectedByte
        /// Something follows the value.
        case trailingBytes
        /// A control character in a string, which must be escaped (RFC 8259 §7).
        case controlCharacter
        /// A backslash followed by something other than an escape.
        case badEscape
        /// Half of a surrogate pair (RFC 7493 §2.1).
        case loneSurrogate
        /// Bytes that are not UTF-8.
        case badUTF8
        /// Something like a number that is none (RFC 8259 §6).
        case badNumber
        /// A number beyond the doubles, or of more than 1,100 characters.
        case numberTooLarge
        /// Nested deeper than the limit.
        case tooDeep
        /// More bytes than the limit.
        case tooLong
        /// More values than the limit.
        case tooManyItems
        /// A key that the object already has (RFC 7493 §2.3).
        case duplicateKey
        /// The value is of another type than the one asked for.
        case wrongType(expected: String)
        /// An integer beyond ±(2^53 − 1): as a double, which RFC 8785 writes, it would silently change.
        case unsafeInteger
        /// A number with a fraction or exponent, where only integers may stand.
        case fraction
        /// Infinity or not-a-number, which JSON cannot write.
        case notFinite
        /// Not canonical: blanks between tokens.
        case whitespace
        /// Not canonical: keys out of order.
        case keyOrder
        /// Not canonical: an escape that is not needed, or not the shortest.
        case escapeForm
        /// Not canonical: a number that RFC 8785 writes otherwise.
        case numberForm
    }

    /// What is wrong.
    public let kind: Kind
    /// The place in the text, counted in bytes from 0; nil when a value was written, not read.
    public let offset: Int?
    /// The place in the document as a JSON Pointer (RFC 6901); empty for the root.
    public let pointer: String

    init(kind: Kind, offset: Int? = nil, pointer: String = "") {
        self.kind = kind
        self.offset = offset
        self.pointer = pointer
    }

    init(_ fault: JSONFault, in bytes: [UInt8]) {
        // The key at fault is worth naming too.
        let named = fault.kind == .duplicateKey || fault.kind == .keyOrder
        self.init(kind: fault.kind, offset: fault.offset, pointer: pointerTo(fault.offset, in: bytes, including: named))
    }

    /// The same error seen from the value that holds the one at fault.
    func inside(_ component: String) -> JSONError {
        JSONError(kind: kind, offset: offset, pointer: "/" + escapedForPointer(component) + pointer)
    }

    /// A sentence with the place.
    public var description: String {
        var text = kind.description
        if let offset { text += " at byte \(offset)" }
        if !pointer.isEmpty { text += " (\(pointer.count > 200 ? pointer.prefix(200) + "…" : pointer[...]))" }
        return text
    }
}

extension JSONError.Kind: CustomStringConvertible {
    /// What is wrong, without the place.
    public var description: String {
        switch self {
        case .unexpectedEnd: "the JSON text ends too early"
        case .unexpectedByte: "an unexpected byte in the JSON text"
        case .trailingBytes: "something follows the JSON value"
        case .controlCharacter: "an unescaped control character in a string"
        case .badEscape: "an invalid escape in a string"
        case .loneSurrogate: "half of a surrogate pair in a string"
        case .badUTF8: "bytes that are not UTF-8"
        case .badNumber: "an invalid number"
        case .numberTooLarge: "a number too large to read"
        case .tooDeep: "values nested too deep"
        case .tooLong: "the JSON text is too long"
        case .tooManyItems: "too many values in the JSON text"
        case .duplicateKey: "a key given twice"
        case .wrongType(let expected): "the value must be \(expected)"
        case .unsafeInteger: "an integer beyond 2^53 - 1: write it as a string"
        case .fraction: "a number with a fraction or exponent, where only integers are allowed"
        case .notFinite: "a number that is not finite"
        case .whitespace: "not canonical: blanks between tokens"
        case .keyOrder: "not canonical: a key out of order or given twice"
        case .escapeForm: "not canonical: an escape other than the shortest form"
        case .numberForm: "not canonical: a number in another form"
        }
    }
}

/// An error while scanning: the pointer is worked out only for those that leave the room.
struct JSONFault: Error {
    let kind: JSONError.Kind
    let offset: Int
}
