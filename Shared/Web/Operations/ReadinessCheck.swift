/// One thing that must hold before a service takes requests.
public struct ReadinessCheck: Sendable {
    /// How it stands.
    public enum State: Sendable, Equatable {
        /// It holds.
        case ready
        /// It holds, and something beside it does not: for the operator who reads /readyz.
        case degraded(String)
        /// It does not, and why: for the operator who reads /readyz.
        case notReady(String)

        var told: (isReady: Bool, reason: String?) {
            switch self {
            case .ready: (true, nil)
            case .degraded(let reason): (true, reason)
            case .notReady(let reason): (false, reason)
            }
        }
    }

    /// The name, such as `database`.
    public let name: String
    /// Asks. Given two seconds, then it counts as not ready.
    public let state: @Sendable () async -> State

    /// Makes a check.
    public init(_ name: String, state: @escaping @Sendable () async -> State) {
        self.name = name
        self.state = state
    }

    func result(within limit: Duration) async -> State {
        let late = State.notReady("no answer within \(limit)")
        return (try? await Deadline.run(limit, isHeardLate: false, state) { late }) ?? late
    }
}
