public import Events
public import EventLog
public import Identity
public import Projections
public import Web

/// Rows that a service keeps of the log, and the log as these rows are made of it.
public struct ReadModel: Sendable {
    /// What makes the rows.
    public let projection: any Projection
    /// The log, with what its events name.
    public let log: any LogClient

    /// From its parts.
    public init(_ projection: any Projection, log: any LogClient) {
        self.projection = projection
        self.log = log
    }
}

/// A service, wired and ready to be served: in one process with all others, or by itself.
public protocol RunnableService: Sendable {
    /// Which service it is, or works for.
    static var service: Service { get }

    /// What it is called when it runs by itself; the service's name when it says nothing.
    static var name: String { get }

    /// Wires it. Its migrations have been applied.
    /// - Throws: when what it stands on is not there or not right, in words for who runs it.
    static func open(_ context: ServiceContext) async throws -> Self

    /// The rows that it keeps of the log, so that they can be made anew.
    static func readModels(_ context: ServiceContext) throws -> [ReadModel]

    /// What each other service may do here, by its name: the scopes of its tokens.
    static var grants: [String: Set<String>] { get }

    /// Its routes, and what must hold before it is ready.
    var mount: Mount { get }

    /// API keys that it knows, for the whole process; nil where it knows none.
    var apiKeys: (any APIKeyStore)? { get }

    /// Follows the log and does its work until the task is cancelled.
    func run() async

    /// Brings to its end what was begun for callers: the door is shut, and ``run()`` is cancelled after it. It takes some seconds at the
    /// most.
    func finish() async
}

extension RunnableService {
    /// The service's name.
    public static var name: String { service.rawValue }

    /// None.
    public static func readModels(_ context: ServiceContext) throws -> [ReadModel] { [] }

    /// Nothing: what is in hand is finished by who answers it.
    public func finish() async {}

    /// None: only the gateway knows API keys.
    public var apiKeys: (any APIKeyStore)? { nil }
}
