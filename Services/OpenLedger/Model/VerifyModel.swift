import Crypto
import Engine
import Foundation
import JSON
import RunnerService
import Threads

/// `openledger model verify`.
enum VerifyModel {
    static let specification = ArgumentSpecification(
        command: "openledger model verify",
        summary: "Checks a base model: its files against recipe.json where it has one, and that configuration, weights and tokenizer fit.",
        operands: ["FOLDER?"],
        options: [.init(name: "json", value: nil, help: "Print the result as JSON.")],
        notes: """
            Without FOLDER it is the model that ships with the product; its record must also name the corpus of this version's recipe.
            Exit status: 0 all is well, 1 a file is another one or does not fit, 2 there is no model or the command can't be understood.
            """)

    static func run(_ typed: [String], _ console: Console) async -> Int32 {
        await LogCommand.run(typed, specification, console) { arguments in
            let shipped = BaseModels.shipped()
            guard let folder = arguments.operands.first ?? shipped else {
                throw CommandError("the base model is nowhere near the program: name its folder")
            }
            guard FileManager.default.fileExists(atPath: folder + "/config.json") else {
                throw CommandError("\(folder) holds no config.json")
            }
            let hasRecord = FileManager.default.fileExists(atPath: folder + "/" + BaseModelRecord.file)
            do {
                let model = try await ModelFolder.open(folder)
                let record = hasRecord ? try await check(folder, isShipped: arguments.operands.isEmpty) : nil
                console.out(arguments.has("json") ? json(model, record) : words(model, record))
                return 0
            } catch let error as FormatError {
                console.err("\(specification.command): \(error)")
                return LogCommand.bad
            }
        }
    }

    private static func check(_ folder: String, isShipped: Bool) async throws -> BaseModelRecord? {
        // Other models may have a recipe.json of another form; ours names a corpus.
        let bytes = FileManager.default.contents(atPath: folder + "/" + BaseModelRecord.file) ?? Data()
        guard isShipped || (try? JSON.parse([UInt8](bytes)))?["corpus"] != nil else { return nil }
        return try await OSThread.run(name: "verify") {
            let record = try BaseModelRecord(folder: folder)
            try record.verify(folder: folder)
            guard !isShipped || record.corpus == BaseModelRecipe.standard.corpus else {
                throw FormatError(
                    .mismatch, file: folder + "/" + BaseModelRecord.file, place: "/corpus",
                    "is \(record.corpus.prefixed), the recipe's is \(BaseModelRecipe.standard.corpus.prefixed)")
            }
            return record
        }
    }

    private static func words(_ model: ModelFolder, _ record: BaseModelRecord?) -> String {
        var lines = ["folder   \(model.path)"] + model.words
        if let record {
            lines.append("recipe   \(record.steps) steps over corpus \(record.corpus.prefixed)")
            lines += record.files.sorted { $0.key < $1.key }.map { "file     \($0.value.prefixed) \($0.key)" }
            lines.append("All files are those of the record. openledger model train-base makes them anew.")
        } else {
            lines.append("Configuration, weights and tokenizer fit one another; there is no record to hold them against.")
        }
        return lines.joined(separator: "\n")
    }

    private static func json(_ model: ModelFolder, _ record: BaseModelRecord?) -> String {
        var object: JSONObject = [
            "folder": .string(model.path), "artefact": .string(model.artefact),
            "parameters": .int(Int64(model.configuration.parameterCount)), "bytes": .int(Int64(clamping: model.bytes)),
        ]
        if let record {
            object["corpus"] = .string(record.corpus.prefixed)
            object["files"] = .object(JSONObject(record.files.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value.prefixed)) }))
        }
        return String(decoding: JSON.write(.object(object)), as: UTF8.self)
    }
}
