public import Crypto
internal import Licences

/// What screening sees of one item by itself, without the others: can be made for many items at a time.
public struct ItemInspection: Sendable {
    /// The item in Normalization Form C.
    public let content: ItemContent
    /// Its canonical bytes, which are committed to.
    public let bytes: [UInt8]
    /// The licence in the list's spelling; `NOASSERTION` when it is none.
    public let licence: String
    /// BCP 47, `und` when unknown.
    public let language: String
    /// Words and punctuation marks.
    public let tokens: Int
    /// The score and its parts.
    public let quality: QualityScore
    /// What spoke, in the order of ``ReasonCode``.
    public let reasons: [ReasonCode]
    /// Secrets and personal data, by their place in ``ItemContent/screened`` or in the member that they name.
    public let findings: [SecretFinding]
    /// What exact duplicates share.
    public let fingerprint: Digest
    /// What near-duplicates share.
    public let shingles: Shingles
    /// By which they are found: ``Shingles/bands()``.
    public let bands: [UInt64]

    /// Looks at an item.
    /// - Parameters:
    ///   - licence: of the manifest, for rows without one.
    public init(_ raw: ItemContent, licence fallback: String?, policy: ScreeningPolicy, scanner: SecretScanner) throws {
        var reasons: Set<ReasonCode> = []
        let (content, changed) = raw.normalised()
        if changed { reasons.insert(.normalised) }
        let text = Array(content.screened.utf8)
        let profile = TextProfile(text)
        let guess = LanguageGuess(text)
        let shingles = Shingles(profile.words)
        reasons.formUnion(Self.shape(text, profile))
        if guess.code == "und" { reasons.insert(.unknownLanguage) }
        let (licence, problem) = Self.licence(content.licence ?? fallback, policy.licences)
        if let problem { reasons.insert(problem) }
        let findings = Self.findings(content, text, scanner)
        reasons.formUnion(findings.map(\.code))
        if content.besides.contains(where: { $0.text.utf8.count > ScreeningRules.mostBytesBeside }) { reasons.insert(.tooLarge) }
        reasons.formUnion(Self.sense(text, profile, shingles))
        let quality = QualityScore(profile, isPair: content.isPair, language: guess)
        if quality.total < policy.minimumQuality { reasons.insert(.lowQuality) }
        self.content = content
        bytes = try content.canonical()
        self.licence = licence
        language = guess.code
        tokens = profile.tokens
        self.quality = quality
        self.reasons = ReasonCode.allCases.filter { reasons.contains($0) }
        self.findings = findings
        fingerprint = ExactDuplicateIndex.fingerprint(text)
        self.shingles = shingles
        bands = shingles.bands()
    }

    /// What stands in the text and beside it. What is refused for its size is not looked through.
    private static func findings(_ content: ItemContent, _ text: [UInt8], _ scanner: SecretScanner) -> [SecretFinding] {
        var findings = text.count <= ScreeningRules.mostBytes ? scanner.findings(in: text) : []
        for (field, text) in content.besides where text.utf8.count <= ScreeningRules.mostBytesBeside {
            findings += scanner.findings(in: Array(text.utf8)).map { SecretFinding(code: $0.code, range: $0.range, field: field) }
        }
        return findings
    }

    /// Size and encoding.
    private static func shape(_ text: [UInt8], _ profile: TextProfile) -> Set<ReasonCode> {
        var reasons: Set<ReasonCode> = []
        if profile.blankBytes == text.count {
            reasons.insert(.empty)
        } else if text.count < ScreeningRules.leastBytes {
            reasons.insert(.tooSmall)
        }
        if text.count > ScreeningRules.mostBytes { reasons.insert(.tooLarge) }
        if profile.controls > 0 { reasons.insert(.controlCharacters) }
        if isMojibake(text) { reasons.insert(.mixedEncoding) }
        return reasons
    }

