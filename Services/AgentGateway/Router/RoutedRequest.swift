/// A request that wants a place.
public struct RoutedRequest: Sendable, Hashable {
    /// A number that no other request has, rising.
    public let id: UInt64
    /// What it needs.
    public let name: AdapterName
    /// Whose it is: principals take turns.
    public let principal: String
    /// How much work it is, in units that are the same for all, such as tokens. Whoever asks for more waits for longer.
    public let work: Int

    /// From its parts.
    public init(id: UInt64, name: AdapterName, principal: String, work: Int = 1) {
        self.id = id
        self.name = name
        self.principal = principal
        self.work = max(1, work)
    }
}

/// What shall be done, in this order.
public enum RouterAction: Sendable, Hashable {
    /// The request goes to this backend. `isCold` says that an adapter had to be brought in for it.
    case start(request: UInt64, backend: Int, isCold: Bool)
    /// The backend shall bring the adapter in. Answered by `loaded` or `loadFailed`.
    case load(AdapterName, backend: Int)
    /// The backend shall let the adapter go.
    case unload(AdapterName, backend: Int)
    /// The request gets no place.
    case refuse(request: UInt64, RouterRefusal)
}

/// Why a request gets no place.
public enum RouterRefusal: Sendable, Hashable {
    /// No backend has this base model, or none could ever hold its adapter.
    case unknown
    /// The principal has too many requests waiting.
    case tooManyOfOne(retryAfter: Int64)
    /// Too many requests wait.
    case full(retryAfter: Int64)
    /// It has waited for too long.
    case tooLate(retryAfter: Int64)
    /// All backends that could do it drain.
    case noBackend(retryAfter: Int64)
    /// It failed on every backend that it was tried on.
    case failed
}

/// How a started request ended.
public enum RouterOutcome: Sendable, Hashable {
    /// With an answer.
    case served
    /// Before anything was answered, by the backend's fault: it is tried elsewhere.
    case failed
    /// Before anything was answered, since the backend has too much to do as it is: it is tried elsewhere, and that is no fault.
    case busy
    /// In the middle of an answer, by the backend's fault: it can't be tried again.
    case broke
    /// The backend no longer has the adapter: it is brought in again.
    case missing
    /// By the caller's doing, or for the request's own fault. It says nothing about the backend.
    case ended
}
