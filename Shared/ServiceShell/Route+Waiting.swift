public import Decisions
internal import HTTP
public import Projections
public import Web

/// How far an answer's sources must have come before it is made from them.
public struct ReadWait: Sendable {
    /// What waits for a position.
    private let waits: [@Sendable (UInt64, Duration) async throws -> Void]

    /// Rows of projections.
    public init(rows runners: [ProjectionRunner]) {
        waits = runners.map { runner in { try await runner.waitUntilApplied($0, timeout: $1) } }
    }

    /// A state that decides, and rows of projections.
    public init<State>(state maker: DecisionMaker<State>, rows runners: [ProjectionRunner] = []) {
        waits = ReadWait(rows: runners).waits + [{ try await Self.wait(for: $0, in: maker, $1) }]
    }

    /// Returns once all of them hold the event at a position.
    /// - Throws: `ProjectionError` or `DecisionError` where one of them has stopped or takes longer than `timeout`.
    public func wait(for position: UInt64, timeout: Duration) async throws {
        for wait in waits { try await wait(position, timeout) }
    }

    private static func wait<State>(for position: UInt64, in maker: DecisionMaker<State>, _ timeout: Duration) async throws {
        if await maker.next > position { return }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await maker.waitUntil(position + 1) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw DecisionError.unavailable("position \(position) has not been read yet")
            }
            try await group.next()
            group.cancelAll()
        }
    }
}

extension RequestContext {
    /// Waits until the answer can be made from what holds the event that the caller names by `Ledger-Position`, so that callers read what
    /// they wrote; returns at once where they name none.
    /// - Throws: `Problem`: 400 for what is no position, 503 when the sources are not that far in time.
    public func waited(by sources: ReadWait, timeout: Duration = .seconds(5)) async throws {
        guard let text = request.headers[AppliedPosition.headerName] else { return }
        guard let position = AppliedPosition.parse(text) else {
            throw Problem(.badHeader, "\(AppliedPosition.headerName) is a position of the log", field: AppliedPosition.headerName)
        }
        do { try await sources.wait(for: position.value, timeout: timeout) } catch let error as ProjectionError {
            throw Problem(.unavailable, error.description, headers: ["Retry-After": "1"])
        } catch let error as DecisionError {
            throw Problem(.unavailable, error.description, headers: ["Retry-After": "1"])
        }
    }
}

extension Route {
    /// The header field by which callers read what they wrote, for the document.
    public static let positionHeader = (
        name: AppliedPosition.headerName, summary: "The answer is made from what holds the event at this position of the log."
    )

    /// The same route, whose answer waits for the position that its caller names.
    public func reading(_ sources: ReadWait) -> Route {
        Route(
            method, pattern, operation: operation, summary: summary, access: access, path: path, query: query,
            headers: headers + [Self.positionHeader], body: body, idempotency: idempotency, replies: replies, problems: problems,
            deadline: deadline, isBrief: isBrief, errors: errors
        ) { [handler] context in
            try await context.waited(by: sources)
            return try await handler(context)
        }
    }
}

extension Route {
    /// The header field by which answers tell how far on the log they stand, for the document.
    public static let writtenHeader = (
        name: AppliedPosition.headerName,
        summary: "The position on the log of the last event made; absent where there is none. A read that carries it sees that event."
    )

    /// The same route, whose answer says in `Ledger-Position` how far what it decided stands on the log.
    public func writing() -> Route {
        Route(
            method, pattern, operation: operation, summary: summary, access: access, path: path, query: query, headers: headers, body: body,
            idempotency: idempotency, replies: replies.map { $0.carrying(Self.writtenHeader) }, problems: problems, deadline: deadline,
            isBrief: isBrief, errors: errors
        ) { [handler] context in
            let written = WrittenPosition()
            var response = try await WrittenPosition.$current.withValue(written) { try await handler(context) }
            if let position = written.next.flatMap({ AppliedPosition(next: $0) }), response.headers[AppliedPosition.headerName] == nil {
                response.headers.set(AppliedPosition.headerName, position.format())
            }
            return response
        }
    }
}

extension [Route] {
    /// The same routes; those that read wait for the position that their callers name, and those that write say theirs.
    public func reading(_ sources: ReadWait) -> [Route] { map { $0.method == .get ? $0.reading(sources) : $0.writing() } }
}
