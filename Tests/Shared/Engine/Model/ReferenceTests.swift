import TestSupport
import Testing

@testable import Engine

@Suite("The numbers are those of transformers and PEFT")
struct ReferenceTests {
    @Test("logits of every variant", arguments: ReferenceFixture.all)
    func logits(_ fixture: ReferenceFixture) async throws {
        let model = try fixture.model()
        for level in KernelLevel.available {
            let pool = try ComputePool(threads: 1, level: level)
            let plain = try await model.logits(fixture.tokens(), pool: pool)
            let expected = try #require(try fixture.expected("logits"))
            #expect(largestDifference(plain, expected) < 1e-4, "\(level)")
            let adapted = try await model.logits(fixture.tokens(), adapter: fixture.adapter(), pool: pool)
            let expectedAdapted = try #require(try fixture.expected("adapter.logits"))
            #expect(largestDifference(adapted, expectedAdapted) < 1e-4, "\(level)")
        }
    }

    @Test("loss of every variant", arguments: ReferenceFixture.all)
    func loss(_ fixture: ReferenceFixture) async throws {
        let pool = try ComputePool(threads: 2)
        let result = try await fixture.model().evaluate([fixture.example()], adapter: fixture.adapter(), pool: pool)
        let expected = try #require(try fixture.expected("adapter.loss"))[0]
        #expect(abs(Float(result.loss) - expected) < 1e-5)
    }

    @Test("gradients of all parameters", arguments: ReferenceFixture.all)
    func fullGradients(_ fixture: ReferenceFixture) throws {
        guard try fixture.expected("gradient.model.norm.weight") != nil else { return }
        let model = try fixture.model(), layout = ParameterLayout(model.configuration)
        let parameters = FloatBuffer(layout.count), gradient = FloatBuffer(layout.count)
        for shape in model.configuration.tensorShapes {
            for (index, value) in (model.tensor(shape.name) ?? []).enumerated() {
                parameters.base[layout.range(shape.name).lowerBound + index] = value
            }
        }
        let example = try fixture.example()
        for level in KernelLevel.available {
            gradient.clear()
            let kernels = try #require(Kernels(level))
            let pass = SequencePass(
                NetworkWeights(layout, in: parameters), rotary: model.rotary, kernels: kernels,
                capacity: example.tokens.count, rank: 0)
            _ = pass.run(
                example.tokens, targets: example.targets, adapter: nil, factor: 1 / Float(example.targets.count),
                gradient: .all(gradient.base, layout))
            for shape in model.configuration.tensorShapes {
                let expected = try #require(try fixture.expected("gradient." + shape.name))
                let found = layout.range(shape.name).map { gradient.base[$0] }
                // A key's bias shifts all scores of a query alike: its gradient is zero but for rounding.
                if shape.name.hasSuffix("k_proj.bias") {
                    #expect(largestDifference(found, expected) < 1e-4, "\(shape.name)")
                } else {
                    #expect(relativeError(found, expected) < 1e-4, "\(shape.name) \(level)")
                }
            }
        }
    }

    @Test("gradients of an adapter's factors", arguments: ReferenceFixture.all)
    func adapterGradients(_ fixture: ReferenceFixture) throws {
        let model = try fixture.model(), adapter = try fixture.adapter(), example = try fixture.example()
        for level in KernelLevel.available {
            let gradient = FloatBuffer(adapter.layout.count)
            let kernels = try #require(Kernels(level))
            let pass = SequencePass(
                model.weights, rotary: model.rotary, kernels: kernels, capacity: example.tokens.count, rank: adapter.rank)
            _ = pass.run(
                example.tokens, targets: example.targets, adapter: adapter, factor: 1 / Float(example.targets.count),
                gradient: .adapter(gradient.base))
            for part in adapter.layout.parts {
                let name = "adapter.gradient.model.layers.\(part.layer).\(part.module.path)"
                let a = try #require(try fixture.expected(name + ".lora_A")), b = try #require(try fixture.expected(name + ".lora_B"))
                #expect(relativeError((0..<a.count).map { gradient.base[part.a + $0] }, a) < 1e-4, "\(name) A \(level)")
                let rank = adapter.rank
                let turned = (0..<b.count).map { gradient.base[part.b + $0 % rank * part.outputs + $0 / rank] }
                #expect(relativeError(turned, b) < 1e-4, "\(name) B \(level)")
            }
        }
    }

    @Test("gradients of rows at an adapter are those of its factors", arguments: ReferenceFixture.all)
    func gradientsOfRows(_ fixture: ReferenceFixture) async throws {
        let adapter = try fixture.adapter(), pool = try ComputePool(threads: 2)
        let found = try await fixture.model().gradients(of: [fixture.example(), fixture.example()], adapter: adapter, pool: pool)
        #expect(found.dimension == adapter.parameterCount && found.values.count == 2 * found.dimension)
        #expect(found.tensors.count == 2 * adapter.layout.parts.count && found.tensors.map(\.count).reduce(0, +) == found.dimension)
        for (part, tensor) in zip(adapter.layout.parts, stride(from: 0, to: found.tensors.count, by: 2).map { found.tensors[$0] }) {
            let name = "adapter.gradient.model.layers.\(part.layer).\(part.module.path).lora_A"
            let expected = try #require(try fixture.expected(name))
            for row in 0..<2 {
                #expect(
                    relativeError(
                        Array(found.values[found.dimension * row + tensor.lowerBound..<found.dimension * row + tensor.upperBound]), expected
                    ) < 1e-4)
            }
        }
    }

    @Test("bfloat16 and int8 weights stay near, int8 less so", arguments: ReferenceFixture.all)
    func precisions(_ fixture: ReferenceFixture) async throws {
        let pool = try ComputePool(threads: 1)
        let expected = try #require(try fixture.expected("logits"))
        // The files hold bfloat16: storing as such loses nothing.
        let half = try await fixture.model(.bfloat16).logits(fixture.tokens(), pool: pool)
        #expect(largestDifference(half, expected) < 1e-4)
        let byte = try await fixture.model(.int8).logits(fixture.tokens(), pool: pool)
        let error = relativeError(byte, expected)
        #expect(error < 0.08 && error > 1e-4, "\(error)")
    }

    @Test(
        "the fixtures are what the installed torch, transformers and PEFT compute",
        .enabled(if: TestPython.torch.has("peft"), "needs OPENLEDGER_TEST_TORCH, a Python with torch, transformers and peft"),
        arguments: ReferenceFixture.all)
    func fixtures(_ fixture: ReferenceFixture) throws {
        try EngineInterop.script("torch_agreement.py", [fixture.folder], by: .torch)
    }
}
