import Crypto
import Engine
import Foundation
import RunnerService
import Threads

/// A base model in a folder, looked over.
struct ModelFolder: Sendable {
    let path: String
    let configuration: ModelConfiguration
    /// What the log calls it.
    let artefact: String
    /// Bytes of its weights.
    let bytes: UInt64
    let hasTemplate: Bool

    /// Reads configuration, tokenizer and the weights' headers; every tensor must be there with its shape, and the tokenizer fit.
    static func open(_ path: String) async throws -> ModelFolder {
        try await OSThread.run(name: "model") {
            let configuration = try ModelConfiguration(folder: path)
            let weights = try ModelWeights(folder: path)
            try weights.requireFit(configuration)
            try Tokenizer(folder: path).requireFit(configuration)
            let bytes = try weights.files.reduce(UInt64(0)) { sum, file in
                sum + UInt64(try URL(fileURLWithPath: file.path).resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0)
            }
            return ModelFolder(
                path: path, configuration: configuration, artefact: try BaseModels.artefact(of: path).prefixed, bytes: bytes,
                hasTemplate: try ChatTemplate(folder: path) != nil)
        }
    }

    /// What people are told of it.
    var words: [String] {
        [
            "model    \(configuration.architecture), \(Text.grouped(UInt64(configuration.parameterCount))) parameters, \(configuration.layerCount) layers of \(configuration.hiddenSize)",
            "context  \(Text.grouped(UInt64(configuration.contextLength))) tokens, vocabulary \(Text.grouped(UInt64(configuration.vocabularySize))), \(hasTemplate ? "with" : "without") a chat template",
            "weights  \(Text.size(bytes))",
            "artefact \(artefact)",
        ]
    }
}
