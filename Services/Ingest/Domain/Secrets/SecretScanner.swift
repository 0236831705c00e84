/// Finds secrets and personal data in text, in linear time: patterns of RE2, each match then checked by what only the
/// real thing fulfils (checksums, ranges, entropy).
public struct SecretScanner: Sendable {
    private static let most = 50

    private struct Rule: Sendable {
        let code: ReasonCode
        let pattern: String
        let isReal: @Sendable ([UInt8], Range<Int>) -> Bool

        init(_ code: ReasonCode, _ pattern: String, _ isReal: @escaping @Sendable ([UInt8], Range<Int>) -> Bool = { _, _ in true }) {
            self.code = code
            self.pattern = pattern
            self.isReal = isReal
        }
    }

    private let patterns: PatternSet?

    /// Compiles the patterns once; keep it.
    public init() { patterns = PatternSet(Self.rules.map(\.pattern)) }

    /// What is looked for, for the public rules: the class that a match is of, and the pattern (RE2). A match counts where it also fulfils
    /// what only the real thing does: a check digit, a range, entropy.
    static var published: [(code: ReasonCode, pattern: String)] { rules.map { ($0.code, $0.pattern) } }

    /// Whether the patterns compiled; they are fixed, and a test holds them to it.
    var isReady: Bool { patterns != nil }

    /// What stands in the text, in order of place; at most 50 of a kind.
    public func findings(in text: [UInt8]) -> [SecretFinding] {
        guard let patterns else { return [] }
        var found: [SecretFinding] = []
        for index in patterns.occurring(in: text) {
            let rule = Self.rules[index]
            found += patterns.places(of: index, in: text, atMost: Self.most) { rule.isReal(text, $0) }
                .map { SecretFinding(code: rule.code, range: $0) }
        }
        found += SeedPhrases.places(in: text, atMost: Self.most).map { SecretFinding(code: .seedPhrase, range: $0) }
        // The password of an address before its @ is no mail's name.
        let keys = found.filter { $0.code == .apiKey }.map(\.range)
        found.removeAll { finding in finding.code == .mail && keys.contains { $0.overlaps(finding.range) } }
        return found.sorted { ($0.range.lowerBound, $0.code.rawValue) < ($1.range.lowerBound, $1.code.rawValue) }
    }

