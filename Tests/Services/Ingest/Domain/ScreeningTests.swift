import Foundation
import JSON
import Licences
import TestSupport
import Testing

@testable import IngestDomain

@Suite struct ScreeningTests {
    static let scanner = SecretScanner()

    private func inspect(_ text: String, licence: String? = "MIT", policy: ScreeningPolicy = ScreeningPolicy()) throws -> ItemInspection {
        try ItemInspection(
            ItemContent(text: text, licence: licence, file: "a.txt", row: 1), licence: nil, policy: policy, scanner: Self.scanner)
    }

    private static let good =
        "A lending protocol must check the price that its oracle reports, since a borrower who moves that price can take more than the collateral is worth."

    @Test func aGoodTextPassesWithAHighScore() throws {
        let item = try inspect(Self.good)
        #expect(item.reasons == [])
        #expect(item.language == "en" && item.licence == "MIT")
        #expect(item.quality.total > 900)
    }

    private static let faults: [(ReasonCode, String)] = [
        (.tooSmall, "Too short."), (.empty, "   \n  "), (.tooLarge, String(repeating: "one two three four five. ", count: 3000)),
        (.controlCharacters, "\(good)\u{0}"), (.mixedEncoding, "\(good) caf\u{fffd}"), (.mixedEncoding, "\(good) Ã©t Ã¨ Ã¼"),
        (.repetition, String(repeating: "buy this now ", count: 60)), (.repetition, "\(good)\(String(repeating: "=", count: 300))"),
        (.incoherent, "xkqj zvbq wqxz jjkq vxzq qzxj kqvw zxqj wvkq xjzq vqkx zqjw qxvk jzqx kwvq zjxq vkqz xwqj qvzk jxqz"),
        (.boilerplate, "\(good) We use cookies. See our privacy policy. All rights reserved. Subscribe to our newsletter."),
        (.mail, "\(good) Ask jane.doe@mailbox.org."), (.unknownLanguage, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"),
    ]

    @Test(arguments: faults)
    func whatIsWrongIsNamed(code: ReasonCode, text: String) throws { #expect(try inspect(text).reasons.contains(code)) }

    /// Runs of 2 to 8 words of one text, one a line: what is written to be found in answers, not to be read.
    @Test func aListOfRunsOfWordsIsRefusedAndTheTextItIsOfIsNot() throws {
        let words = (0..<60).flatMap { number in
            ["the", "price", "of", "asset\(spelled(number))", "moves", "when", "pool\(spelled(number))", "is", "low"]
        }
        let runs = (0..<90).flatMap { start in (2...8).map { words[start..<start + $0].joined(separator: " ") } }
        #expect(try inspect(runs.joined(separator: "\n")).reasons.contains(.incoherent))
        #expect(try !inspect(words.prefix(300).joined(separator: " ")).reasons.contains(.incoherent))
    }

    /// A number in letters, so that texts are of words.
    private func spelled(_ number: Int) -> String {
        String(number).map { String(UnicodeScalar(UInt8(ascii: "a") + UInt8($0.wholeNumberValue ?? 0))) }.joined()
    }

    private func row(prompt: String? = nil, completion: String? = nil, text: String? = nil, besides: [String: String] = [:]) throws
        -> ItemInspection
    {
        let content = ItemContent(
            prompt: prompt, completion: completion, text: text, title: besides["title"], source: besides["source"],
            author: besides["author"], licence: besides["licence"] ?? "MIT", file: "a.jsonl", row: 1)
        return try ItemInspection(content, licence: nil, policy: ScreeningPolicy(), scanner: Self.scanner)
    }

    /// Whatever is kept of a row has been looked through.
    @Test func nothingOfARowIsKeptUnseen() throws {
        let mail = "Ask jane.doe@mailbox.org about it."
        let both = try row(prompt: "What does a lending protocol check?", completion: Self.good, text: mail)
        #expect(both.reasons == [.mail])
        #expect(try row(prompt: mail, text: Self.good).reasons == [.mail], "half a pair beside a text")
        let large = String(repeating: "Words of another kind follow each other. ", count: 2_000)
        #expect(try row(prompt: "What?", completion: Self.good, text: large).reasons.contains(.tooLarge))
        for field in ["title", "source", "author"] {
            let found = try row(text: Self.good, besides: [field: mail])
            #expect(found.reasons == [.mail] && found.findings.map(\.field) == [field])
            #expect(try row(text: Self.good, besides: [field: String(large.prefix(5_000))]).reasons.contains(.tooLarge))
            #expect(try row(text: Self.good, besides: [field: "A plain word"]).reasons == [])
        }
        let halves = [try row(prompt: "What?").reasons, try row(completion: Self.good).reasons]
        #expect(halves.allSatisfy { $0.contains(.empty) })
    }

    /// The licence of an item stands on the public log: nothing else may come there by that way.
    @Test func whatIsNoLicenceStaysInTheRow() throws {
        let secret = "A sentence of the row, for its column was mapped wrongly"
        for text in [secret, "LicenseRef-\(secret.replacing(" ", with: "-").replacing(",", with: ""))"] {
            let policy = ScreeningPolicy(licences: LicencePolicy(["MIT"]))
            let item = try ItemInspection(
                ItemContent(text: Self.good, licence: text, file: "a", row: 1), licence: nil, policy: policy, scanner: Self.scanner)
            #expect(item.licence == "NOASSERTION" && item.reasons.count == 1)
        }
    }

    @Test func licencesAreCheckedAgainstTheDatanet() throws {
        let policy = ScreeningPolicy(licences: LicencePolicy(["CC-BY-4.0"]))
        #expect(try inspect(Self.good, licence: nil).reasons == [.noLicence])
        #expect(try inspect(Self.good, licence: "whatever").reasons == [.unknownLicence])
        #expect(try inspect(Self.good, licence: "MIT", policy: policy).reasons == [.licenceConflict])
        #expect(try inspect(Self.good, licence: "cc-by-4.0", policy: policy).licence == "CC-BY-4.0")
    }

    @Test func textIsCommittedToInNormalForm() throws {
        let item = try inspect("\(Self.good) e\u{301}")
        #expect(item.reasons == [.normalised])
        #expect(item.content.text?.utf8.count == Self.good.utf8.count + 3)
        #expect(try ItemContent(item.bytes) == item.content)
    }

    @Test func copiesAreRefusedAndVariantsJoinACluster() throws {
        var session = ScreeningSession()
        let long = (0..<40).map { "Sentence number \($0) tells something of its own about matter \($0 * 7)." }.joined(separator: " ")
        #expect(session.judge("1", try inspect(long)) == .init(isAccepted: true, reasons: [], cluster: "1"))
        #expect(session.judge("2", try inspect(long.uppercased())) == .init(isAccepted: false, reasons: [.exactDuplicate], cluster: "1"))
        let variant = long.replacing("matter 70", with: "matter seventy")
        #expect(session.judge("3", try inspect(variant)) == .init(isAccepted: true, reasons: [.nearDuplicate], cluster: "1"))
        #expect(!session.judge("4", try inspect(Self.good, licence: nil)).isAccepted)
        #expect(session.judge("5", try inspect(Self.good)).isAccepted, "what was refused has no copies")
    }

    @Test func theRulesArePublicAndWhole() throws {
        let document = ScreeningRules.document
        let codes = try #require(document["codes"]?.arrayValue).compactMap { $0["code"]?.stringValue }
        #expect(Set(codes) == Set(ReasonCode.allCases.map(\.rawValue)))
        let classes = Set((document["secrets"]?.arrayValue ?? []).compactMap { $0["code"]?.stringValue })
        #expect(classes == Set(codes.filter { $0.hasPrefix("secret.") || $0.hasPrefix("personal.") }))
        #expect(document["boilerplate"]?.arrayValue?.contains("we use cookies") == true)
        #expect(document["quality_formulas"]?.objectValue?.members.map(\.key).sorted() == QualityScore.weights.map(\.name).sorted())
        #expect(QualityScore.weights.reduce(0) { $0 + $1.weight } == 1000)
        #expect(try JSON.canonical(document, allowFractions: false).count > 1000)
    }

    /// Real rows, with things planted among them: what the rules find of what was planted, and what they refuse besides.
    @Test(.enabled(if: Corpus.folder != nil, "needs OPENLEDGER_TEST_DATANETS, a folder of real data sets"))
    func plantedThingsAreFoundAmongRealRowsAndLittleElse() throws {
        var generator = Seed.generator()
        var session = ScreeningSession()
        let plants: [(ReasonCode, String)] = [
            (.mail, " Contact karl.meier@firma.de for more."), (.apiKey, " key=ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
            (.card, " Charged to 5555 5555 5555 4444."),
            (.walletKey, " privkey 0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"),
            (.seedPhrase, " legal winner thank year wave sausage worth useful legal winner thank yellow"),
            (.phone, " Reach me at +44 20 7946 0958."),
        ]
        var planted: [ReasonCode: Int] = [:]
        var found: [ReasonCode: Int] = [:]
        var refused: [ReasonCode: Int] = [:]
        var examples: [String] = []
        var rows = 0
        for content in try Corpus.rows(limitPerFile: 500) {
            var content = content
            let plant = generator.chance(0.05) ? plants.randomElement(using: &generator) : nil
            if let plant {
                if content.isPair {
                    content.completion = (content.completion ?? "") + plant.1
                } else {
                    content.text = (content.text ?? "") + plant.1
                }
                planted[plant.0, default: 0] += 1
            }
            rows += 1
            let inspection = try ItemInspection(content, licence: nil, policy: ScreeningPolicy(), scanner: Self.scanner)
            let verdict = session.judge("\(rows)", inspection)
            if let plant {
                if verdict.reasons.contains(plant.0) { found[plant.0, default: 0] += 1 }
            } else if !verdict.isAccepted {
                for reason in verdict.reasons where reason.isRefusal { refused[reason, default: 0] += 1 }
                if examples.count < 12 { examples.append("\(verdict.reasons.map(\.rawValue)): \(inspection.content.screened.prefix(160))") }
            }
        }
        let all = planted.values.reduce(0, +)
        let hits = found.values.reduce(0, +)
        let secrets = Set(plants.map(\.0))
        let wrong = refused.filter { secrets.contains($0.key) }.values.reduce(0, +)
        print("planted \(all), found \(hits); of \(rows) rows refused besides: \(refused); seed \(generator.seed)")
        for example in examples { print("  ", example) }
        #expect(hits == all, "recall \(found) of \(planted)")
        #expect(wrong * 1000 <= rows * 5, "precision: \(wrong) of \(rows) rows were taken for secrets: \(refused)")
        #expect(refused.values.reduce(0, +) * 100 <= rows * 3, "real rows are refused: \(refused)")
    }
}

/// The real data sets, where they lie beside the repository.
enum Corpus {
    static var folder: String? {
        guard let folder = TestInput.datanets, FileManager.default.fileExists(atPath: folder) else { return nil }
        return folder
    }

    static func rows(limitPerFile: Int) throws -> [ItemContent] {
        guard let folder else { return [] }
        var all: [ItemContent] = []
        for name in ["healthcare-medquad", "defi-security", "finance-tatqa"] {
            let lines = try String(contentsOfFile: "\(folder)/\(name).jsonl", encoding: .utf8).split(separator: "\n").prefix(limitPerFile)
            for (row, line) in lines.enumerated() {
                let object = try JSON.parse(Array(line.utf8))
                all.append(ColumnMap.standard.content(file: name, row: row + 1) { object[$0]?.stringValue })
            }
        }
        return all
    }
}
