internal import AdapterRouter
internal import HTTPClient
internal import Web

/// What goes wrong behind the gateway.
enum BackendError: Error, CustomStringConvertible {
    /// It said no. Its words may have anything in them, such as the prompt or a path: they are looked at, and go no further.
    case refused(status: Int, words: String, retryAfter: Int? = nil)
    case broken(String)
    case silent(Duration)

    var description: String {
        switch self {
        case .refused(let status, _, _): "the model server answered \(status)"
        case .broken(let why): "the model server's stream is broken: \(why)"
        case .silent(let patience): "the model server said nothing for \(patience.components.seconds) s"
        }
    }

    /// What an error before the first piece says about where the request went.
    static func outcome(_ error: any Error, hasAdapter: Bool) -> RouterOutcome {
        guard case BackendError.refused(let status, _, _) = error else {
            return error is CancellationError || error is Problem ? .ended : .failed
        }
        switch status {
        case 404 where hasAdapter: return .missing
        // Too much for now is no fault: a backend that keeps its own bounds is well, and another may have a place.
        case 429: return .busy
        case 400, 413, 422: return .ended
        default: return .failed
        }
    }

    /// What a caller is told of it: neither a server's words nor where it is.
    static func words(_ error: any Error) -> String {
        error is BackendError ? "the model could not answer: \(error)" : "the model could not answer"
    }
}
