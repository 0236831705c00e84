public import AttributionDomain
import CorpusIndex
import Crypto
public import Foundation

/// Measures what attribution by spans promises, on a corpus: that spans are the true ones, that quotes are credited to whom they are of, and
/// what attacks earn with their defence off and on. Choices come from the seed, so that the table is the same every time.
public struct AttributionEvaluation {
    private let items: [EvaluationItem]
    private let unseen: [EvaluationItem]
    private var choices: Choices
    private let folder: URL
    private let refuses: @Sendable (WordSequence) -> Bool
    private let note: @Sendable (String) -> Void
    private var runs = 0

    /// Takes a corpus of at least 20 items of at least 60 words and three contributors. Every tenth item is held out: what answers say that
    /// nobody in the corpus wrote.
    ///
    /// - Parameters:
    ///   - folder: where indexes may be written; it is deleted afterwards.
    ///   - refuses: whether screening refuses a text as making no sense.
    ///   - note: hears how far it is.
    public init(
        items: [EvaluationItem], seed: UInt64 = 7, folder: URL, refuses: @escaping @Sendable (WordSequence) -> Bool,
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.refuses = refuses
        self.note = note
        self.items = items.enumerated().filter { $0.offset % 10 != 9 }.map(\.element)
        unseen = items.enumerated().filter { $0.offset % 10 == 9 }.map(\.element)
        choices = Choices(state: seed)
        self.folder = folder
    }

    /// Runs everything; minutes on a corpus of a few megabytes.
    public mutating func run() throws -> EvaluationTable {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var table = EvaluationTable()
        note("comparing with looking everywhere")
        let wrong = try spansThatDiffer()
        table.add("span results that differ from looking everywhere, of \(wrong.of)", Double(wrong.count), atMost: 0)
        let refused = items.count { refuses($0.text) }
        table.add("honest items that screening refuses as lists, of \(items.count)", Double(refused) / Double(items.count), atMost: 0.01)
        note("tracing stitched texts")
        table.add("span credit to the true source, stitched texts", try stitchedCredit(), atLeast: 0.99)
        try attacks(&table)
        return table
    }

    private mutating func directory() -> String {
        runs += 1
        return folder.appendingPathComponent("index-\(runs)").path
    }

    private mutating func trial(
        _ all: [EvaluationItem], owners: [String: String] = [:], parties: Parties = .alone, _ defences: AttributionTrial.Defences = .all
    ) throws -> AttributionTrial {
        note("a corpus of \(all.count) items")
        return try AttributionTrial(
            all, owners: owners, parties: parties, defences: defences, refuses: refuses, directory: directory())
    }

    private mutating func pick<Element>(_ list: [Element]) -> Element { list[Int.random(in: 0..<list.count, using: &choices)] }

    /// Some words in a row of an item.
    private mutating func quote(_ item: EvaluationItem, _ length: ClosedRange<Int>) -> [UInt8] {
        let wanted = min(item.text.count, Int.random(in: length, using: &choices))
        let start = Int.random(in: 0...item.text.count - wanted, using: &choices)
        return item.words(start..<start + wanted)
    }

    // MARK: Right

    private mutating func spansThatDiffer() throws -> (count: Int, of: Int) {
        var (wrong, total) = (0, 0)
        for vocabulary in [3, 30, 1000] {
            var texts: [[String]] = []
            for _ in 0..<12 { texts.append((0..<60).map { _ in "w\(Int.random(in: 0..<vocabulary, using: &choices))" }) }
            let built = texts.enumerated().map { CorpusItem(id: "i\($0)", text: Array($1.joined(separator: " ").utf8)) }
            let path = directory()
            try CorpusIndexBuilder(directory: path).build(root: SHA256.hash(utf8: "generated"), items: built)
            let index = try CorpusIndex(directory: path)
            for _ in 0..<20 {
                let words = Array(pick(texts).dropFirst(20).prefix(15)) + Array(pick(texts).prefix(15))
                let lengths = words.indices.map { start in
                    texts.reduce(0) { best, text in
                        text.indices.reduce(best) { best, place in
                            max(best, zip(words[start...], text[place...]).prefix { $0 == $1 }.count)
                        }
                    }
                }
                let found = index.matchLengths(try WordSequence(words.joined(separator: " ")))
                total += words.count
                wrong += zip(found, lengths).count { $0 != $1 } + abs(found.count - lengths.count)
            }
        }
        return (wrong, total)
    }

