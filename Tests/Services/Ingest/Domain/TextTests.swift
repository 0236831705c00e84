import TestSupport
import Testing

@testable import IngestDomain

@Suite struct TextTests {
    @Test(arguments: [
        ("e\u{301}", "\u{e9}"), ("\u{1100}\u{1161}\u{11a8}", "\u{ac01}"), ("\u{ac00}\u{11a8}", "\u{ac01}"),
        ("\u{1d15e}", "\u{1d157}\u{1d165}"), ("\u{21e63}\u{307}", "\u{21e63}\u{307}"), ("plain", "plain"),
    ])
    func textIsComposed(from: String, to: String) {
        #expect(UnicodeText.nfc(Array(from.utf8)) == Array(to.utf8))
    }

    @Test func invalidBytesAreFoundWhereTheyStand() {
        #expect(UnicodeText.firstInvalid(Array("größe 漢字 🎈".utf8)) == nil)
        for (bytes, place) in [
            ([0x61, 0xff], 1), ([0xc0, 0x80], 0), ([0xed, 0xa0, 0x80], 0), ([0x61, 0xe2, 0x82], 1), ([0xf5, 0x80, 0x80, 0x80], 0),
            ([0x80], 0),
            ([0xf4, 0x90, 0x80, 0x80], 0),
        ] as [([UInt8], Int)] { #expect(UnicodeText.firstInvalid(bytes) == place) }
    }

    @Test func theScanAgreesWithSwiftOnRandomBytes() {
        var generator = Seed.generator()
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0..<8, using: &generator)).map { _ in
                [0x41, 0x80, 0xbf, 0xc2, 0xe0, 0xa0, 0xed, 0x9f, 0xf0, 0x90, 0xf4, 0x8f].randomElement(using: &generator) ?? UInt8(0)
            }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            #expect((UnicodeText.firstInvalid(bytes) == nil) == isValid, "\(bytes), seed \(generator.seed)")
        }
    }

    @Test(arguments: [
        ("en", "The patient should take the medicine twice a day with plenty of water."),
        ("de", "Der Patient soll das Medikament zweimal täglich mit viel Wasser einnehmen."),
        ("fr", "Le patient doit prendre le médicament deux fois par jour avec beaucoup d'eau."),
        ("ja", "患者はこの薬を一日二回、たっぷりの水で服用してください。"), ("und", "12 34 56 78"),
    ])
    func theLanguageIsRecognised(code: String, text: String) { #expect(LanguageGuess(Array(text.utf8)).code == code) }

    /// What is looked at of a long text ends with a character, wherever that stands.
    @Test(arguments: 0..<4)
    func theLanguageOfALongTextIsRecognised(shift: Int) {
        let start = String(repeating: "a", count: shift)
        let japanese = start + String(repeating: "患者はこの薬を一日二回、たっぷりの水で服用してください。", count: 600)
        let russian = start + String(repeating: "Пациент должен принимать лекарство два раза в день. ", count: 600)
        #expect(LanguageGuess(Array(japanese.utf8)).code == "ja" && LanguageGuess(Array(russian.utf8)).code == "ru")
    }

    @Test func wordsMarksAndSentencesAreCounted() {
        let profile = TextProfile(Array("Hello, world! It costs 3.50 today.".utf8))
        #expect(profile.words.count == 7)
        #expect(profile.marks == 4)
        #expect(profile.sentences == 2)
        #expect(TextProfile(Array("漢字かな。".utf8)).words.count == 4)
        #expect(TextProfile(Array("HELLO".utf8)).words == TextProfile(Array("hello".utf8)).words)
    }
}
