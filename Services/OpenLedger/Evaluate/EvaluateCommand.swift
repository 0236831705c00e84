import AttributionDomain
import AttributionEvaluation
import Engine
import Foundation
import IngestDomain
import JSON
import RunnerService
import Threads

/// `openledger evaluate attribution`: what attribution promises, measured.
enum EvaluateCommand {
    static let specification = ArgumentSpecification(
        command: "openledger evaluate attribution",
        summary: "Measures attribution on a corpus and a small model: whether it is right, and what attacks earn.",
        operands: ["FILE", "FILE?", "FILE?", "FILE?"],
        options: [
            .init(name: "base", value: "FOLDER", help: "The small model; the one that ships with the product when left out."),
            .init(
                name: "only", value: "PART", help: "spans, influence, or attacks for what attackers earn by influence; all when left out."),
            .init(name: "quick", value: nil, help: "What can be seen within a minute: few items, and one training of eight contributors."),
            .init(name: "rows", value: "N", help: "At most so many rows of each file for spans; 2000 when left out, 200 when quick."),
            .init(name: "subsets", value: "N", help: "How many models are trained on half of the rows; 40 when left out."),
            .init(
                name: "seeds", value: "N",
                help: "Over how many trainings each loss is averaged, and half of those without one contributor; 1 when left out."),
            .init(name: "threads", value: "N", help: "How many threads compute; 2 unless said otherwise."),
            .init(name: "keep", value: "FOLDER", help: "Where results of trainings are kept, so that another run goes on from them."),
            .init(name: "fixtures", value: "FOLDER", help: "Gradients with a reference's scores, to compare ours with."),
            .init(name: "peer", value: "FOLDER", help: "infini-gram's index and counts, to compare ours with."),
            .init(name: "json", value: nil, help: "Print the table as JSON."),
        ],
        notes: """
            FILE has a JSON object a line with text, or prompt and completion, and contributor: a Datanet each. Choices come from fixed
            seeds: the same files give the same table, with any number of threads. Some twenty minutes of two cores.
            Exit status: 0 every bound is met, 1 one is not, 2 it could not be measured.
            """)

    static func run(_ words: [String]) async throws -> Int32 {
        guard words.first == "attribution" else {
            if words.first == "--help" || words.first == "-h" { throw UsageError(help: specification.help) }
            throw UsageError("say what to evaluate: attribution; see openledger evaluate attribution --help")
        }
        return await run(Array(words.dropFirst()), console: .standard)
    }

    static func run(_ typed: [String], console: Console) async -> Int32 {
        await LogCommand.run(typed, specification, console) { arguments in
            let part = arguments.value("only")
            guard part == nil || part == "spans" || part == "influence" || part == "attacks" else {
                throw UsageError("--only is spans, influence or attacks")
            }
            let table = try await measure(arguments, part, note: notes(console))
            console.redraw?("")
            console.out(arguments.has("json") ? json(table) : table.markdown)
            return table.isMet ? 0 : LogCommand.bad
        }
    }

    /// Lines that come and go where somebody watches, and stay where nobody does.
    private static func notes(_ console: Console) -> @Sendable (String) -> Void {
        let (redraw, err) = (console.redraw, console.err)
        return { text in if let redraw { redraw(text) } else { err(text) } }
    }

    private static func measure(
        _ arguments: Arguments, _ part: String?, note: @escaping @Sendable (String) -> Void
    ) async throws -> EvaluationTable {
        let limit = try arguments.integer("rows", in: 100...100_000, default: arguments.has("quick") ? 200 : 2_000)
        let files = arguments.operands
        let datanets = try await OSThread.run(name: "corpus") { try files.map { try EvaluationCorpus.read($0) } }
        let (fixtures, peer) = (arguments.value("fixtures"), arguments.value("peer"))
        let pool = try ComputePool(threads: try arguments.integer("threads", in: 1...64, default: 2))
        var table = EvaluationTable()
        if part == nil || part == "spans" {
            table = try await OSThread.run(name: "spans") {
                let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-evaluate-\(UUID().uuidString)")
                let few = datanets.flatMap { $0.prefix(limit) }
                var evaluation = AttributionEvaluation(
                    items: few, folder: folder, refuses: { EvaluationCorpus.isRefused($0) }, note: { note("spans: " + $0) })
                var table = try evaluation.run()
                if let peer { try PeerCounts.compare(peer, scratch: folder.path + ".tokens", into: &table) }
                return table
            }
        }
        if part != "spans" {
            let before = table
            table = try await OSThread.run(name: "reference") {
                var table = before
                if part != "attacks", let fixtures { try ReferenceScores.compare(fixtures, pool: pool, into: &table) }
                return table
            }
            var evaluation = try await influence(datanets, arguments, pool, note: note)
            if arguments.has("quick") {
                try await evaluation.runQuickly(into: &table)
            } else if part == "attacks" {
                try await evaluation.runAttacks(into: &table)
            } else {
                try await evaluation.run(into: &table)
            }
        }
        return table
    }

