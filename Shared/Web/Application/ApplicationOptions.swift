/// What a site may set about the rules that all routes share.
public struct ApplicationOptions: Sendable {
    /// Who may read /metrics. Without a word from the site: whoever has the scope.
    public var metricsAccess: Access = .scope("metrics:read")
    /// Failed authentications of one peer before it must wait.
    public var authenticationFailures = 20
    /// How long it takes until one more failure is forgiven.
    public var failureForgiven: Duration = .seconds(3)
    /// Peers whose failures are remembered.
    public var failureTable = 4096
    /// How long a readiness check may take.
    public var readinessLimit: Duration = .seconds(2)
    /// Whether each answer is a log line (level info; error when it is a 5xx).
    public var accessLog = true

    /// The defaults.
    public init() {}
}
