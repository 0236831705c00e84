internal import HTTP
internal import HTTPClient
internal import JSON

/// Reads a server's stream of chunks, within bounds: of time between two of them, and of text in all.
struct AnswerReader: Sendable {
    /// Most tokens that were asked for.
    let limit: Int
    let patience: Duration

    /// No token is longer than this, on average over an answer; a server that says more says more than it was asked for.
    private static let bytesOfToken = 256
    /// How long a server may take to end its stream once all is said, for its connection to be of use again.
    private static let drain = Duration.seconds(2)

    func events(_ body: ResponseBody) -> AsyncThrowingStream<BackendEvent, any Error> {
        AsyncThrowingStream { continuation in
            let watch = SilenceWatch(patience)
            let reading = Task {
                do {
                    var events = ServerSentEvents(body).makeAsyncIterator()
                    try await read(&events) { event in
                        continuation.yield(event)
                    } heard: {
                        watch.note()
                    }
                    watch.end()
                    continuation.finish()
                    // What is read to its end leaves its connection to the next request.
                    while try await events.next() != nil {}
                } catch {
                    watch.end()
                    continuation.finish(throwing: error)
                }
            }
            watch.begin {
                continuation.finish(throwing: BackendError.silent(patience))
                reading.cancel()
            }
            continuation.onTermination = { end in
                watch.end()
                switch end {
                case .finished: _ = Alarms.shared.set(after: Self.drain) { reading.cancel() }
                default: reading.cancel()
                }
            }
        }
    }

    private func read(
        _ events: inout ServerSentEvents.AsyncIterator, _ tell: (BackendEvent) -> Void, heard: () -> Void
    ) async throws {
        var finish: String?
        var usage: TokenCount?
        var row: String?
        var bytes = 0
        var isDone = false
        while let event = try await events.next() {
            heard()
            if event.data == "[DONE]" {
                isDone = true
                break
            }
            guard let chunk = try? JSON.parse(Array(event.data.utf8)) else { throw BackendError.broken("a chunk is not JSON") }
            if let error = chunk["error"], !error.isNull {
                throw BackendError.refused(status: 500, words: error["message"]?.stringValue ?? "an error")
            }
            if let counted = TokenCount(usage: chunk["usage"]) { usage = counted }
            if let choice = chunk["choices"]?.arrayValue?.first {
                var hasText = false
                if let text = choice["delta"]?["content"]?.stringValue ?? choice["text"]?.stringValue, !text.isEmpty {
                    bytes += text.utf8.count
                    guard bytes <= limit * Self.bytesOfToken else { throw BackendError.broken("it says more than it was asked for") }
                    let logprobs = choice["logprobs"].flatMap { $0.isNull ? nil : $0 }
                    tell(.text(text, usage, logprobs: logprobs))
                    hasText = true
                }
                if let calls = choice["delta"]?["tool_calls"], calls.arrayValue?.isEmpty == false {
                    bytes += JSON.write(calls).count
                    guard bytes <= limit * Self.bytesOfToken else { throw BackendError.broken("it says more than it was asked for") }
                    tell(.tools(calls, usage, isWithText: hasText))
                }
                if let reason = choice["finish_reason"]?.stringValue { finish = reason }
            }
            if let name = chunk["openledger_row"]?.stringValue { row = name }
        }
        // A body that is closed in the middle looks like one that has come to its end, and counts may have come all along.
        guard isDone || finish != nil else { throw BackendError.broken("it broke off: neither a reason why it ends nor [DONE] has come") }
        // A server that counts while it speaks has only said what was used when its count has the answer in it.
        guard let usage, bytes == 0 || usage.output > 0 || finish != nil else {
            throw BackendError.broken("it ended without saying what was used")
        }
        tell(.end(finish: finish ?? "stop", count: usage, row: row))
    }
}
