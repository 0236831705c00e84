internal import Crypto
internal import Engine
internal import Events
internal import Foundation
internal import HTTP
internal import JSON
internal import ServiceShell
internal import Web

/// Rows as the model reads them, and an adapter measured beside its base, for training.
struct LookingRoutes: Sendable {
    let library: ModelLibrary

    var routes: [Route] { [estimate, preview, evaluation] }

    private static let access = Access.scope("runners:serve")
    /// Most tokens of an answer that is scored.
    private static let longest = 128

    private var estimate: Route {
        Route(
            .post, "/runner/v1/estimates", operation: "estimateMemory",
            summary: "What a job would take of this runner's memory at most, by its settings and the size of its data.",
            access: Self.access,
            body: .json(
                .openObject(
                    .required("base", .text), .required("settings", .any), .required("items", .count), .required("tokens", .count))),
            replies: [
                .json(
                    200, "Bytes of memory, of attribution rows and of their factors, and how many a job may take of each.",
                    .openObject(
                        .required("bytes", .count), .required("limit", .count), .required("rows_bytes", .count),
                        .required("rows_limit", .count), .required("factors_bytes", .count), .required("factors_limit", .count),
                        .required(
                            "targets", .list(.text, atMost: 16), "Those of the settings' targets with which the job stays within all three."
                        )))
            ],
            problems: [.notFound]
        ) { [library] context in
            let (name, plan, items, tokens) = try context.decode { json in
                let fields = try json.object()
                return (
                    try fields.string("base"), try TrainingPlan(try fields.object("settings")),
                    try fields.int("items", in: 0...1 << 40), try fields.int("tokens", in: 0...1 << 50)
                )
            }
            guard let model = library.models[name]?.model else {
                throw Problem(.notFound, "this runner has no base model \(name)", field: "#/base")
            }
            // What another form takes, a runner that has it knows.
            if let form = plan.foreignPrecision { throw Problem(.notFound, "\(RunnerError.otherPrecision(form))", field: "#/settings") }
            let longest = min(plan.maximumTokens, model.contextLength)
            // A pair is learned once, or twice with passages; a long text in pieces.
            let rows = items * (plan.learnsPassages ? 2 : 1) + tokens / longest
            let size = JobSize(model: model, rows: rows, longest: longest, threads: library.pool.threads)
            let memory = size.memory(plan)
            let targets = size.targets(plan, within: library.jobLimits).map(\.name)
            return .json([
                "bytes": .count(memory.total), "limit": .count(library.memoryLimit), "base": .count(memory.base),
                "training": .count(memory.training), "influence": .count(memory.influence), "rows": .count(memory.rows),
                "rows_bytes": .count(memory.written), "rows_limit": .count(library.rowsLimit),
                "factors_bytes": .count(memory.factors), "factors_limit": .count(FactorFiles.all), "targets": .texts(targets),
            ])
        }
    }

    private var preview: Route {
        Route(
            .post, "/runner/v1/previews", operation: "previewRows", summary: "Rows as the model reads them.", access: Self.access,
            body: .json(.openObject(.required("base", .text), .required("settings", .any), .required("lines", .any)), limit: 64 << 20),
            replies: [.json(200, "Rows.", .any)], problems: [.notFound]
        ) { context in
            let (model, rows) = try await read(context)
            return .json([
                "training": .array(rows.training.map { Self.view($0, model) }),
                "held_out": .array(rows.holdout.map { Self.view($0, model) }),
                "cut": .count(rows.cut),
            ])
        }
    }

    private static func view(_ row: JobRows.Row, _ model: ServedModel) -> JSONValue {
        let learned = Set(row.example.targets)
        return [
            "item": .string(row.item), "datanet": .string(row.datanet), "tokens": .count(row.example.tokens.count),
            "learned": .count(learned.count),
            "row": .array(
                row.example.tokens.enumerated().map { place, token in
                    let text = String(decoding: model.tokenizer.bytes(of: token) ?? [], as: UTF8.self)
                    return ["id": .int(Int64(token)), "text": .string(text), "learned": .bool(learned.contains(place))]
                }),
        ]
    }

