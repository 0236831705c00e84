import Crypto
import HTTP
import Engine
import Events
import HTTPClient
import JSON
import ServiceShell
import Telemetry
import TestSupport
import Testing
import Threads

@testable import RunnerService

@Suite struct JobRowsTests {
    private func withModel(_ body: (ServedModel) throws -> Void) async throws {
        let folder = try TemporaryFolder("runner")
        try TinyBase.write(to: folder.path + "/tiny")
        let peers = Peers(transport: InProcessTransport { _ in .init(status: 503) }, addresses: [:], token: { _ in "" })
        let library = try await ModelLibrary.open(
            Configuration(["OPENLEDGER_RUNNER_MODELS": "tiny=\(folder.path)/tiny"]), folder: folder.path, peers: peers,
            pool: try ComputePool(threads: 1), logger: .silent)
        let model = try #require(library.models["tiny"])
        #expect(model.licence == "CC0-1.0")
        try body(model)
    }

    private func line(_ item: String, _ content: JSONValue?) -> JSONValue {
        .members(["item": .string(item), "owner": "carl", "content": content])
    }

    @Test func aPairIsLearnedFromItsCompletionOn() async throws {
        try await withModel { model in
            var rows = JobRows(model: model, maximum: 96, held: 0, learnsPassages: false)
            try rows.add(line("a", ["prompt": "What moves?", "completion": "The tides."]), datanet: "dn_1")
            let row = try #require(rows.training.first)
            let prompt = try JobRows.prompt([ChatMessage(role: "user", content: "What moves?")], model)
            #expect(row.item == "a" && row.owner == "carl" && row.datanet == "dn_1" && rows.cut == 0)
            #expect(Array(row.example.tokens.prefix(prompt.count)) == prompt)
            #expect(row.example.targets.first == prompt.count && row.example.targets.last == row.example.tokens.count - 1)
            let answer = row.example.tokens[prompt.count...]
            #expect(answer.last == model.tokenizer.id(of: "<|end|>"))
            #expect(model.tokenizer.decode(answer.dropLast()) == "The tides.")
        }
    }

    @Test func halfAPairIsPassedOverAndEndsNoJob() async throws {
        try await withModel { model in
            var rows = JobRows(model: model, maximum: 96, held: 0, learnsPassages: false)
            let halves: [JSONValue] = [
                ["prompt": ""], ["prompt": "", "completion": "x"], ["prompt": "x", "completion": ""], ["prompt": 5, "completion": "x"],
                ["text": 7],
            ]
            for (number, content) in halves.enumerated() { try rows.add(line("\(number)", content), datanet: "dn_1") }
            #expect(rows.training.isEmpty && rows.holdout.isEmpty)
        }
    }

    @Test func manyRowsLieInSeveralFilesAndNoneInTwo() throws {
        var files = RowFiles(largest: 10)
        let rows: [[UInt8]] = [[1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3], [UInt8](repeating: 4, count: 12), [5]]
        for row in rows { files.add(row) }
        #expect(files.files.map(\.0) == ["rows.bin", "rows-1.bin", "rows-2.bin", "rows-3.bin"])
        #expect(files.files.map(\.1.count) == [8, 3, 12, 1] && files.count == 24)
        #expect(files.files.flatMap(\.1) == rows.flatMap { $0 })
    }

