internal import AdapterRouter
internal import HTTPClient

/// What goes wrong behind the gateway.
enum BackendError: Error, CustomStringConvertible {
    case refused(status: Int, words: String)
    case broken(String)
    case silent(Duration)

    var description: String {
        switch self {
        case .refused(let status, let words): "the model server answered \(status): \(words)"
        case .broken(let why): "the model server's stream is broken: \(why)"
        case .silent(let patience): "the model server said nothing for \(patience.components.seconds) s"
        }
    }

    /// What an error before the first piece says about where the request went.
    static func outcome(_ error: any Error, hasAdapter: Bool) -> RouterOutcome {
        guard case BackendError.refused(let status, _) = error else { return error is CancellationError ? .ended : .failed }
        switch status {
        case 404 where hasAdapter: return .missing
        case 400, 413, 422: return .ended
        default: return .failed
        }
    }
}
