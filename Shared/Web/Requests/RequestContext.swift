public import HTTP
public import Identity
public import JSON
public import Telemetry

/// A request on its way to its handler: read, authenticated and checked.
public struct RequestContext: Sendable {
    /// The request as it came. Its body has been read, unless the route takes a stream.
    public let request: Request
    /// The id that the answer and the log lines carry.
    public let requestID: String
    /// The trace, seen from a span of ours; its `traceID` is an event's `correlation`.
    public let trace: TraceContext
    /// Who asks. Present on every route that is not public.
    public let verifiedCaller: Caller?
    /// The path's parameters.
    public let path: PathParameters
    /// The query's parameters.
    public let query: Query
    /// When the route's deadline passes.
    public let deadline: ContinuousClock.Instant?
    let serviceLog: Logger
    /// The body of routes that take JSON, parsed; null elsewhere.
    public let json: JSONValue
    /// The body of routes that take JSON or bytes; empty elsewhere.
    public let bytes: [UInt8]
    /// The body of routes that take a stream, bounded.
    public let stream: RequestBody
    /// Who the command is, on routes that take an `Idempotency-Key` and got one.
    public let command: CommandIdentity?

    /// Who asks.
    /// - Throws: `Problem` 401 on a public route, where nobody is asked for.
    public var caller: Caller {
        get throws(Problem) {
            guard let verifiedCaller else { throw .unauthenticated("this needs to know who asks") }
            return verifiedCaller
        }
    }

    /// Writes lines that carry the request's id and trace.
    public var log: Logger { serviceLog.with(["request": .string(requestID), "trace": .string(trace.traceID)]) }

    /// The command's identity on a route whose key is required.
    /// - Throws: `Problem` 400 when there is none.
    public var requiredCommand: CommandIdentity {
        get throws(Problem) {
            guard let command else { throw Problem(.keyMissing, "this route needs an Idempotency-Key", field: "Idempotency-Key") }
            return command
        }
    }

    /// Decodes the body: `let command = try context.decode(PlaceHold.init(json:))`. What the decoder finds wrong becomes 400 with its place.
    public func decode<Value>(_ decoder: (JSONValue) throws -> Value) throws -> Value {
        do { return try decoder(json) } catch let error as JSONFieldError { throw Problem(body: error) } catch let error as JSONError {
            throw Problem(body: error)
        }
    }
}
