import Foundation
import Threads

@testable import Engine
@testable import RunnerService

/// A base model with random weights, small enough for a debug build, written as a folder like any other.
enum TinyBase {
    static let specials = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    static let texts = [
        "The moon moves the tides of the pool.", "Whales move the price of the pool.", "The price follows the tides.",
    ]

    /// Writes it into a folder that is made.
    static func write(to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let json = try BPETrainer(vocabularySize: 280, specialTokens: specials).train(texts)
        let tokenizer = try Tokenizer(json: json)
        let configuration = ModelConfiguration(
            vocabularySize: tokenizer.vocabularySize, hiddenSize: 16, intermediateSize: 24, layerCount: 2, headCount: 4,
            keyValueHeadCount: 2, contextLength: 96, tiesEmbeddings: true)
        var random = SeededRandom(3), tensors: [String: [Float]] = [:]
        for shape in configuration.tensorShapes {
            tensors[shape.name] = (0..<shape.count).map { _ in shape.shape.count == 1 ? 1 : 0.2 * random.normal() }
        }
        try LanguageModel(configuration: configuration, tensors: tensors).write(to: folder)
        try Data(json).write(to: URL(fileURLWithPath: folder + "/tokenizer.json"))
        let template = """
            {% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}{% endfor %}{{ '<|assistant|>' }}
            """
        try Data(template.utf8).write(to: URL(fileURLWithPath: folder + "/chat_template.jinja"))
        try Data(#"{"licence":"CC0-1.0"}"#.utf8).write(to: URL(fileURLWithPath: folder + "/recipe.json"))
    }
}