    private var evaluation: Route {
        Route(
            .post, "/runner/v1/evaluations", operation: "evaluateAdapter", summary: "Measures an adapter beside its base.",
            access: Self.access,
            body: .json(
                .openObject(
                    .required("base", .text), .required("adapter", .text(.sha256)), .required("settings", .any), .required("lines", .any)),
                limit: 64 << 20), replies: [.json(200, "Both.", .any)], problems: [.notFound]
        ) { context in
            let (model, rows) = try await read(context)
            let fields = try context.decode { try $0.object() }
            let (digest, samples, answers) = try context.decode { _ in
                (
                    try fields.digest("adapter"), try fields.optionalInt("samples", in: 0...10) ?? 3,
                    try fields.optionalInt("answers", in: 0...50) ?? 10
                )
            }
            let adapter: Adapter?
            do { adapter = try await library.adapter(digest, on: model.name) } catch let error as PeerError where error.status == 404 {
                throw Problem(.notFound, "there is no adapter \(digest)", field: "#/adapter")
            }
            let isHeldOut = try context.decode { _ in try fields.optionalBool("held_out") ?? true }
            let examples = (isHeldOut ? rows.holdout : rows.training).map(\.example)
            guard !examples.isEmpty else { throw Problem(.badBody, "holds no row to measure on", field: "#/lines") }
            let questions = try context.decode { _ in try Self.questions(fields, atMost: max(samples, answers)) }
            let before = try await measure(model, nil, examples, questions)
            let after = try await measure(model, adapter, examples, questions)
            var shown: [JSONValue] = []
            for (index, question) in questions.prefix(samples).enumerated() {
                shown.append([
                    "prompt": .string(question.prompt), "expected": .string(question.completion), "base": .string(before.answers[index]),
                    "adapter": .string(after.answers[index]),
                ])
            }
            return .json([
                "rows": .count(examples.count), "held_out": .bool(isHeldOut), "answers": .count(questions.count), "base": before.json,
                "adapter": after.json, "samples": .array(shown),
            ])
        }
    }

    private struct Measured: Sendable {
        let evaluation: LanguageModel.Evaluation
        let scores: AnswerScores
        let answers: [String]

        var json: JSONValue {
            [
                "loss_micros": .count(Int((evaluation.loss * 1_000_000).rounded())),
                "perplexity_thousandths": .count(Int((min(1e12, exp(evaluation.loss)) * 1_000).rounded())),
                "token_accuracy_points": .count(Int((evaluation.tokenAccuracy * 10_000).rounded())),
                "exact_matches": .count(scores.exact), "rouge_l_points": .count(scores.rougePoints),
            ]
        }
    }

    private func measure(
        _ model: ServedModel, _ adapter: Adapter?, _ examples: [TrainingExample], _ questions: [(prompt: String, completion: String)]
    ) async throws -> Measured {
        let evaluation = try await model.model.evaluate(examples, adapter: adapter, pool: library.pool)
        var scores = AnswerScores()
        var answers: [String] = []
        for question in questions {
            let prompt = try JobRows.prompt([ChatMessage(role: "user", content: question.prompt)], model)
            let room = max(1, model.model.contextLength - Self.longest - 1)
            var request = GenerationRequest(prompt: Array(prompt.suffix(room)), adapter: adapter)
            request.maximumTokens = min(Self.longest, model.model.contextLength * 3 / 4)
            request.stopTokens = model.ends
            request.sampling = .greedy
            let answer = try await model.generator.answer(request).text
            scores.add(answer, expected: question.completion)
            answers.append(answer)
        }
        return Measured(evaluation: evaluation, scores: scores, answers: answers)
    }

    private static func questions(_ fields: JSONFields, atMost limit: Int) throws -> [(prompt: String, completion: String)] {
        var questions: [(prompt: String, completion: String)] = []
        for line in try fields.array("lines", count: 0...10_000) where questions.count < limit {
            guard let content = line.value["row"]?["content"], let prompt = content["prompt"]?.stringValue,
                let completion = content["completion"]?.stringValue
            else { continue }
            questions.append((prompt, completion))
        }
        return questions
    }

    private func read(_ context: RequestContext) async throws -> (ServedModel, JobRows) {
        let fields = try context.decode { try $0.object() }
        let name = try context.decode { _ in try fields.string("base") }
        guard let model = library.models[name] else { throw Problem(.notFound, "this runner has no base model \(name)", field: "#/base") }
        return try context.decode { _ in
            var rows = try TrainingPlan(try fields.object("settings")).rows(for: model)
            for line in try fields.array("lines", count: 0...10_000) {
                let line = try line.object()
                try rows.add(try line.field("row").value, datanet: try line.id("datanet"))
            }
            return (model, rows)
        }
    }
}