    /// U+FFFD, which stands where a byte could not be read, or three letters that are Latin-1 readings of UTF-8, as in
    /// "Ã©" for "é".
    private static func isMojibake(_ text: [UInt8]) -> Bool {
        var doubled = 0
        for index in text.indices.dropLast(3) where text[index] >= 0xc3 {
            if text[index] == 0xef, text[index + 1] == 0xbf, text[index + 2] == 0xbd { return true }
            if text[index] == 0xc3, text[index + 1] == 0x83 || text[index + 1] == 0x82, text[index + 2] == 0xc2 { doubled += 1 }
        }
        return doubled >= 3 || text.suffix(3).elementsEqual([0xef, 0xbf, 0xbd])
    }

    private static func licence(_ text: String?, _ policy: LicencePolicy) -> (String, ReasonCode?) {
        guard let text, !text.isEmpty else { return ("NOASSERTION", .noLicence) }
        // What is no licence may be anything, a column that was mapped wrongly among it: the verdict is public, and only says so.
        guard let expression = try? LicenceExpression(text) else { return ("NOASSERTION", .unknownLicence) }
        let isTaken = policy.takes(expression)
        let name = expression.description
        // References to licences are words of the contributor's own; they are repeated where the Datanet knows them.
        let isPlain = isTaken || !text.lowercased().contains("ref-")
        return (isPlain && name.utf8.count <= 200 ? name : "NOASSERTION", isTaken ? nil : .licenceConflict)
    }

    /// Which part of its runs of three words, in thousandths, a text has had before.
    private static func repeatedTriples(_ words: [UInt64]) -> Int {
        var seen: Set<UInt64> = []
        seen.reserveCapacity(words.count)
        var repeated = 0
        for start in 0..<words.count - 2 {
            let run = words[start..<start + 3].reduce(0) { (($0 ^ $1) &* 0x9e37_79b9_7f4a_7c15) ^ (($0 ^ $1) >> 29) }
            if !seen.insert(run).inserted { repeated += 1 }
        }
        return repeated * 1000 / (words.count - 2)
    }

    /// Which part of the lines with a blank in them, in thousandths, another line begins with; 0 where they are few.
    private static func beginnings(in text: [UInt8]) -> Int {
        var lines = text.split(separator: 0x0a).map { $0.drop { $0 <= 0x20 } }.filter { $0.contains(0x20) }
        guard lines.count >= ScreeningRules.linesForBeginnings else { return 0 }
        lines.sort { $0.lexicographicallyPrecedes($1) }
        return zip(lines, lines.dropFirst()).count { $1.starts(with: $0) } * 1000 / lines.count
    }

    /// Boilerplate, repetition, incoherence.
    private static func sense(_ text: [UInt8], _ profile: TextProfile, _ shingles: Shingles) -> Set<ReasonCode> {
        var reasons: Set<ReasonCode> = []
        let words = profile.words.count
        if Boilerplate.count(in: text) >= ScreeningRules.boilerplatePhrases { reasons.insert(.boilerplate) }
        if words >= ScreeningRules.wordsForRepetition {
            let runs = words - Shingles.width + 1
            let differentRuns = shingles.isSample ? 1000 : shingles.hashes.count * 1000 / runs
            // Beyond a thousand words the share of different ones falls in every text.
            let looked = profile.words.prefix(1000)
            let isPoor = Set(looked).count * 1000 / looked.count < ScreeningRules.leastDifferentWords
            if isPoor || differentRuns < ScreeningRules.leastDifferentRuns { reasons.insert(.repetition) }
        }
        if words >= ScreeningRules.wordsForTriples, repeatedTriples(profile.words) > ScreeningRules.mostRepeatedTriples {
            reasons.insert(.incoherent)
        }
        if profile.lines >= ScreeningRules.linesForBeginnings, beginnings(in: text) > ScreeningRules.mostBeginnings {
            reasons.insert(.incoherent)
        }
        if profile.lines >= 10, profile.repeatedLines * 1000 / profile.lines > ScreeningRules.mostRepeatedLines {
            reasons.insert(.repetition)
        }
        if profile.longestRun > ScreeningRules.longestRun { reasons.insert(.repetition) }
        if profile.pairs >= ScreeningRules.pairsForCoherence,
            profile.commonPairs * 1000 / profile.pairs < ScreeningRules.leastCommonPairs
        {
            reasons.insert(.incoherent)
        }
        return reasons
    }
}
