/// Lower-case hexadecimal.
public enum Hex {
    /// Two digits a byte.
    public static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: 2 * bytes.count) { out in
            var at = 0
            for byte in bytes {
                out[at] = digit(byte >> 4)
                out[at + 1] = digit(byte & 15)
                at += 2
            }
            return at
        }
    }

    /// Nil for an odd number of digits and for anything but 0–9 and a–f: capitals would give one value two texts.
    public static func decode(_ text: String) -> [UInt8]? {
        let digits = text.utf8
        guard digits.count.isMultiple(of: 2) else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(digits.count / 2)
        var high: UInt8?
        for digit in digits {
            guard let value = value(digit) else { return nil }
            if let top = high {
                out.append(top << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return out
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x57 + value }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }
}
