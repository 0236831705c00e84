import Crypto
import Engine
import Foundation
import JSON
import RunnerService
import Synchronization
import Threads

/// `openledger model train-base`.
enum TrainBaseModel {
    static let specification = ArgumentSpecification(
        command: "openledger model train-base",
        summary: "Trains the base model of this version's recipe into FOLDER, and compares it with the one that ships.",
        operands: ["FOLDER"],
        options: [
            .init(name: "threads", value: "N", help: "How many threads compute; 2 unless said otherwise. It changes no byte."),
            .init(
                name: "pages", value: "FOLDER",
                help: "The pages of Debian's sqlite3-doc 3.40.1; \(BaseModelCorpus.debianFolder) when left out."),
            .init(name: "conversations", value: "FILE", help: "Our conversations; those beside the shipped model when left out."),
            .init(name: "json", value: nil, help: "Print the result as JSON."),
        ],
        notes: """
            Some ten minutes of one core. What was broken off goes on from FOLDER.checkpoint.
            Exit status: 0 the files are those that ship, 1 they are others, 2 it could not be done.
            """)

    static func run(_ typed: [String], _ console: Console) async -> Int32 {
        await LogCommand.run(typed, specification, console) { arguments in
            let folder = arguments.operands[0]
            let threads = try arguments.integer("threads", in: 1...64, default: 2)
            guard let shipped = BaseModels.shipped() else {
                throw CommandError("the base model that ships is nowhere near the program: there is nothing to compare with")
            }
            let pages = arguments.value("pages") ?? BaseModelCorpus.debianFolder
            let conversations = arguments.value("conversations") ?? shipped + "/conversations.jsonl"
            let corpus = try await OSThread.run(name: "corpus") { try BaseModelCorpus(pages: pages, conversations: conversations) }
            let checkpoint = folder + ".checkpoint"
            let resume =
                FileManager.default.fileExists(atPath: checkpoint)
                ? try await OSThread.run(name: "checkpoint") { try TrainingCheckpoint(path: checkpoint) } : nil
            if let resume { console.err("going on from step \(resume.step)") }
            let redraw = console.redraw
            // A checkpoint that can't be written must not cost the run; it is said at the end.
            let fault = Lock<String?>(nil)
            let record = try await BaseModelRecipe.standard.train(corpus, to: folder, threads: threads, resume: resume) { event in
                switch event {
                case .step(let step): redraw?("trained \(step.step) of \(step.totalSteps) steps, loss \(Self.thousandths(step.loss))")
                case .checkpoint(let state):
                    do { try state.write(to: checkpoint) } catch { fault.withLock { $0 = "\(error)" } }
                case .evaluation: break
                }
                return .proceed
            }
            redraw?("")
            if let fault = fault.withLock({ $0 }) { console.err("checkpoints could not be written: \(fault)") }
            try? FileManager.default.removeItem(atPath: checkpoint)
            let known = try await OSThread.run(name: "record") { try BaseModelRecord(folder: shipped) }
            let isSame = record.files == known.files
            console.out(arguments.has("json") ? json(folder, record, known) : words(folder, record, known))
            return isSame ? 0 : LogCommand.bad
        }
    }

    private static func thousandths(_ loss: Float) -> String {
        let value = Int((loss * 1_000).rounded())
        return "\(value / 1_000)." + String(String(value % 1_000 + 1_000).dropFirst())
    }

    private static func words(_ folder: String, _ record: BaseModelRecord, _ known: BaseModelRecord) -> String {
        var lines = [
            "folder   \(folder)",
            "trained  \(record.steps) steps, \(Text.grouped(UInt64(record.tokens))) tokens, \(record.kernelLevel.rawValue) kernels",
        ]
        for (name, digest) in record.files.sorted(by: { $0.key < $1.key }) {
            lines.append(
                "file     \(digest.prefixed) \(name)"
                    + (known.files[name] == digest ? "" : ", which ships as \(known.files[name]?.prefixed ?? "nothing")"))
        }
        if record.files == known.files {
            lines.append("It is the model that ships, to the last byte.")
        } else if !record.kernelLevel.agrees(with: known.kernelLevel) {
            lines.append(
                "IT IS ANOTHER MODEL: \(record.kernelLevel.rawValue) kernels do not give the bytes of \(known.kernelLevel.rawValue).")
        } else {
            lines.append("IT IS ANOTHER MODEL than the one that ships.")
            lines.append("Where sources and kernels are the same, the C library's functions may not be: here it is \(MathLibrary.name).")
        }
        return lines.joined(separator: "\n")
    }

    private static func json(_ folder: String, _ record: BaseModelRecord, _ known: BaseModelRecord) -> String {
        let files = JSONObject(record.files.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value.prefixed)) })
        let value: JSONValue = [
            "folder": .string(folder), "steps": .int(Int64(record.steps)), "tokens": .int(Int64(record.tokens)),
            "kernel_level": .string(record.kernelLevel.rawValue), "files": .object(files), "same": .bool(record.files == known.files),
        ]
        return String(decoding: JSON.write(value), as: UTF8.self)
    }
}