    /// Quotes of 12 to 40 words with words between that no item has: which part of the spans' credit goes to those who were quoted.
    private mutating func stitchedCredit() throws -> Double {
        let trial = try trial(items)
        var (right, all) = (0.0, 0.0)
        for number in 0..<60 {
            var text: [UInt8] = []
            var truth: [(end: Int, owner: String)] = []
            while truth.count < 12 {
                let item = pick(items)
                text += quote(item, 12...40)
                truth.append((text.count, item.contributor))
                text += Array(" qx\(number)z\(truth.count) ".utf8)
            }
            let result = try Attribution.compute(
                answer: try WordSequence(text), prompt: try WordSequence(""), index: trial.index, items: trial.items, policy: trial.policy)
            for span in result.evidence.spans ?? [] where span.documents > 0 {
                let discount = min(1, Double(trial.policy.boilerplateDocuments) / Double(span.documents))
                let credit = Double(span.paidTokens) * discount
                let owner = truth.first { span.byteEnd <= $0.end }?.owner
                all += credit
                if span.earners.contains(where: { $0.owner == owner }) { right += credit / Double(span.earners.count) }
            }
        }
        return right / all
    }

    // MARK: Attacks

    /// Answers that quote the corpus, as a model that was trained on it would.
    private mutating func answers(_ count: Int) -> [[UInt8]] {
        (0..<count).map { _ in
            var text: [UInt8] = []
            for _ in 0..<4 { text += quote(pick(items), 12...40) + quote(pick(unseen), 15...45) }
            return text
        }
    }

    private mutating func attacks(_ table: inout EvaluationTable) throws {
        let honest = try trial(items)
        let answers = answers(60)
        let names = Set(items.map(\.contributor)).sorted()
        // The one who earns the median: neither somebody with one item nor the owner of half the corpus.
        var fair: [(name: String, earned: Double)] = []
        for name in names { fair.append((name, try honest.earnings(of: [name], answers: answers))) }
        fair = fair.filter { $0.earned > 0 }.sorted { ($0.earned, $0.name) < ($1.earned, $1.name) }
        guard let attacker = fair.isEmpty ? nil : fair[fair.count / 2], let victim = fair.last else { return }
        let own = items.filter { $0.contributor == attacker.name }
        let theirs = items.filter { $0.contributor == victim.name }

        func copies(_ list: [EvaluationItem], _ prefix: String, as name: String? = nil) -> [EvaluationItem] {
            list.map { EvaluationItem(id: prefix + $0.id, contributor: name ?? $0.contributor, text: $0.text) }
        }
        var noClusters = AttributionTrial.Defences.all
        noClusters.clusters = false
        noClusters.copies = false
        let duplicated = items + (1...3).flatMap { copies(own, "copy\($0)-") }
        table.add(
            "×4 self-duplication, of a fair share",
            without: try trial(duplicated, noClusters).earnings(of: [attacker.name], answers: answers) / attacker.earned,
            try trial(duplicated).earnings(of: [attacker.name], answers: answers) / attacker.earned, atMost: 1.10)

        let copied = items + copies(theirs, "theft-", as: "copycat")
        table.add(
            "copycat of the best earner, of the best earner's share",
            without: try trial(copied, noClusters).earnings(of: ["copycat"], answers: answers) / victim.earned,
            try trial(copied).earnings(of: ["copycat"], answers: answers) / victim.earned, atMost: 0)

        var noCopies = AttributionTrial.Defences.all
        noCopies.copies = false
        let around = items + theirs.enumerated().map { padded($1, $0) }
        table.add(
            "copycat with a quarter of other words, of the best earner's share",
            without: try trial(around, noCopies).earnings(of: ["copycat"], answers: answers) / victim.earned,
            try trial(around).earnings(of: ["copycat"], answers: answers) / victim.earned, atMost: 0)

        let split = items.enumerated().map { number, item in
            item.contributor == attacker.name
                ? EvaluationItem(id: item.id, contributor: "shell\(number % 4)", text: item.text) : item
        }
        let shells = Set((0..<4).map { "shell\($0)" })
        let owners = Dictionary(uniqueKeysWithValues: shells.map { ($0, attacker.name) })
        var noOwners = AttributionTrial.Defences.all
        noOwners.verifiedOwners = false
        table.add(
            "split among four names, of a fair share",
            without: try trial(split, owners: owners, noOwners).earnings(of: shells, answers: answers) / attacker.earned,
            try trial(split, owners: owners).earnings(of: [attacker.name], answers: answers) / attacker.earned, atMost: 1.05)

        // The attacker brings it as the work of authors whom nobody has claimed.
        let brought = Parties(Dictionary(uniqueKeysWithValues: shells.map { ($0, attacker.name) } + [(attacker.name, Parties.crowd)]))
        table.add(
            "split among four names that nobody has claimed, of a fair share",
            without: try trial(split, noCopies).earnings(of: shells, answers: answers) / attacker.earned,
            try trial(split, parties: brought).earnings(of: shells, answers: answers) / attacker.earned, atMost: 1.05)

        try spam(&table, answers)
        try echo(&table, own, attacker.name)
    }

