import Engine
import Foundation
import JSON
import TestSupport
import Testing

/// Adapter directories.
struct PEFTAdapterTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("adapter") }

    private static let model = ModelConfiguration(
        vocabularySize: 20, hiddenSize: 8, intermediateSize: 12, layerCount: 2, headCount: 2, keyValueHeadCount: 1, contextLength: 16)

    private func adapter() throws -> PEFTAdapter {
        var modules: [String: LoRAWeights] = [:]
        for layer in 0..<2 {
            for part in Self.model.projections(layer: layer) where part.path.hasSuffix("q_proj") || part.path.hasSuffix("down_proj") {
                modules[part.path] = try LoRAWeights(
                    rank: 2, inputSize: part.inputSize, outputSize: part.outputSize, a: (0..<2 * part.inputSize).map { Float($0) / 7 },
                    b: (0..<2 * part.outputSize).map { Float($0) - 0.1 })
            }
        }
        return PEFTAdapter(
            configuration: PEFTConfiguration(rank: 2, alpha: 5, targetModules: ["q_proj", "down_proj"], dropout: 0.05, baseModel: "base"),
            modules: modules, metadata: ["lineage": "sha256:00", "format": "pt"])
    }

    private func rewrite(_ changes: [String: JSONValue]) throws {
        let path = folder.path("adapter_config.json")
        var object = try #require(try JSON.parse(Array(Data(contentsOf: URL(fileURLWithPath: path)))).objectValue)
        for (key, value) in changes { object[key] = value }
        try Data(JSON.write(.object(object))).write(to: URL(fileURLWithPath: path))
    }

    @Test func `what is written is read, and the same adapter has the same hash`() throws {
        let adapter = try adapter()
        let digest = try adapter.write(to: folder.path)
        let read = try PEFTAdapter(folder: folder.path)
        #expect(read == adapter)
        #expect(try read.write(to: folder.path) == digest)
        #expect(read.parameterCount == 2 * (2 * (8 + 8) + 2 * (12 + 8)))
        try read.requireFit(Self.model)
        #expect(read.configuration.scale == 2.5)
    }

    @Test func `a rank-stabilised adapter scales by the root of its rank`() throws {
        try adapter().write(to: folder.path)
        try rewrite(["use_rslora": true, "r": 2])
        let scale = try PEFTAdapter(folder: folder.path).configuration.scale
        #expect(abs(scale - 5 / 2.0.squareRoot()) < 1e-12)
    }

    @Test(
        arguments: [
            (["use_dora": true], "use_dora"), (["fan_in_fan_out": true], "fan_in_fan_out"), (["peft_type": "IA3"], "IA3"),
            (["rank_pattern": ["q_proj": 4]], "rank_pattern"), (["modules_to_save": ["lm_head"]], "modules_to_save"),
            (["bias": "all"], "bias"),
            (["target_modules": ".*q_proj"], "regular expression"), (["target_modules": ["v_proj"]], "target_modules"), (["r": 3], "r 3"),
            (["r": 0], "/r"), (["r": 100_000], "/r"), (["lora_alpha": "16"], "lora_alpha"), (["lora_bias": true], "lora_bias"),
        ] as [([String: JSONValue], String)])
    func `a variant that needs other arithmetic, or does not fit its tensors, is refused by name`(
        changes: [String: JSONValue], reason: String
    ) throws {
        try adapter().write(to: folder.path)
        try rewrite(changes)
        let error = #expect(throws: FormatError.self) { try PEFTAdapter(folder: folder.path) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test func `half a pair, a stray tensor and an adapter of another base are refused`() throws {
        let adapter = try adapter()
        try adapter.write(to: folder.path)
        let name = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"
        let a = TensorContent(name: name, shape: [2, 8], float32: [Float](repeating: 1, count: 16))
        let b = TensorContent(
            name: name.replacingOccurrences(of: "lora_A", with: "lora_B"), shape: [8, 2], float32: [Float](repeating: 1, count: 16))
        let stray = TensorContent(name: "base_model.model.lm_head.weight", shape: [1], float32: [1])
        for tensors in [[a], [b], [a, b, stray], []] {
            try SafeTensorsWriter.write(tensors, to: folder.path("adapter_model.safetensors"))
            #expect(throws: FormatError.self) { try PEFTAdapter(folder: folder.path) }
        }
        var other = Self.model
        other.hiddenSize = 16
        #expect(throws: FormatError.self) { try adapter.requireFit(other) }
        other = Self.model
        other.layerCount = 1
        #expect(throws: FormatError.self) { try adapter.requireFit(other) }
    }
}
