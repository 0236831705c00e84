import Engine
import Foundation
import HTTPClient
import JSON

/// `openledger model pull`.
enum PullModel {
    static let specification = ArgumentSpecification(
        command: "openledger model pull",
        summary: "Brings a base model of the Llama, Qwen2 or Mistral family into FOLDER, checked before it stands there.",
        operands: ["SOURCE", "FOLDER"],
        options: [
            .init(name: "revision", value: "NAME", help: "A branch, tag or commit of the repository; main when left out."),
            .init(name: "token-file", value: "FILE", help: "A token for repositories that are not for everybody."),
            .init(name: "limit", value: "GIGABYTES", help: "Most bytes of all files together; 64 when left out."),
            .init(name: "json", value: nil, help: "Print the result as JSON."),
        ],
        notes: """
            SOURCE is a folder, owner/name on huggingface.co, or the URL of such a repository there or on a server with the same paths.
            Exit status: 0 the model is there, 1 what came is no model that the engine runs, 2 it could not be fetched.
            """)

    /// Always there.
    private static let needed = ["config.json", "tokenizer.json"]
    /// Taken where they are.
    private static let optional = [
        "tokenizer_config.json", "chat_template.jinja", "generation_config.json", "special_tokens_map.json", "recipe.json", "LICENSE",
        "README.md",
    ]

    static func run(_ typed: [String], _ console: Console) async -> Int32 {
        await LogCommand.run(typed, specification, console) { arguments in
            let transport = try CurlTransport()
            let source = try source(arguments, transport)
            let folder = arguments.operands[1]
            guard !FileManager.default.fileExists(atPath: folder) else {
                throw CommandError("\(folder) is there already: name another folder")
            }
            let making = folder + ".part-\(UUID().uuidString.prefix(8))"
            try FileManager.default.createDirectory(atPath: making, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: making) }
            let limit = try arguments.integer("limit", in: 1...4_096, default: 64) << 30
            try await fetch(source, to: making, limit: limit, console)
            await transport.close()
            let model: ModelFolder
            do { model = try await ModelFolder.open(making) } catch let error as FormatError {
                console.err("\(specification.command): what \(source.name) has can't be used: \(error)")
                return LogCommand.bad
            }
            // Only what is whole and fits gets the folder's name.
            try FileManager.default.moveItem(atPath: making, toPath: folder)
            console.out(arguments.has("json") ? json(folder, source, model) : words(folder, source, model))
            return 0
        }
    }

    private static func source(_ arguments: Arguments, _ transport: CurlTransport) throws -> any ModelSource {
        let text = arguments.operands[0]
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: text, isDirectory: &isFolder), isFolder.boolValue { return FolderModelSource(name: text) }
        let credential = try arguments.value("token-file").map {
            try SmallTextFile.read($0, limit: 64 << 10).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let isShort = !text.contains("://") && text.split(separator: "/", omittingEmptySubsequences: false).count == 2
        let url = isShort ? "https://huggingface.co/" + text : text
        guard
            let repository = RepositoryModelSource(
                url, revision: arguments.value("revision"), credential: credential, transport: transport)
        else { throw UsageError("\(text) is no folder, no owner/name and no repository's URL") }
        return repository
    }

    private static func fetch(_ source: any ModelSource, to folder: String, limit: Int, _ console: Console) async throws {
        var left = limit
        func take(_ file: String) async throws -> Bool {
            let redraw = console.redraw
            let bytes = try await source.fetch(file, to: folder + "/" + file, limit: left) { redraw?("\(file): \(Text.size(UInt64($0)))") }
            redraw?("")
            guard let bytes else { return false }
            left -= bytes
            return true
        }
        for file in needed where try await !take(file) { throw CommandError("\(source.name) has no \(file)") }
        for file in optional { _ = try await take(file) }
        if try await take("model.safetensors") { return }
        guard try await take("model.safetensors.index.json") else {
            throw CommandError("\(source.name) has neither model.safetensors nor its index: other forms of weights are not read")
        }
        for shard in try shards(folder + "/model.safetensors.index.json") where try await !take(shard) {
            throw CommandError("\(source.name) has no \(shard), which its index names")
        }
    }

    /// The files that an index names, each a plain name.
    static func shards(_ path: String) throws -> [String] {
        let bytes = [UInt8](FileManager.default.contents(atPath: path) ?? Data())
        let map = try JSON.parse(bytes, limits: JSONLimits(bytes: 64 << 20, items: 2_000_000)).object().object("weight_map")
        let names = Set(try map.object.members.map { try JSONField($0.value, at: "/weight_map/" + $0.key).string(bytes: 1...200) })
        guard names.count <= ModelWeights.greatestShardCount,
            names.allSatisfy({ !$0.contains("/") && $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") })
        else { throw CommandError("\(path) names files that are no shards beside it") }
        return names.sorted()
    }

    private static func words(_ folder: String, _ source: any ModelSource, _ model: ModelFolder) -> String {
        let name = URL(fileURLWithPath: folder).lastPathComponent
        return
            (["from     \(source.name)", "folder   \(folder)"] + model.words + [
                "A runner serves it with OPENLEDGER_RUNNER_MODELS=\(name)=\(folder)"
            ])
            .joined(separator: "\n")
    }

    private static func json(_ folder: String, _ source: any ModelSource, _ model: ModelFolder) -> String {
        let value: JSONValue = [
            "source": .string(source.name), "folder": .string(folder), "artefact": .string(model.artefact),
            "parameters": .int(Int64(model.configuration.parameterCount)), "bytes": .int(Int64(clamping: model.bytes)),
        ]
        return String(decoding: JSON.write(value), as: UTF8.self)
    }
}
