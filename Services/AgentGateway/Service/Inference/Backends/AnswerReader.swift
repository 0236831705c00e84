internal import HTTP
internal import HTTPClient
internal import JSON
internal import Threads
internal import Synchronization

/// Reads a server's stream of chunks, within bounds: of time between two of them, and of text in all.
struct AnswerReader: Sendable {
    /// Most tokens that were asked for.
    let limit: Int
    let patience: Duration

    /// No token is longer than this, on average over an answer; a server that says more says more than it was asked for.
    private static let bytesOfToken = 256

    func events(_ body: ResponseBody) -> AsyncThrowingStream<BackendEvent, any Error> {
        AsyncThrowingStream { continuation in
            let heard = LastHeard()
            let reading = Task {
                do {
                    try await read(ServerSentEvents(body)) { event in
                        heard.note()
                        continuation.yield(event)
                    }
                    continuation.finish()
                } catch { continuation.finish(throwing: error) }
            }
            let watch = Task { [patience] in
                while true {
                    let last = heard.time
                    guard ContinuousClock.now < last + patience else { break }
                    try await Task.sleep(until: last + patience, clock: .continuous)
                }
                continuation.finish(throwing: BackendError.silent(patience))
                reading.cancel()
            }
            continuation.onTermination = { _ in
                reading.cancel()
                watch.cancel()
            }
        }
    }

    private func read(_ events: ServerSentEvents, _ tell: (BackendEvent) -> Void) async throws {
        var finish = "stop"
        var usage: (input: Int, output: Int)?
        var row: String?
        var bytes = 0
        for try await event in events {
            if event.data == "[DONE]" { break }
            guard let chunk = try? JSON.parse(Array(event.data.utf8)) else { throw BackendError.broken("a chunk is not JSON") }
            if let error = chunk["error"], !error.isNull {
                throw BackendError.refused(status: 500, words: error["message"]?.stringValue ?? "an error")
            }
            if let choice = chunk["choices"]?.arrayValue?.first {
                if let text = choice["delta"]?["content"]?.stringValue ?? choice["text"]?.stringValue, !text.isEmpty {
                    bytes += text.utf8.count
                    guard bytes <= limit * Self.bytesOfToken else { throw BackendError.broken("it says more than it was asked for") }
                    tell(.text(text))
                }
                if let reason = choice["finish_reason"]?.stringValue { finish = reason }
            }
            if let counted = chunk["usage"], let input = counted["prompt_tokens"]?.intValue,
                let output = counted["completion_tokens"]?.intValue, input >= 0, output >= 0
            {
                usage = (Int(input), Int(output))
            }
            if let name = chunk["openledger_row"]?.stringValue { row = name }
        }
        guard let usage else { throw BackendError.broken("it ended without saying what was used") }
        tell(.end(finish: finish, input: usage.input, output: usage.output, row: row))
    }
}

/// When something was heard last.
private final class LastHeard: Sendable {
    private let last = Lock<ContinuousClock.Instant>(.now)

    var time: ContinuousClock.Instant { last.withLock { $0 } }

    func note() { last.withLock { $0 = .now } }
}
