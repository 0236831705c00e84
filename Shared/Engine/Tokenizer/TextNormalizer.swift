@_spi(_Unicode) internal import Swift

/// What is done to text before it is cut.
struct TextNormalizer: Sendable, Hashable {
    /// One step, done to each piece between added tokens.
    enum Step: Sendable, Hashable {
        /// Unicode's composed form (UAX #15).
        case nfc
        /// A text before each piece that is not empty.
        case prepend([UInt8])
        /// One text for another, wherever it stands.
        case replace([UInt8], with: [UInt8])
    }

    let steps: [Step]

    func normalized(_ text: [UInt8]) -> [UInt8] {
        var text = text
        for step in steps {
            switch step {
            case .nfc: text = Self.composed(text)
            case .prepend(let prefix): if !text.isEmpty { text = prefix + text }
            case .replace(let old, let new): text = Self.replacing(text, old, new)
            }
        }
        return text
    }

    static func composed(_ text: [UInt8]) -> [UInt8] {
        // No character below U+0300 changes or combines: their bytes all lie below 0xcc.
        guard text.contains(where: { $0 >= 0xcc }) else { return text }
        // The standard library leaves the parts of these three Tibetan vowels, which have no class of their own, where they
        // stand, although they must be put in order with their neighbours: they are taken apart before.
        var scalars = String.UnicodeScalarView()
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            switch scalar.value {
            case 0x0f73: scalars.append(contentsOf: "\u{0f71}\u{0f72}".unicodeScalars)
            case 0x0f75: scalars.append(contentsOf: "\u{0f71}\u{0f74}".unicodeScalars)
            case 0x0f81: scalars.append(contentsOf: "\u{0f71}\u{0f80}".unicodeScalars)
            default: scalars.append(scalar)
            }
        }
        var out: [UInt8] = []
        out.reserveCapacity(text.count)
        for scalar in String(scalars)._nfc { out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter) }
        return out
    }

    private static func replacing(_ text: [UInt8], _ old: [UInt8], _ new: [UInt8]) -> [UInt8] {
        guard let first = old.first else { return text }
        var out: [UInt8] = []
        out.reserveCapacity(text.count * 2)
        var at = 0
        while at < text.count {
            if text[at] == first, text[at...].starts(with: old) {
                out += new
                at += old.count
            } else {
                out.append(text[at])
                at += 1
            }
        }
        return out
    }
}