    /// A copy with a third as many words of its own around it, so that it is no near-duplicate.
    private func padded(_ item: EvaluationItem, _ number: Int) -> EvaluationItem {
        let count = item.text.count / 6 + 4
        func own(_ side: String) -> String { (0..<count).map { "pad\(number)\(side)\($0)" }.joined(separator: " ") }
        let bytes = Array((own("a") + " ").utf8) + item.text.bytes + Array((" " + own("b")).utf8)
        guard let text = try? WordSequence(bytes) else { return item }
        return EvaluationItem(id: "padded-" + item.id, contributor: "copycat", text: text)
    }

    /// Lists of the runs of words that texts like the answers have often.
    private mutating func spam(_ table: inout EvaluationTable, _ answers: [[UInt8]]) throws {
        func lists(_ lengths: ClosedRange<Int>, fewest: Int) -> [EvaluationItem] {
            var counts: [[UInt8]: Int] = [:]
            for item in unseen {
                for length in lengths where item.text.count >= length {
                    for start in 0...item.text.count - length { counts[item.words(start..<start + length), default: 0] += 1 }
                }
            }
            let runs = counts.filter { $0.value >= fewest }.keys.sorted { $0.lexicographicallyPrecedes($1) }
            return stride(from: 0, to: runs.count, by: 2000).compactMap { start in
                let text = runs[start..<min(runs.count, start + 2000)].joined(separator: Array("\n".utf8))
                return (try? WordSequence(Array(text))).map { EvaluationItem(id: "spam\(start)", contributor: "spammer", text: $0) }
            }
        }
        var off = AttributionTrial.Defences.all
        off.coherence = false
        off.minimumSpanTokens = 1
        let count = Double(answers.count)
        for (name, lengths, fewest) in [("2 to 6", 2...6, 2), ("2 to 12", 2...12, 2), ("8 to 12", 8...12, 1)] {
            let all = items + lists(lengths, fewest: fewest)
            table.add(
                "lists of runs of \(name) words, share of all credit",
                without: try trial(all, off).earnings(of: ["spammer"], answers: answers) / count,
                try trial(all).earnings(of: ["spammer"], answers: answers) / count, atMost: 0)
        }
    }

    /// The attacker asks to have its own text repeated.
    private mutating func echo(_ table: inout EvaluationTable, _ own: [EvaluationItem], _ name: String) throws {
        var prompts: [[UInt8]] = []
        for _ in 0..<20 { prompts.append(Array("Repeat after me: ".utf8) + quote(pick(own), 60...120)) }
        let answers = prompts.map { Array($0.dropFirst(17)) }
        var off = AttributionTrial.Defences.all
        off.echo = false
        table.add(
            "prompt echo, share of all credit",
            without: try trial(items, off).earnings(of: [name], answers: answers, prompts: prompts) / 20,
            try trial(items).earnings(of: [name], answers: answers, prompts: prompts) / 20, atMost: 0)
    }
}
