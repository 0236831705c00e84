import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing
import Threads

@testable import Engine

@Suite("Generation")
struct GeneratorTests {
    /// Token n is the letter with that number; 0 is a blank.
    private static let bytesOf: @Sendable (Int32) -> [UInt8] = { [$0 == 0 ? 32 : UInt8(64 + $0)] }

    private func generator(
        _ model: LanguageModel, threads: Int = 2, _ change: (inout GeneratorLimits) -> Void = { _ in }
    ) throws -> Generator {
        var limits = GeneratorLimits()
        change(&limits)
        return try Generator(model: model, pool: ComputePool(threads: threads), limits: limits, bytesOf: Self.bytesOf)
    }

    private func adapter(_ model: LanguageModel, seed: UInt64, rank: Int = 3) throws -> Adapter {
        let adapter = try Adapter.initial(LoRAOptions(rank: rank, alpha: 8), for: model.configuration, seed: seed)
        var random = SeededRandom(seed &+ 1000)
        for index in 0..<adapter.parameters.count { adapter.parameters.base[index] = 0.3 * random.normal() }
        return adapter
    }

    private func request(_ prompt: [Int32], _ adapter: Adapter? = nil, tokens: Int = 10, _ sampling: SamplingOptions = .greedy)
        -> GenerationRequest
    {
        var request = GenerationRequest(prompt: prompt, adapter: adapter)
        request.maximumTokens = tokens
        request.sampling = sampling
        return request
    }

    @Test("greedy answers are those of the whole forward pass", arguments: WeightPrecision.allCases)
    func greedy(_ precision: WeightPrecision) async throws {
        let model = try TinyModels.model().converted(to: precision), pool = try ComputePool(threads: 1)
        let generator = try generator(model)
        defer { generator.stop() }
        for adapter in [nil, try adapter(model, seed: 3)] {
            var tokens: [Int32] = [3, 7, 1, 12]
            let answer = try await generator.answer(request(tokens, adapter, tokens: 12))
            for token in answer.tokens {
                let logits = try await model.logits(tokens, adapter: adapter, pool: pool).suffix(29)
                let best = logits.enumerated().max { $0.element < $1.element }?.offset
                #expect(best == Int(token))
                tokens.append(token)
            }
            #expect(answer.finish == .length)
            #expect(answer.usage == .init(promptTokens: 4, cachedTokens: 0, generatedTokens: 12))
            #expect(answer.text == String(decoding: answer.tokens.flatMap(Self.bytesOf), as: UTF8.self))
        }
    }

