internal import CKernels
internal import Glibc

/// The generator's loop; everything in it belongs to its thread.
final class Batcher {
    private final class Sequence {
        let ticket: Ticket
        let cache: KVCache
        let bytes: Int
        let limit: Int
        var tokens: [Int32]
        let promptCount: Int
        let cachedCount: Int
        var sampler: Sampler
        var text: AnswerText
        var held = GeneratedPiece(tokens: [], text: "", logprobs: [], alternatives: [], finish: nil, usage: nil)

        init(_ ticket: Ticket, cache: KVCache, bytes: Int, limit: Int, cachedCount: Int) {
            self.ticket = ticket
            self.cache = cache
            self.bytes = bytes
            self.limit = limit
            self.cachedCount = cachedCount
            tokens = ticket.request.prompt
            promptCount = tokens.count
            sampler = Sampler(ticket.request.sampling, prompt: ticket.request.prompt)
            text = AnswerText(stops: ticket.request.stopStrings)
        }
    }

    private let model: LanguageModel
    private let limits: GeneratorLimits
    private let queue: BatchQueue
    private let bytesOf: @Sendable (Int32) -> [UInt8]
    private let step: DecodeStep
    private let k: EngineKernels
    private var running: [Sequence] = []
    private var cacheBytes = 0
    private var prefixes: PrefixStore

    init(
        model: LanguageModel, pool: ComputePool, limits: GeneratorLimits, queue: BatchQueue, bytesOf: @escaping @Sendable (Int32) -> [UInt8]
    ) {
        self.model = model
        self.limits = limits
        self.queue = queue
        self.bytesOf = bytesOf
        k = pool.kernels.table
        step = DecodeStep(model, pool: pool, capacity: limits.sequences + limits.promptTokensPerStep, logitRows: limits.sequences)
        prefixes = PrefixStore(limit: limits.prefixBytes)
    }

    func run() {
        while !queue.isStopped {
            admit()
            for sequence in running where sequence.ticket.isCancelled { end(sequence, .cancelled) }
            if running.isEmpty { if queue.waiting.isEmpty { queue.sleep() } } else { advance() }
        }
        for sequence in running { sequence.ticket.continuation.finish(throwing: EngineError.unavailable("the generator was stopped")) }
        for ticket in queue.waiting { ticket.continuation.finish(throwing: EngineError.unavailable("the generator was stopped")) }
        queue.remove(queue.waiting, running: 0)
    }

    /// Takes requests from the line while there is room for them.
    private func admit() {
        var taken: [Ticket] = []
        for ticket in queue.waiting {
            if ticket.isCancelled {
                taken.append(ticket)
                ticket.continuation.finish()
                continue
            }
            let request = ticket.request
            let length = min(request.prompt.count + request.maximumTokens, model.contextLength)
            let bytes = KVCache.byteCount(model.configuration, capacity: length)
            guard running.count < limits.sequences, cacheBytes + bytes <= limits.cacheBytes else { break }
            let cache = KVCache(model.configuration, capacity: length)
            var reused = 0
            if let known = prefixes.longest(request.prompt, adapter: request.adapter) {
                cache.copy(known.cache, length: known.length)
                reused = known.length
            }
            cacheBytes += bytes
            running.append(Sequence(ticket, cache: cache, bytes: bytes, limit: length, cachedCount: reused))
            taken.append(ticket)
        }
        if !taken.isEmpty { queue.remove(taken, running: running.count) }
    }

    private func advance() {
        var rows: [DecodeStep.Row] = []
        var sampled: [Sequence] = []
        var room = limits.promptTokensPerStep
        for sequence in running {
            let left = sequence.tokens.count - sequence.cache.count
            // An answer in progress has one token to go and always goes; prompts share the room, first come first.
            let count = left == 1 ? 1 : min(left, room)
            guard count > 0 else { continue }
            if left > 1 { room -= count }
            let start = sequence.cache.count
            for position in start..<start + count {
                rows.append(
                    DecodeStep.Row(
                        token: sequence.tokens[position], position: position, cache: sequence.cache,
                        adapter: sequence.ticket.request.adapter, wantsLogits: position == sequence.tokens.count - 1))
            }
            if count == left { sampled.append(sequence) }
        }
        step.run(rows)
        let vocabulary = model.configuration.vocabularySize
        for (index, sequence) in sampled.enumerated() {
            take(sequence, UnsafeMutableBufferPointer(start: step.logits.base + index * vocabulary, count: vocabulary))
        }
    }

    private func take(_ sequence: Sequence, _ logits: UnsafeMutableBufferPointer<Float>) {
        let request = sequence.ticket.request
        // An adapter may have been made to overflow, or have learned to.
        guard logits.allSatisfy(\.isFinite) else {
            return fail(sequence, .badWeights("the model's answer is no longer a finite number: its adapter or weights overflow"))
        }
        var sum: Float = 0, rivals: [GeneratedPiece.Logprob] = [], raw: [Float] = []
        if let count = request.logprobs, let base = logits.baseAddress {
            sum = k.log_sum_exp(base, Int64(logits.count))
            rivals = Sampler.logprobs(logits, logSumExp: sum, count: count)
            raw = Array(logits)
        }
        let token = sequence.sampler.choose(logits)
        if request.stopTokens.contains(token) { return end(sequence, .stop) }
        sequence.tokens.append(token)
        sequence.held.tokens.append(token)
        if request.logprobs != nil {
            sequence.held.logprobs.append(.init(token: token, value: raw[Int(token)] - sum))
            sequence.held.alternatives.append(rivals)
        }
        let (text, isStopped) = sequence.text.add(bytesOf(token))
        sequence.held.text += String(decoding: text, as: UTF8.self)
        if isStopped { return end(sequence, .stop) }
        let generated = sequence.tokens.count - sequence.promptCount
        if generated >= request.maximumTokens || sequence.tokens.count >= sequence.limit { return end(sequence, .length) }
        if !sequence.text.isHolding { deliver(sequence) }
    }

    /// Ends an answer that can't go on, and nobody else's.
    private func fail(_ sequence: Sequence, _ error: EngineError) {
        sequence.ticket.continuation.finish(throwing: error)
        running.removeAll { $0 === sequence }
        cacheBytes -= sequence.bytes
        queue.remove([], running: running.count)
    }

    private func deliver(_ sequence: Sequence) {
        sequence.ticket.continuation.yield(sequence.held)
        sequence.held = GeneratedPiece(tokens: [], text: "", logprobs: [], alternatives: [], finish: nil, usage: nil)
    }

    private func end(_ sequence: Sequence, _ reason: GeneratedPiece.FinishReason) {
        // What was held back in case of a stop string: none can complete any more. After a complete one nothing is left.
        sequence.held.text += String(decoding: sequence.text.finish(), as: UTF8.self)
        sequence.held.finish = reason
        sequence.held.usage = GeneratedPiece.Usage(
            promptTokens: sequence.promptCount, cachedTokens: sequence.cachedCount,
            generatedTokens: sequence.tokens.count - sequence.promptCount)
        deliver(sequence)
        sequence.ticket.continuation.finish()
        running.removeAll { $0 === sequence }
        cacheBytes -= sequence.bytes
        prefixes.keep(
            Array(sequence.tokens.prefix(sequence.cache.count)), adapter: sequence.ticket.request.adapter, cache: sequence.cache,
            bytes: sequence.bytes)
        queue.remove([], running: running.count)
    }
}