    private static func influence(
        _ datanets: [[EvaluationItem]], _ arguments: Arguments, _ pool: ComputePool, note: @escaping @Sendable (String) -> Void
    ) async throws -> InfluenceEvaluation {
        guard let folder = arguments.value("base") ?? BaseModels.shipped() else {
            throw CommandError("the base model is nowhere near the program: name its folder with --base")
        }
        let kept = try KeptResults(folder: arguments.value("keep"))
        let subsets = try arguments.integer("subsets", in: 8...1_000, default: 40)
        let seeds = try arguments.integer("seeds", in: 1...16, default: 1)
        let isQuick = arguments.has("quick")
        return try await OSThread.run(name: "model") {
            try InfluenceEvaluation(
                datanets: datanets, model: LanguageModel(folder: folder), base: BaseModels.artefact(of: folder),
                tokenizer: Tokenizer(folder: folder), pool: pool, contributors: isQuick ? 8 : 16, subsets: subsets, seeds: seeds,
                kept: kept,
                note: { note("influence: " + $0) })
        }
    }

    private static func json(_ table: EvaluationTable) -> String {
        let rows = table.rows.map { row -> JSONValue in
            [
                "name": .string(row.name), "without": row.without.map { .double($0) } ?? .null, "value": .double(row.value),
                "bound": .double(row.bound), "upper": .bool(row.isUpper), "met": .bool(row.isMet),
            ]
        }
        return String(decoding: JSON.write(["rows": .array(rows), "met": .bool(table.isMet)]), as: UTF8.self)
    }
}

/// The corpus that is evaluated on.
enum EvaluationCorpus {
    private static let scanner = SecretScanner()

    /// Whether ingest's public rules refuse a text for making no sense.
    static func isRefused(_ text: WordSequence) -> Bool {
        let content = ItemContent(text: String(decoding: text.bytes, as: UTF8.self), file: "evaluation", row: 1)
        let inspection = try? ItemInspection(content, licence: "CC0-1.0", policy: ScreeningPolicy(), scanner: scanner)
        let refusals: Set<ReasonCode> = [.repetition, .incoherent, .tooLarge]
        return inspection.map { !refusals.isDisjoint(with: $0.reasons) } ?? true
    }

    /// Reads the items of a file. Items of fewer than 60 words say too little to be quoted and are left out.
    static func read(_ path: String) throws -> [EvaluationItem] {
        guard let bytes = FileManager.default.contents(atPath: path) else { throw CommandError("cannot read \(path)") }
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        var items: [EvaluationItem] = []
        for (number, line) in [UInt8](bytes).split(separator: 0x0A).enumerated() {
            do {
                let fields = try JSON.parse(Array(line)).object()
                let contributor = try fields.string("contributor", bytes: 1...500)
                let text: String
                if let whole = try fields.optionalString("text", bytes: 0...1 << 20) {
                    text = whole
                } else {
                    text = try fields.string("prompt", bytes: 0...1 << 20) + "\n" + fields.string("completion", bytes: 0...1 << 20)
                }
                let words = try WordSequence(text)
                if words.count >= 60 { items.append(EvaluationItem(id: "\(name)-\(number)", contributor: contributor, text: words)) }
            } catch { throw CommandError("\(path), line \(number + 1): \(error)") }
        }
        return items
    }
}
