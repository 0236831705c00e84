import AttributionDomain
import AttributionEvaluation
import Engine
import Foundation
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
            .init(name: "only", value: "PART", help: "spans or influence; both when left out."),
            .init(name: "rows", value: "N", help: "At most so many rows of each file for spans; 2000 when left out."),
            .init(name: "subsets", value: "N", help: "How many models are trained on half of the rows; 40 when left out."),
            .init(name: "threads", value: "N", help: "How many threads compute; 2 unless said otherwise."),
            .init(name: "json", value: nil, help: "Print the table as JSON."),
        ],
        notes: """
            FILE has a JSON object a line with text, or prompt and completion, and contributor. Choices come from fixed seeds: the same
            files give the same table. Some minutes of two cores.
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
            guard part == nil || part == "spans" || part == "influence" else { throw UsageError("--only is spans or influence") }
            let limit = try arguments.integer("rows", in: 100...100_000, default: 2_000)
            let files = arguments.operands
            let items = try await OSThread.run(name: "corpus") { try files.flatMap { try EvaluationCorpus.read($0) } }
            var table = EvaluationTable()
            if part != "influence" {
                console.err("spans: over \(items.count) items")
                let few = try await OSThread.run(name: "corpus") { try files.flatMap { try EvaluationCorpus.read($0, atMost: limit) } }
                let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-evaluate-\(UUID().uuidString)")
                table = try await OSThread.run(name: "spans") {
                    var evaluation = AttributionEvaluation(items: few, folder: folder)
                    return try evaluation.run()
                }
            }
            if part != "spans" { try await influence(items, arguments, console, into: &table) }
            console.redraw?("")
            console.out(arguments.has("json") ? json(table) : table.markdown)
            return table.isMet ? 0 : LogCommand.bad
        }
    }

    private static func influence(
        _ items: [EvaluationItem], _ arguments: Arguments, _ console: Console, into table: inout EvaluationTable
    ) async throws {
        guard let folder = arguments.value("base") ?? BaseModels.shipped() else {
            throw CommandError("the base model is nowhere near the program: name its folder with --base")
        }
        let model = try await OSThread.run(name: "model") { try LanguageModel(folder: folder) }
        let tokenizer = try await OSThread.run(name: "model") { try Tokenizer(folder: folder) }
        let redraw = console.redraw
        var evaluation = try InfluenceEvaluation(
            items: items, model: model, tokenizer: tokenizer,
            pool: try ComputePool(threads: try arguments.integer("threads", in: 1...64, default: 2)),
            subsets: try arguments.integer("subsets", in: 8...1_000, default: 40)
        ) { redraw?("influence: " + $0) }
        try await evaluation.run(into: &table)
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
    /// Reads the items of a file, the first `limit` of them. Items of fewer than 60 words say too little to be quoted and are left out.
    static func read(_ path: String, atMost limit: Int = .max) throws -> [EvaluationItem] {
        guard let bytes = FileManager.default.contents(atPath: path) else { throw CommandError("cannot read \(path)") }
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        var items: [EvaluationItem] = []
        for (number, line) in [UInt8](bytes).split(separator: 0x0A).enumerated() {
            guard items.count < limit else { break }
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