    @Test("sliding windows hold in the cache as well", arguments: ReferenceFixture.all)
    func windows(_ fixture: ReferenceFixture) async throws {
        let model = try fixture.model(), generator = try generator(model) { $0.promptTokensPerStep = 5 }
        defer { generator.stop() }
        let tokens = try fixture.tokens(), adapter = try fixture.adapter()
        var asked = request(tokens, adapter, tokens: 1)
        asked.logprobs = 20
        let answer = try await generator.answer(asked)
        let logits = Array(try #require(try fixture.expected("adapter.logits")).suffix(37))
        let sum = Float(logits.reduce(0.0) { $0 + Double($1).exponential }.logarithm)
        for rival in try #require(answer.alternatives.first) { #expect(abs(rival.value - (logits[Int(rival.token)] - sum)) < 1e-4) }
    }

    @Test("an answer is the same alone and among others with other adapters, with any number of threads")
    func batching() async throws {
        let model = try TinyModels.model()
        var sampling = SamplingOptions()
        sampling.temperature = 0.9
        sampling.topP = 0.95
        var requests: [GenerationRequest] = []
        for index in 0..<12 {
            sampling.seed = UInt64(index)
            let prompt = (0..<(3 + index)).map { Int32(($0 * 5 + index) % 29) }
            requests.append(
                request(prompt, index % 4 == 0 ? nil : try adapter(model, seed: UInt64(index), rank: 1 + index % 5), tokens: 14, sampling))
        }
        var alone: [[Int32]] = []
        for request in requests {
            let generator = try generator(model, threads: 1)
            alone.append(try await generator.answer(request).tokens)
            generator.stop()
        }
        for threads in [1, 2] {
            let generator = try generator(model, threads: threads) { limits in
                limits.sequences = 5
                limits.promptTokensPerStep = 7
            }
            let together = try await withThrowingTaskGroup(of: (Int, [Int32]).self) { group in
                for (index, request) in requests.enumerated() {
                    group.addTask { (index, try await generator.answer(request).tokens) }
                }
                return try await group.reduce(into: [Int: [Int32]]()) { $0[$1.0] = $1.1 }
            }
            for index in requests.indices { #expect(together[index] == alone[index], "request \(index), \(threads) threads") }
            generator.stop()
        }
        #expect(Set(alone).count > 6)
    }

    @Test("a prompt that begins like an earlier one is read from the cache and answered the same")
    func prefixes() async throws {
        let model = try TinyModels.model(), adapter = try adapter(model, seed: 1)
        let prompt: [Int32] = (0..<20).map { Int32($0 * 3 % 29) }
        let fresh = try generator(model)
        let expected = try await fresh.answer(request(prompt + [5, 6], adapter))
        fresh.stop()
        let generator = try generator(model)
        defer { generator.stop() }
        _ = try await generator.answer(request(prompt, adapter))
        let again = try await generator.answer(request(prompt + [5, 6], adapter))
        #expect(again.usage?.cachedTokens == 20)
        #expect(again.tokens == expected.tokens)
        let other = try await generator.answer(request(prompt + [5, 6]))
        #expect(other.usage?.cachedTokens == 0, "another adapter's keys and values are not ours")
    }

    @Test("log-probabilities are those of the softmax and sum to at most one")
    func logprobs() async throws {
        let model = try TinyModels.model(), generator = try generator(model), pool = try ComputePool(threads: 1)
        defer { generator.stop() }
        var asked = request([1, 2, 3], tokens: 1)
        asked.logprobs = 5
        let answer = try await generator.answer(asked)
        let logits = Array(try await model.logits([1, 2, 3], pool: pool).suffix(29))
        let sum = Float(logits.reduce(0.0) { $0 + Double($1).exponential }.logarithm)
        #expect(answer.logprobs.count == 1)
        #expect(abs(answer.logprobs[0].value - (logits[Int(answer.tokens[0])] - sum)) < 1e-4)
        #expect(answer.alternatives[0].map(\.value) == answer.alternatives[0].map(\.value).sorted(by: >))
        #expect(answer.alternatives[0].first?.token == answer.tokens[0])
    }

    @Test("stop tokens and stop strings end an answer and are not part of it")
    func stops() async throws {
        let model = try TinyModels.model(), generator = try generator(model)
        defer { generator.stop() }
        var sampling = SamplingOptions()
        sampling.temperature = 3
        sampling.seed = 11
        let whole = try await generator.answer(request([1, 2, 3], tokens: 30, sampling))
        let letters = Array(whole.text)
        var asked = request([1, 2, 3], tokens: 30, sampling)
        asked.stopStrings = [String(letters[12...14])]
        let stopped = try await generator.answer(asked)
        #expect(stopped.finish == .stop)
        let first = try #require(whole.text.range(of: asked.stopStrings[0]))
        #expect(stopped.text == String(whole.text[..<first.lowerBound]))
        asked.stopStrings = []
        asked.stopTokens = [whole.tokens[7]]
        let ended = try await generator.answer(asked)
        #expect(ended.finish == .stop)
        #expect(ended.tokens == Array(whole.tokens.prefix { $0 != whole.tokens[7] }))
    }

    @Test("who stops reading leaves the batch")
    func cancellation() async throws {
        let model = try TinyModels.model(), generator = try generator(model) { $0.sequences = 1 }
        defer { generator.stop() }
        var pieces = 0
        for try await _ in try generator.generate(request([1, 2], tokens: 40)) {
            pieces += 1
            if pieces == 2 { break }
        }
        // The only place is free again.
        #expect(try await generator.answer(request([4, 5], tokens: 3)).tokens.count == 3)
    }

    @Test("what cannot be answered is refused")
    func refusals() async throws {
        let model = try TinyModels.model(), generator = try generator(model) { $0.cacheBytes = 3000 }
        #expect(throws: EngineError.self) { try generator.generate(request([])) }
        #expect(throws: EngineError.badToken(row: 0, token: 29, vocabulary: 29)) { try generator.generate(request([29])) }
        #expect(throws: EngineError.self) { try generator.generate(request([Int32](repeating: 1, count: 48))) }
        #expect(throws: EngineError.self) { try generator.generate(request([1], tokens: 40)) }
        #expect(throws: EngineError.self) { try generator.generate(request([1], tokens: 0)) }
        var sampling = SamplingOptions()
        sampling.topP = 1.01
        #expect(throws: EngineError.self) { try generator.generate(request([1], tokens: 1, sampling)) }
        var other = TinyModels.configuration
        other.intermediateSize = 32
        let foreign = try adapter(TinyModels.model(other), seed: 1)
        #expect(throws: EngineError.self) { try generator.generate(request([1], foreign, tokens: 1)) }
        generator.stop()
        #expect(throws: EngineError.unavailable("the generator is stopped")) { try generator.generate(request([1], tokens: 1)) }
    }

    @Test("adapters stay below the budget, the one used longest ago leaves, the pinned stay, two askers load once")
    func adapterCache() async throws {
        let model = try TinyModels.model(), size = try adapter(model, seed: 1).byteCount
        let loads = Lock<[String]>([])
        let cache = AdapterCache(budget: 3 * size + 10) { name in
            loads.withLock { $0.append(name) }
            if name == "missing" { throw EngineError.file("no such adapter") }
            return try Adapter.initial(LoRAOptions(rank: 3, alpha: 8), for: model.configuration, seed: UInt64(name.utf8.count))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { _ = try await cache.adapter("a") } }
            try await group.waitForAll()
        }
        #expect(loads.withLock { $0 } == ["a"])
        cache.pin("a")
        for name in ["b", "c", "b", "d"] { _ = try await cache.adapter(name) }
        #expect(cache.resident.names == ["a", "b", "d"])
        #expect(cache.resident.bytes == 3 * size)
        await #expect(throws: EngineError.self) { try await cache.adapter("missing") }
        await #expect(throws: EngineError.self) { try await cache.adapter("missing") }
        #expect(loads.withLock { $0.filter { $0 == "missing" }.count } == 2, "a failed load is tried again")
    }
}

extension Double {
    fileprivate var exponential: Double { Glibc.exp(self) }
    fileprivate var logarithm: Double { Glibc.log(self) }
}
