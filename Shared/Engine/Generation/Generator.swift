internal import Synchronization
internal import Threads

/// Answers many requests at once over one base model, each with its own adapter or none: every step computes one token of every
/// running sequence and a part of the prompts that wait (continuous batching; Orca, OSDI 2022). A new request joins at the next
/// step and an ended one leaves at once.
///
/// An answer depends on its request, the model, the adapter and the kernel level alone: neither on the thread count nor on
/// what else is in the batch.
public final class Generator: Sendable {
    /// The base that answers.
    public let model: LanguageModel
    /// What it takes at once.
    public let limits: GeneratorLimits
    private let shared: BatchQueue

    /// Starts the generator's thread.
    /// - Parameters:
    ///   - pool: threads to compute with; not to be shared with a training run, which keeps them busy for long.
    ///   - bytesOf: the bytes that a token stands for (the tokenizer's).
    public init(
        model: LanguageModel, pool: ComputePool, limits: GeneratorLimits = GeneratorLimits(),
        bytesOf: @escaping @Sendable (Int32) -> [UInt8]
    ) throws(EngineError) {
        try limits.check()
        self.model = model
        self.limits = limits
        let shared = BatchQueue(limit: limits.waiting)
        self.shared = shared
        OSThread.start(name: "generate") {
            Batcher(model: model, pool: pool, limits: limits, queue: shared, bytesOf: bytesOf).run()
        }
    }

    deinit { shared.stop() }

    /// Begins an answer. Its pieces come as they are computed; the last has `finish` and `usage`. When the caller stops reading
    /// or its task is cancelled, the sequence leaves the batch.
    public func generate(_ request: GenerationRequest) throws -> AsyncThrowingStream<GeneratedPiece, any Error> {
        try check(request)
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: GeneratedPiece.self)
        let ticket = Ticket(request: request, continuation: continuation)
        continuation.onTermination = { [shared] termination in
            guard case .cancelled = termination else { return }
            ticket.cancel()
            shared.wake()
        }
        try shared.add(ticket)
        return stream
    }

    /// The whole answer at once.
    public func answer(_ request: GenerationRequest) async throws -> GeneratedPiece {
        var whole = GeneratedPiece(tokens: [], text: "", logprobs: [], alternatives: [], finish: nil, usage: nil)
        for try await piece in try generate(request) {
            whole.tokens += piece.tokens
            whole.text += piece.text
            whole.logprobs += piece.logprobs
            whole.alternatives += piece.alternatives
            whole.finish = piece.finish ?? whole.finish
            whole.usage = piece.usage ?? whole.usage
        }
        if whole.finish == nil { throw EngineError.cancelled }
        return whole
    }

    /// What is running and waiting.
    public var load: (running: Int, waiting: Int) { shared.load }

    /// Ends all answers and refuses new ones.
    public func stop() { shared.stop() }

    private func check(_ request: GenerationRequest) throws {
        try request.sampling.check()
        guard !request.prompt.isEmpty else { throw EngineError.noData("the prompt has no token") }
        guard request.prompt.count < model.contextLength else {
            throw EngineError.rowTooLong(row: 0, tokens: request.prompt.count, limit: model.contextLength - 1)
        }
        let vocabulary = model.configuration.vocabularySize
        if let bad = request.prompt.first(where: { $0 < 0 || $0 >= vocabulary }) {
            throw EngineError.badToken(row: 0, token: bad, vocabulary: vocabulary)
        }
        guard request.maximumTokens > 0 else { throw EngineError.badSetting("maximumTokens must be above 0") }
        guard request.stopStrings.count <= 64, request.stopStrings.allSatisfy({ (1...1024).contains($0.utf8.count) }) else {
            throw EngineError.badSetting("at most 64 stop strings of 1…1024 bytes")
        }
        if let logprobs = request.logprobs, !(0...20).contains(logprobs) { throw EngineError.badSetting("logprobs must be in 0…20") }
        try model.requireFit(request.adapter)
        if let adapter = request.adapter, adapter.rank > 512 {
            throw EngineError.unsupported("an adapter of rank \(adapter.rank); at most 512")
        }
        let length = min(request.prompt.count + request.maximumTokens, model.contextLength)
        let needed = KVCache.byteCount(model.configuration, capacity: length)
        guard needed <= limits.cacheBytes else {
            throw EngineError.outOfMemory(needed: needed, limit: limits.cacheBytes, what: "the request's keys and values")
        }
    }
}

/// A request on its way, and the end of its stream.
final class Ticket: Sendable {
    let request: GenerationRequest
    let continuation: AsyncThrowingStream<GeneratedPiece, any Error>.Continuation
    private let cancelled = Atomic<Bool>(false)

    init(request: GenerationRequest, continuation: AsyncThrowingStream<GeneratedPiece, any Error>.Continuation) {
        self.request = request
        self.continuation = continuation
    }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
    func cancel() { cancelled.store(true, ordering: .releasing) }
}

/// Where callers hand requests to the generator's thread.
final class BatchQueue: Sendable {
    private struct State {
        var waiting: [Ticket] = []
        var isStopped = false
        var running = 0
    }

    private let state = Lock(State())
    private let signal = ThreadSignal()
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var load: (running: Int, waiting: Int) { state.withLock { ($0.running, $0.waiting.count) } }

    func add(_ ticket: Ticket) throws(EngineError) {
        let refusal: EngineError? = state.withLock { state in
            if state.isStopped { return .unavailable("the generator is stopped") }
            if state.waiting.count >= limit { return .unavailable("\(limit) requests wait already: try again later") }
            state.waiting.append(ticket)
            return nil
        }
        if let refusal { throw refusal }
        signal.raise()
    }

    func wake() { signal.raise() }

    func stop() {
        state.withLock { $0.isStopped = true }
        signal.raise()
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// The requests that came, first come first; they stay until ``remove(first:)``.
    var waiting: [Ticket] { state.withLock { $0.waiting } }

    func remove(_ taken: [Ticket], running: Int) {
        state.withLock { state in
            state.waiting.removeAll { ticket in taken.contains { $0 === ticket } }
            state.running = running
        }
    }

    func sleep() { _ = signal.wait(atMost: .seconds(3600)) }
}
