@testable import Engine

/// Models and rows small enough for a debug build.
enum TinyModels {
    static let configuration = ModelConfiguration(
        vocabularySize: 29, hiddenSize: 16, intermediateSize: 24, layerCount: 2, headCount: 4, keyValueHeadCount: 2, contextLength: 48,
        tiesEmbeddings: true)

    /// A model with seeded weights of some size.
    static func model(_ configuration: ModelConfiguration = configuration, seed: UInt64 = 5) throws -> LanguageModel {
        var random = SeededRandom(seed), tensors: [String: [Float]] = [:]
        for shape in configuration.tensorShapes {
            tensors[shape.name] = (0..<shape.count).map { _ in shape.shape.count == 1 ? 1 + 0.1 * random.normal() : 0.25 * random.normal() }
        }
        return try LanguageModel(configuration: configuration, tensors: tensors)
    }

    /// Rows with a rule to learn: each token is the one before plus a step of the row's own.
    static func rows(_ count: Int, seed: UInt64 = 9, length: Int = 14) -> [TrainingExample] {
        var random = SeededRandom(seed)
        return (0..<count).map { _ in
            let start = random.below(29), step = 1 + random.below(2)
            return TrainingExample(tokens: (0..<length).map { Int32((start + $0 * step) % 29) }, lossFrom: 2)
        }
    }

    static func options(steps: Int = 12) -> TrainingOptions {
        var options = TrainingOptions()
        options.steps = steps
        options.rowsPerStep = 6
        options.learningRate = 1e-2
        options.warmupSteps = 3
        options.evaluateEvery = 4
        options.checkpointEvery = 5
        return options
    }
}

extension LanguageModel {
    /// Every number of the model, in one array.
    var allValues: [Float] { configuration.tensorShapes.flatMap { tensor($0.name) ?? [] } }
}
