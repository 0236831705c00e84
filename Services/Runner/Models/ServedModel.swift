internal import Crypto
internal import Engine
internal import Foundation
internal import JSON

/// A base model that can be asked and learned from.
struct ServedModel: Sendable {
    let name: String
    let folder: String
    let licence: String
    /// The artefact's name: SHA-256 of the manifest of its files.
    let artefact: Digest
    /// Its weights in single precision, which are learned over and with which influence is measured.
    let model: LanguageModel
    let tokenizer: Tokenizer
    let template: ChatTemplate?
    let generator: Generator
    /// Tokens that end an answer.
    let ends: Set<Int32>

    /// Loads a Hugging Face folder. Blocks: call it on a thread of its own.
    /// - Parameter answers: how the weights are kept that answer: in fewer bits they take less to read, and a step is done sooner.
    init(name: String, folder: String, pool: ComputePool, answers: WeightPrecision = .float32) throws {
        let model = try LanguageModel(folder: folder)
        let tokenizer = try Tokenizer(folder: folder)
        try tokenizer.requireFit(model.configuration)
        self.name = name
        self.folder = folder
        self.model = model
        self.tokenizer = tokenizer
        template = try ChatTemplate(folder: folder)
        let answering = answers == model.precision ? model : try model.converted(to: answers)
        generator = try Generator(model: answering, pool: pool) { tokenizer.bytes(of: $0) ?? [] }
        artefact = try Self.artefact(of: folder).digest
        let record = (try? Self.bytes(folder + "/recipe.json")).flatMap { try? JSON.parse($0) }
        // The record of the model that ships names its corpus; its licence is that of the product.
        let isOurs = record?["corpus"]?.stringValue == BaseModelRecipe.standardCorpus.prefixed
        licence = record?["licence"]?.stringValue ?? (isOurs ? "Apache-2.0" : "LicenseRef-unknown")
        // What ends a turn: the special tokens that the configuration or the template's family names so.
        let names = ["<|end|>", "<|im_end|>", "<|eot_id|>", "</s>", "<|endoftext|>", "<|end_of_text|>"]
        ends = Set(names.compactMap { tokenizer.id(of: $0) })
    }

    /// All files of a folder that decide what the model says, the template of its conversations among them.
    static func artefact(of folder: String) throws -> Artefact {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter {
            $0.hasSuffix(".json") || $0.hasSuffix(".safetensors") || $0.hasSuffix(".jinja")
        }
        return try Artefact(files: names.map { ($0, try bytes(folder + "/" + $0)) })
    }

    private static func bytes(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }
}
