import Foundation
import Testing

@testable import Engine

/// A tiny model of one variant with what transformers and PEFT computed (Tests/Interop/Engine/make_fixtures.py).
struct ReferenceFixture: Sendable, CustomTestStringConvertible {
    static let names = ["llama", "llama-tied-llama3", "llama-linear-biases", "qwen2-window", "mistral-window"]
    static let all = names.map(ReferenceFixture.init)
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/../../../Interop/Engine/fixtures"

    let name: String
    var testDescription: String { name }
    var folder: String { Self.root + "/" + name }

    func model(_ precision: WeightPrecision = .float32) throws -> LanguageModel { try LanguageModel(folder: folder, precision: precision) }
    func adapter() throws -> Adapter { try Adapter(folder: folder + "/adapter", for: ModelConfiguration(folder: folder)) }

    func expected(_ tensor: String) throws -> [Float]? { try SafeTensors(path: folder + "/expected.safetensors").tensor(tensor)?.floats() }
    func tokens() throws -> [Int32] { try (expected("tokens") ?? []).map { Int32($0) } }
    func example() throws -> TrainingExample { try TrainingExample(tokens: tokens(), lossFrom: 5) }
}

/// ‖a − b‖ / ‖b‖.
func relativeError(_ a: [Float], _ b: [Float]) -> Double {
    guard a.count == b.count else { return .infinity }
    let difference = zip(a, b).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    let size = b.reduce(0) { $0 + Double($1) * Double($1) }
    return (difference / max(size, 1e-30)).squareRoot()
}

/// The largest difference between two numbers at the same place.
func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}
