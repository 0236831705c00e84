internal import CKernels
internal import Glibc

/// Chooses tokens for one request.
struct Sampler {
    private let options: SamplingOptions
    private var random: SeededRandom
    /// How often a token stands in the answer; prompt tokens are there with 0.
    private var counts: [Int32: Int] = [:]

    init(_ options: SamplingOptions, prompt: [Int32]) {
        self.options = options
        random = SeededRandom(options.seed)
        for token in prompt { counts[token] = 0 }
    }

    /// Chooses from logits, which it changes by the penalties.
    mutating func choose(_ logits: UnsafeMutableBufferPointer<Float>) -> Int32 {
        penalise(logits)
        let chosen = options.temperature == 0 ? Self.best(logits) : draw(logits)
        counts[chosen, default: 0] += 1
        return chosen
    }

    private func penalise(_ logits: UnsafeMutableBufferPointer<Float>) {
        let o = options
        guard o.repetitionPenalty != 1 || o.frequencyPenalty != 0 || o.presencePenalty != 0 else { return }
        for (token, count) in counts {
            let index = Int(token)
            let value = logits[index]
            var changed = value > 0 ? value / o.repetitionPenalty : value * o.repetitionPenalty
            if count > 0 { changed -= Float(count) * o.frequencyPenalty + o.presencePenalty }
            logits[index] = changed
        }
    }

    private static func best(_ logits: UnsafeMutableBufferPointer<Float>) -> Int32 {
        var best = 0
        for index in 1..<max(1, logits.count) where logits[index] > logits[best] { best = index }
        return Int32(best)
    }

    private mutating func draw(_ logits: UnsafeMutableBufferPointer<Float>) -> Int32 {
        let top = logits.max() ?? 0, inverse = 1 / Double(options.temperature)
        // Candidates by probability; among equals the lower id first, so that the order is one for all machines.
        var candidates: [(token: Int32, weight: Double)]
        if options.topP < 1 || options.topK > 0 {
            // Below e^-30 of the best a token cannot matter to a sum of probabilities up to any topP that single precision tells from 1.
            let floor = top - 30 * max(options.temperature, 1e-6)
            candidates = []
            for index in logits.indices where logits[index] >= floor {
                candidates.append((Int32(index), exp(Double(logits[index] - top) * inverse)))
            }
            candidates.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.token < $1.token }
            if options.topK > 0 { candidates.removeLast(max(0, candidates.count - options.topK)) }
            if options.topP < 1 {
                let limit = candidates.reduce(0) { $0 + $1.weight } * Double(options.topP)
                var sum = 0.0, keep = 0
                while keep < candidates.count, sum < limit {
                    sum += candidates[keep].weight
                    keep += 1
                }
                candidates.removeLast(candidates.count - max(1, keep))
            }
        } else {
            candidates = logits.indices.map { (Int32($0), exp(Double(logits[$0] - top) * inverse)) }
        }
        var left = Double(random.next() >> 11) * 0x1p-53 * candidates.reduce(0) { $0 + $1.weight }
        for candidate in candidates {
            left -= candidate.weight
            if left < 0 { return candidate.token }
        }
        return candidates.last?.token ?? 0
    }

    /// The logarithm of the chosen token's probability and those of its most likely rivals, before penalties and temperature.
    static func logprobs(
        _ logits: UnsafeMutableBufferPointer<Float>, logSumExp: Float, count: Int
    ) -> [GeneratedPiece.Logprob] {
        var best: [(token: Int32, value: Float)] = []
        guard count > 0 else { return [] }
        for index in logits.indices {
            let value = logits[index]
            if best.count == count, let last = best.last, value <= last.value { continue }
            let place = best.firstIndex { $0.value < value } ?? best.count
            best.insert((Int32(index), value), at: place)
            if best.count > count { best.removeLast() }
        }
        return best.map { GeneratedPiece.Logprob(token: $0.token, value: $0.value - logSumExp) }
    }
}
