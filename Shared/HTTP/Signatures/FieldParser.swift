internal import Crypto

/// Reads structured fields (RFC 8941 §4.2), strictly.
struct FieldParser {
    private let bytes: [UInt8]
    private let name: String
    private var place = 0

    init(_ text: String, _ name: String) {
        bytes = Array(text.utf8)
        self.name = name
    }

    var isAtEnd: Bool { place == bytes.count }

    mutating func skipBlanks() {
        while place < bytes.count, bytes[place] == 0x20 || bytes[place] == 0x09 { place += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard place < bytes.count, bytes[place] == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func run(_ fits: (UInt8) -> Bool) -> String {
        let start = place
        while place < bytes.count, fits(bytes[place]) { place += 1 }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private func fault(_ what: String) -> SignatureError { .malformed("\(name) \(what) at its byte \(place)") }

    private static func isLower(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isAlpha(_ byte: UInt8) -> Bool { isLower(byte | 0x20) }

    mutating func key() throws(SignatureError) -> String {
        guard place < bytes.count, Self.isLower(bytes[place]) || bytes[place] == UInt8(ascii: "*") else { throw fault("has no key") }
        return run { Self.isLower($0) || Self.isDigit($0) || "_-.*".utf8.contains($0) }
    }

    mutating func member() throws(SignatureError) -> FieldMember {
        guard take("(") else { return .item(try item()) }
        var items: [FieldItem] = []
        while true {
            while take(" ") {}
            if take(")") { return .list(items, try parameters()) }
            guard items.isEmpty || bytes[place - 1] == 0x20 else { throw fault("has no blank between the items of a list") }
            guard items.count < 64 else { throw fault("has a list of more than 64 items") }
            items.append(try item())
        }
    }

    mutating func item() throws(SignatureError) -> FieldItem { FieldItem(value: try bare(), parameters: try parameters()) }

    mutating func parameters() throws(SignatureError) -> FieldParameters {
        var found = FieldParameters()
        while take(";") {
            while take(" ") {}
            let name = try key()
            found.set(name, take("=") ? try bare() : .boolean(true))
        }
        return found
    }

    private mutating func bare() throws(SignatureError) -> BareItem {
        guard place < bytes.count else { throw fault("ends too early") }
        switch bytes[place] {
        case UInt8(ascii: "\""): return .string(try quoted())
        case UInt8(ascii: ":"):
            place += 1
            let text = run { Self.isAlpha($0) || Self.isDigit($0) || "+/=".utf8.contains($0) }
            guard take(":"), let decoded = Base64.decode(text) else { throw fault("has no whole byte sequence") }
            return .bytes(decoded)
        case UInt8(ascii: "?"):
            place += 1
            if take("1") { return .boolean(true) }
            guard take("0") else { throw fault("has no boolean") }
            return .boolean(false)
        case UInt8(ascii: "-"), 0x30...0x39:
            let sign: Int64 = take("-") ? -1 : 1
            let digits = run(Self.isDigit)
            guard !digits.isEmpty, digits.utf8.count <= 15, let number = Int64(digits), !take(".") else {
                throw fault("has no whole number")
            }
            return .integer(sign * number)
        case let byte where Self.isAlpha(byte) || byte == UInt8(ascii: "*"):
            return .token(run { Self.isAlpha($0) || Self.isDigit($0) || "!#$%&'*+-.^_`|~:/".utf8.contains($0) })
        default: throw fault("has a character that begins no value")
        }
    }

    private mutating func quoted() throws(SignatureError) -> String {
        place += 1
        var text: [UInt8] = []
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard place < bytes.count, bytes[place] == UInt8(ascii: "\"") || bytes[place] == UInt8(ascii: "\\") else {
                    throw fault("has a backslash before another character")
                }
                text.append(bytes[place])
                place += 1
            case 0x20...0x7e: text.append(byte)
            default: throw fault("has a character that no text has")
            }
        }
        throw fault("has a text without an end")
    }
}
