internal import Crypto

/// The checks that tell a real number from one that only looks like it.
enum Checksums {
    /// ISO/IEC 7812-1, Annex B: the digits of a card number.
    static func luhn(_ digits: [UInt8]) -> Bool {
        var sum = 0
        for (place, digit) in digits.reversed().enumerated() {
            let value = Int(digit)
            sum += place % 2 == 0 ? value : value < 5 ? value * 2 : value * 2 - 9
        }
        return !digits.isEmpty && sum % 10 == 0
    }

    /// ISO 7064 MOD 97-10 as IBANs use it (ISO 13616).
    static func iban(_ text: [UInt8]) -> Bool {
        guard (15...34).contains(text.count) else { return false }
        var rest = 0
        for byte in text[4...] + text[..<4] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): rest = (rest * 10 + Int(byte) - 48) % 97
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): rest = (rest * 100 + Int(byte) - 55) % 97
            default: return false
            }
        }
        return rest == 1
    }

    /// Base58Check: the last four bytes are the start of the double SHA-256 of those before. Nil when they are not.
    static func base58Check(_ text: [UInt8]) -> [UInt8]? {
        guard text.count <= 120, let bytes = base58(text), bytes.count > 4 else { return nil }
        let body = Array(bytes.dropLast(4))
        let check = SHA256.hash(SHA256.hash(body).bytes).bytes.prefix(4)
        return Array(bytes.suffix(4)) == Array(check) ? body : nil
    }

    private static let alphabet: [UInt8: Int] = Dictionary(
        uniqueKeysWithValues: "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8.enumerated().map { ($0.element, $0.offset) }
    )

    private static func base58(_ text: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        for character in text {
            guard var carry = alphabet[character] else { return nil }
            for place in bytes.indices {
                carry += Int(bytes[place]) * 58
                bytes[place] = UInt8(carry & 0xff)
                carry >>= 8
            }
            while carry > 0 {
                bytes.append(UInt8(carry & 0xff))
                carry >>= 8
            }
        }
        let zeros = text.prefix { $0 == UInt8(ascii: "1") }.count
        return [UInt8](repeating: 0, count: zeros) + bytes.reversed()
    }

    /// Shannon entropy of the bytes in thousandths of a bit per byte, from a table of logarithms so that it is the same on
    /// every machine.
    static func entropy(_ bytes: [UInt8]) -> Int {
        guard bytes.count > 1, bytes.count <= 4096 else { return 0 }
        var counts = [Int](repeating: 0, count: 256)
        for byte in bytes { counts[Int(byte)] += 1 }
        var sum = 0
        for count in counts where count > 0 { sum += count * log2Thousandths(count) }
        return log2Thousandths(bytes.count) - sum / bytes.count
    }

    /// floor(1000 · log2(n)) to within one, by repeated squaring in integers.
    static func log2Thousandths(_ number: Int) -> Int {
        guard number > 1 else { return 0 }
        let whole = Int.bitWidth - 1 - number.leadingZeroBitCount
        // The mantissa in 1…2 with 30 fraction bits; squaring doubles the logarithm, each carry is one more bit of it.
        var mantissa = (UInt64(number) << 30) >> UInt64(whole)
        var fraction = 0
        for _ in 0..<14 {
            mantissa = (mantissa * mantissa) >> 30
            fraction <<= 1
            if mantissa >= 1 << 31 {
                fraction |= 1
                mantissa >>= 1
            }
        }
        return whole * 1000 + ((fraction * 1000) >> 14)
    }
}