    /// The layers whose measuring takes most go first, until the job keeps within every limit.
    @Test func layersGoUntilAJobKeepsWithinItsLimits() async throws {
        try await withModel { model in
            let settings: JSONValue = [
                "epochs": 1, "learning_rate": 1, "batch": 1, "rank": 2, "alpha": 4, "seed": 1, "warmup": 0, "checkpoint_every": 1,
                "maximum_tokens": 16, "holdout": 0, "targets": .texts(LinearModule.allCases.map(\.name)),
            ]
            let plan = try TrainingPlan(settings.object()), size = JobSize(model: model.model, rows: 10, longest: 16, threads: 1)
            let whole = size.memory(plan)
            let enough = JobLimits(memory: whole.total, rows: whole.written, factors: whole.factors)
            #expect(size.targets(plan, within: enough) == LinearModule.allCases)
            try size.require(plan, within: enough)
            // One byte too few of anything leaves out one layer at least, the widest: the feed-forward's are 16 by 24.
            for limits in [
                JobLimits(memory: whole.total - 1, rows: whole.written, factors: whole.factors),
                JobLimits(memory: whole.total, rows: whole.written - 1, factors: whole.factors),
                JobLimits(memory: whole.total, rows: whole.written, factors: whole.factors - 1),
            ] {
                let fits = size.targets(plan, within: limits)
                #expect(!fits.isEmpty && fits.count < 7 && fits.contains(.query) && fits.contains(.key))
                var fewer = plan
                fewer.lora.modules = Set(fits)
                try size.require(fewer, within: limits)
                let error = try #require(throws: RunnerError.self) { try size.require(plan, within: limits) }
                #expect("\(error)".hasSuffix("fewer targets, such as " + fits.map(\.name).joined(separator: ", ")), "\(error)")
            }
            #expect(size.targets(plan, within: JobLimits(memory: 1, rows: 1, factors: 1)).isEmpty)
            let few = try #require(throws: RunnerError.self) {
                try size.require(plan, within: JobLimits(memory: .max, rows: .max, factors: 1))
            }
            #expect("\(few)".contains("what measures influence") && "\(few)".hasSuffix("fewer targets"))
        }
    }

    /// A base in four bits is another runner's: this engine reads its rows and measures with it, and does not learn over it.
    @Test func aPlanOverAForeignFormIsReadAndNotLearned() throws {
        var settings: [(String, JSONValue)] = [
            ("epochs", 1), ("learning_rate", 1), ("batch", 1), ("rank", 2), ("alpha", 4), ("seed", 1), ("warmup", 0),
            ("checkpoint_every", 1),
            ("maximum_tokens", 16), ("holdout", 0), ("targets", ["q_proj"]), ("precision", "nf4"),
        ]
        #expect(try TrainingPlan(JSONValue.object(JSONObject(settings)).object()).foreignPrecision == "nf4")
        settings[settings.count - 1].1 = "int8"
        #expect(try TrainingPlan(JSONValue.object(JSONObject(settings)).object()).foreignPrecision == nil)
        settings[settings.count - 1].1 = "int4"
        #expect(throws: JSONFieldError.self) { try TrainingPlan(JSONValue.object(JSONObject(settings)).object()) }
        #expect("\(RunnerError.otherPrecision("nf4"))".contains("nf4"))
    }

    /// The PEFT runner says that it can do bases in eight and four bits where bitsandbytes is there, and refuses them where it is not.
    @Test(.enabled(if: TestPython.tools.program != nil, "needs OPENLEDGER_TEST_PYTHON"))
    func thePEFTRunnerSaysWhatItCanDo() throws {
        let result = try TestPython.tools.run(
            [RunnerHouse.root + "/Tests/Interop/Runner/features.py", RunnerHouse.root + "/Services/RunnerPEFT"],
            environment: ["PYTHONDONTWRITEBYTECODE": "1"])
        #expect(result.status == 0 && result.output.contains("ok"), "\(result.output)")
    }

    @Test func whatOneRunnerCantDoAnotherMight() {
        let digest = SHA256.hash(utf8: "x")
        for error: any Error in [
            RunnerError.tooLarge(needed: 2, limit: 1, fits: []), RunnerError.otherBase("tiny", here: digest, wanted: digest),
            RunnerError.unknownBase("tiny"), RunnerError.tooManyRows(needed: 2, limit: 1, fits: []),
            RunnerError.largeFactors(needed: 2, limit: 1, fits: []), RunnerError.otherPrecision("nf4"),
            EngineError.outOfMemory(needed: 2, limit: 1, what: "x"),
        ] { #expect(JobFault(error) == .elsewhere) }
        #expect(JobFault(RunnerError.noRows) == .lasting)
    }

    @Test func whatPeopleWroteNeverBecomesASpecialToken() async throws {
        try await withModel { model in
            var rows = JobRows(model: model, maximum: 96, held: 0, learnsPassages: false)
            try rows.add(line("a", "x<|end|>y"), datanet: "dn_1")
            try rows.add(line("b", ["prompt": "x", "completion": "y<|end|>z"]), datanet: "dn_1")
            let end = try #require(model.tokenizer.id(of: "<|end|>"))
            #expect(rows.training.map { $0.example.tokens.count { $0 == end } } == [0, 1])
        }
    }

    @Test func longTextsAreCutIntoRowsAndLongPairsKeepTheirMiddle() async throws {
        try await withModel { model in
            var rows = JobRows(model: model, maximum: 16, held: 0, learnsPassages: false)
            let text = String(repeating: "zq7", count: 30)
            try rows.add(line("a", ["text": .string(text)]), datanet: "dn_1")
            #expect(rows.training.allSatisfy { $0.example.tokens.count <= 16 && $0.item == "a" })
            let tokens = model.tokenizer.encode(text, readingSpecialTokens: false)
            // A last token alone has nothing to say.
            let kept = tokens.count % 16 == 1 ? tokens.count - 1 : tokens.count
            #expect(rows.training.flatMap(\.example.tokens) == Array(tokens.prefix(kept)))

            var pairs = JobRows(model: model, maximum: 16, held: 0, learnsPassages: false)
            try pairs.add(line("b", ["prompt": .string(text), "completion": .string(text)]), datanet: "dn_1")
            let row = try #require(pairs.training.first)
            #expect(pairs.cut == 1 && row.example.tokens.count == 16 && row.example.targets == Array(8..<16))
            let prompt = try JobRows.prompt([ChatMessage(role: "user", content: text)], model)
            #expect(Array(row.example.tokens.prefix(8)) == Array(prompt.suffix(8)))

            // The context bounds what the settings allow.
            var wide = JobRows(model: model, maximum: 8_192, held: 0, learnsPassages: false)
            try wide.add(line("c", .string(String(repeating: text, count: 4))), datanet: "dn_1")
            #expect(wide.training.allSatisfy { $0.example.tokens.count <= model.model.contextLength } && wide.training.count > 1)
        }
    }

    @Test func whatIsEmptyOrTakenBackGivesNoRow() async throws {
        try await withModel { model in
            var rows = JobRows(model: model, maximum: 96, held: 0, learnsPassages: false)
            for content in [nil, .null, "", ["text": ""], ["prompt": "only"]] as [JSONValue?] {
                try rows.add(line("a", content), datanet: "dn_1")
            }
            #expect(rows.training.isEmpty && rows.holdout.isEmpty)
            #expect(throws: JSONFieldError.self) { try rows.add(["item": "a", "content": "text here"], datanet: "dn_1") }
            #expect(throws: JSONFieldError.self) { try rows.add(.members(["item": "a", "owner": "b", "content": 5]), datanet: "dn_1") }
        }
    }

    @Test func theSameItemsAreHeldOutInEveryRun() async throws {
        try await withModel { model in
            func held(_ share: Int, _ order: [Int]) throws -> (held: Set<String>, learned: Set<String>) {
                var rows = JobRows(model: model, maximum: 96, held: share, learnsPassages: false)
                for number in order { try rows.add(line("item\(number)", "The tides move."), datanet: "dn_1") }
                return (Set(rows.holdout.map(\.item)), Set(rows.training.map(\.item)))
            }
            let all = Array(0..<400)
            let ten = try held(10, all)
            #expect(try held(10, all.reversed()).held == ten.held)
            #expect((20...60).contains(ten.held.count) && ten.held.isDisjoint(with: ten.learned))
            #expect(ten.held.count + ten.learned.count == 400)
            // A greater share keeps what the smaller held out.
            #expect(try held(30, all).held.isSuperset(of: ten.held))
            #expect(try held(0, all).held.isEmpty)
        }
    }
}
