import Testing

@testable import Engine

@Suite("Sampling and text")
struct SamplerTests {
    private func draws(_ logits: [Float], _ count: Int = 4000, prompt: [Int32] = [], _ change: (inout SamplingOptions) -> Void) -> [Int32:
        Double]
    {
        var options = SamplingOptions()
        options.seed = 7
        change(&options)
        var sampler = Sampler(options, prompt: prompt), found: [Int32: Double] = [:]
        for _ in 0..<count {
            var copy = logits
            copy.withUnsafeMutableBufferPointer { found[sampler.choose($0), default: 0] += 1 / Double(count) }
        }
        return found
    }

    @Test("tokens come as often as their probabilities say")
    func frequencies() {
        let found = draws([0, 1, 2]) { _ in }
        for (token, expected) in [(0 as Int32, 0.0900), (1, 0.2447), (2, 0.6652)] {
            #expect(abs((found[token] ?? 0) - expected) < 0.03)
        }
        let cold = draws([0, 1, 2]) { $0.temperature = 0.5 }
        #expect(abs((cold[2] ?? 0) - 0.8668) < 0.03)
    }

    @Test("top-k and top-p cut the tail, temperature 0 takes the best")
    func cuts() {
        #expect(Set(draws([0, 1, 2, 3]) { $0.topK = 2 }.keys) == [2, 3])
        #expect(Set(draws([0, 1, 2, 3]) { $0.topP = 0.8 }.keys) == [2, 3])
        #expect(Set(draws([0, 1, 2, 3]) { $0.topP = 0.01 }.keys) == [3])
        #expect(Set(draws([0, 1, 2, 3]) { $0.topP = 0 }.keys) == [3])
        #expect(Set(draws([5, 1, 2, 5]) { $0.temperature = 0 }.keys) == [0])
    }

    @Test("penalties make what was said less likely")
    func penalties() {
        #expect(Set(draws([2, 1.5], 1, prompt: [0]) { ($0.repetitionPenalty, $0.temperature) = (2, 0) }.keys) == [1])
        let even = draws([0, 0, 0], 300) { ($0.frequencyPenalty, $0.temperature) = (1, 0) }
        #expect(even.values.allSatisfy { abs($0 - 1.0 / 3) < 0.01 })
    }

    @Test("text comes in whole characters and never shows the beginning of a stop string")
    func text() {
        var plain = AnswerText(stops: [])
        let bytes = Array("aé€😀b".utf8)
        var out: [[UInt8]] = []
        for byte in bytes { out.append(plain.add([byte]).text) }
        #expect(out.allSatisfy { String(validating: $0, as: UTF8.self) != nil })
        #expect(out.flatMap { $0 } == bytes)

        var stopping = AnswerText(stops: ["END", "ENOUGH"])
        #expect(stopping.add(Array("wE".utf8)).text == Array("w".utf8))
        #expect(stopping.add(Array("N".utf8)).text.isEmpty)
        #expect(stopping.add(Array("t E".utf8)).text == Array("ENt ".utf8))
        let last = stopping.add(Array("NDx".utf8))
        #expect(last.isStopped)
        #expect(last.text.isEmpty)
    }

    @Test("kept prefixes stay below their bytes")
    func prefixStore() {
        var store = PrefixStore(limit: 100)
        let cache = KVCache(TinyModels.configuration, capacity: 4)
        store.keep([1, 2, 3], adapter: nil, cache: cache, bytes: 60)
        store.keep([4, 5, 6], adapter: nil, cache: cache, bytes: 40)
        #expect(store.longest([1, 2, 9], adapter: nil)?.length == 2)
        store.keep([7, 8], adapter: nil, cache: cache, bytes: 30)
        #expect(store.bytes == 90)
        #expect(store.longest([4, 5, 6, 7], adapter: nil) == nil, "used longest ago, so it left")
        #expect(store.longest([1, 2, 3], adapter: nil)?.length == 2, "the last token is always computed")
        store.keep([1, 2, 3, 4], adapter: nil, cache: cache, bytes: 61)
        #expect(store.bytes == 91, "the longer one stands for the shorter")
        store.keep([9, 9], adapter: nil, cache: cache, bytes: 101)
        #expect(store.bytes == 91)
    }
}
