/// What the split patterns of tokenizers ask of a character.
enum CharacterClass: UInt8, Sendable {
    /// `\p{L}`.
    case letter
    /// `\p{N}`.
    case number
    /// `\s`: White_Space of the Unicode character database.
    case space
    /// None of these.
    case other

    /// Classes of the basic plane, which holds nearly all text, looked up once.
    private static let table: [CharacterClass] = (0..<0x10000).map { value in
        UInt32(value) < 0x10000 ? Unicode.Scalar(UInt32(value)).map(classify) ?? .other : .other
    }

    static func of(_ value: UInt32) -> CharacterClass {
        if value < 0x10000 { return table[Int(value)] }
        return Unicode.Scalar(value).map(classify) ?? .other
    }

    private static func classify(_ scalar: Unicode.Scalar) -> CharacterClass {
        switch scalar.value {
        case 0x09...0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000...0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000: return .space
        default: break
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: return .other
        }
    }
}