    private static let rules: [Rule] = [
        // Keys that services issue: prefix and length are theirs alone.
        Rule(.apiKey, #"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"#) { text, place in !ends(text, place, "EXAMPLE") },
        Rule(.apiKey, #"\bgh[pousr]_[0-9A-Za-z]{36,}\b"#),
        Rule(.apiKey, #"\bgithub_pat_[0-9A-Za-z_]{60,}\b"#),
        Rule(.apiKey, #"\bglpat-[0-9A-Za-z_\-]{20,}\b"#),
        Rule(.apiKey, #"\bxox[abposr]-[0-9A-Za-z\-]{20,}\b"#),
        Rule(.apiKey, #"\b[rs]k_live_[0-9A-Za-z]{20,}\b"#),
        Rule(.apiKey, #"\bAIza[0-9A-Za-z_\-]{35}\b"#),
        Rule(.apiKey, #"\bsk-(?:proj-|ant-[a-z0-9]+-)?[0-9A-Za-z_\-]{32,}\b"#, varied(3500)),
        Rule(.apiKey, #"\bhf_[0-9A-Za-z]{30,}\b"#),
        Rule(.apiKey, #"\bnpm_[0-9A-Za-z]{36}\b"#),
        Rule(.apiKey, #"\bpypi-AgEIcHlwaS5vcmc[0-9A-Za-z_\-]{50,}\b"#),
        Rule(.apiKey, #"\bSG\.[0-9A-Za-z_\-]{22}\.[0-9A-Za-z_\-]{43}\b"#),
        Rule(.apiKey, #"\bolk_[0-9A-Za-z_\-]{43}\b"#),
        Rule(.apiKey, #"\beyJ[0-9A-Za-z_\-]{10,}\.eyJ[0-9A-Za-z_\-]{10,}\.[0-9A-Za-z_\-]{20,}\b"#),
        // A value that is called a secret and looks like chance.
        Rule(
            .apiKey,
            #"(?i)\b(?:api[_ \-]?key|secret[_ \-]?key|access[_ \-]?token|auth[_ \-]?token|client[_ \-]?secret|password|passwd)["']?\s{0,3}[:=]\s{0,3}["']?[0-9A-Za-z/+_\-]{16,}"#,
            variedValue(3300)),
        Rule(.apiKey, #"\b[a-z][a-z0-9+.\-]{1,15}://[^\s:/@]{1,64}:[^\s:/@]{3,64}@[0-9A-Za-z.\-]{3,100}"#),
        Rule(.privateKey, #"-----BEGIN (?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"#),
        // Wallets. 64 hexadecimal digits alone are as often a transaction's hash: a name for them must stand before.
        Rule(
            .walletKey,
            #"(?i)\b(?:priv(?:ate)?[_ \-]?key|secret[_ \-]?key|mnemonic key|wallet[_ \-]?key)\b[^\n0-9a-f]{0,24}(?:0x)?[0-9a-f]{64}\b"#),
        Rule(.walletKey, #"\b[5KL][1-9A-HJ-NP-Za-km-z]{50,51}\b"#) { text, place in
            Checksums.base58Check(Array(text[place])).map { $0.first == 0x80 } ?? false
        },
        Rule(.walletKey, #"\b[xyzt]prv[1-9A-HJ-NP-Za-km-z]{107}\b"#) { text, place in Checksums.base58Check(Array(text[place])) != nil },
        // People.
        Rule(.mail, #"(?i)\b[a-z0-9._%+\-]{1,64}@(?:[a-z0-9\-]{1,63}\.){1,4}[a-z]{2,24}\b"#, isReachableMail),
        Rule(.phone, #"(?:^|[^\w+.\-/])\+[1-9][0-9]{0,2}[ .\-]?(?:\([0-9]{1,4}\)[ .\-]?)?[0-9](?:[ .\-]?[0-9]){6,12}\b"#, isPrivatePhone),
        Rule(
            .phone, #"(?:^|[^\w+.\-/$])(?:1[ .\-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[.\-])[2-9][0-9]{2}[.\-][0-9]{4}\b"#, isPrivatePhone),
        Rule(
            .card, #"\b(?:[0-9]{13,16}|[0-9]{4}([ \-])[0-9]{4}[ \-][0-9]{4}[ \-][0-9]{1,4}|3[47][0-9]{2}[ \-][0-9]{6}[ \-][0-9]{5})\b"#,
            isCard),
        Rule(.bankAccount, #"\b[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?\b"#) { text, place in
            Checksums.iban(text[place].filter { $0 != 0x20 })
        },
        Rule(.nationalNumber, #"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"#, isSocialSecurityNumber),
    ]

    private static func varied(_ entropy: Int) -> @Sendable ([UInt8], Range<Int>) -> Bool {
        { text, place in Checksums.entropy(Array(text[place])) >= entropy }
    }

    private static func variedValue(_ entropy: Int) -> @Sendable ([UInt8], Range<Int>) -> Bool {
        { text, place in
            let value = text[place].reversed().prefix {
                $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "=") && $0 != 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'")
            }
            let hasDigit = value.contains { (0x30...0x39).contains($0) }
            return hasDigit && value.count >= 16 && Checksums.entropy(Array(value)) >= entropy
        }
    }

    /// Not the domains that RFC 2606 and RFC 6761 keep for examples.
    @Sendable private static func isReachableMail(_ text: [UInt8], _ place: Range<Int>) -> Bool {
        let domain = String(decoding: text[place].split(separator: UInt8(ascii: "@")).last ?? [], as: UTF8.self).lowercased()
        let reserved = ["example.com", "example.org", "example.net", "example", "test", "invalid", "localhost"]
        return !reserved.contains { domain == $0 || domain.hasSuffix("." + $0) }
    }

    /// Not a toll-free number, which is an office's, nor one that is kept for fiction (555-01xx).
    @Sendable private static func isPrivatePhone(_ text: [UInt8], _ place: Range<Int>) -> Bool {
        var digits = text[place].filter { (0x30...0x39).contains($0) }.map { $0 - 0x30 }
        if digits.count == 11, digits.first == 1 { digits.removeFirst() }
        guard digits.count == 10 else { return (8...15).contains(digits.count) }
        let area = digits[..<3].reduce(0) { $0 * 10 + Int($1) }
        if [800, 833, 844, 855, 866, 877, 888].contains(area) { return false }
        return !(digits[3..<6].elementsEqual([5, 5, 5]) && digits[6] == 0 && digits[7] == 1)
    }

    /// A length and a first part that card schemes issue, and a right check digit.
    @Sendable private static func isCard(_ text: [UInt8], _ place: Range<Int>) -> Bool {
        let digits = text[place].filter { (0x30...0x39).contains($0) }.map { $0 - 0x30 }
        guard Checksums.luhn(digits), Set(digits).count > 1 else { return false }
        let four = digits[..<4].reduce(0) { $0 * 10 + Int($1) }
        switch digits.count {
        case 13: return digits[0] == 4
        case 14: return (3000...3059).contains(four) || (3600...3699).contains(four) || (3800...3999).contains(four)
        case 15: return (3400...3499).contains(four) || (3700...3799).contains(four)
        case 16:
            return digits[0] == 4 || (5100...5599).contains(four) || (2221...2720).contains(four) || four == 6011
                || (6440...6599).contains(four) || (3528...3589).contains(four)
        default: return false
        }
    }

    /// A number that the United States may have given out: SSA's rules since 2011.
    @Sendable private static func isSocialSecurityNumber(_ text: [UInt8], _ place: Range<Int>) -> Bool {
        let parts = String(decoding: text[place], as: UTF8.self).split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3 else { return false }
        return parts[0] != 0 && parts[0] != 666 && parts[0] < 900 && parts[1] != 0 && parts[2] != 0 && parts != [78, 5, 1120]
    }

    @Sendable private static func ends(_ text: [UInt8], _ place: Range<Int>, _ ending: String) -> Bool {
        text[place].suffix(ending.utf8.count).elementsEqual(ending.utf8)
    }
}
