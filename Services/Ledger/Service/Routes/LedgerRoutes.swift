internal import EventLog
internal import Events
internal import HTTP
internal import Identity
internal import JSON
public import Web

/// The log's REST interface: what others append and read by.
public struct LedgerRoutes: Sendable {
    let ledger: Ledger

    /// Routes over a ledger.
    public init(_ ledger: Ledger) { self.ledger = ledger }

    /// What each service may do here; what it may append is a matter of its nouns.
    public static let services = Dictionary(uniqueKeysWithValues: Service.allCases.map { ($0.rawValue, Set(["log:append", "log:read"])) })

    /// Everything under `/log`, and when it is ready.
    public var mount: Mount {
        Mount(
            "ledger", routes: [append, appendAll, events, event, stream, subscribe, status] + proofRoutes + tileRoutes,
            checks: [
                ReadinessCheck("log") { [ledger] in ledger.notReady.map { .notReady($0) } ?? .ready }
            ])
    }

    static let logProblems: [ProblemType] =
        [
            LogError.malformed(field: "", reason: ""), .invalid(index: 0, EventError(.tooLarge, "")),
            .invalid(index: 0, EventError(.notCanonical, "")), .invalid(index: 0, EventError(.malformed, "")),
            .invalid(index: 0, EventError(.wrongID, "")), .invalid(index: 0, EventError(.unknownType, "")),
            .invalid(index: 0, EventError(.unknownVersion, "")), .invalid(index: 0, EventError(.foreignNamespace, "")),
            .invalid(index: 0, EventError(.wrongTime, "")), .invalid(index: 0, EventError(.mixedCause, "")),
            .conflict(CommandConflict(command: "", position: 0, firstDigest: nil, digest: nil, differences: [])),
            .notLeader(""), .busy, .unavailable(""),
        ].map(\.problemType) + [ProblemType("wrong-version", 409, "The stream is not at the expected version")]

    static let readProblems: [ProblemType] = [LogError.notFound(""), .unavailable("")].map(\.problemType)

    static let eventSchema: Schema = .named(
        "LoggedEvent",
        .object(
            .required("event", .any, "The event, byte for byte as it stands on the log."),
            .required("position", .count, "Its number in the log, from 0: the leaf's index."),
            .required("version", .count, "Its number in its stream, from 0.")))

    private static let appendSchema: Schema = .named(
        "Append",
        .object(
            .required("events", .list(.any, atMost: AppendRequest.maximumEvents), "Canonical JSON of each event."),
            .optional(
                "expected", .map(.anyOf([.count, .oneOf("any", "none")]), maximum: AppendRequest.maximumEvents),
                "By stream: how many events it must have."),
            .optional("cause_position", .count, "For a reaction: where the event reacted to stands.")))

    private static let appendedSchema: Schema = .named(
        "Appended",
        .object(
            .required(
                "events",
                .list(
                    .object(
                        .required("id", .text(.uuid)), .required("position", .count), .required("stream", .text),
                        .required("version", .count)), atMost: AppendRequest.maximumEvents)),
            .required("position", .count)))

    private var append: Route {
        Route(
            .post, "/log/v1/append", operation: "appendEvents",
            summary: "Appends events atomically, over one or many streams; answers after the commit.",
            access: .scope("log:append"),
            body: .rawJSON(
                Self.appendSchema,
                limit: LogWire.maximumBody),
            replies: [
                .json(
                    201, "Where the events stand. The same command again gets the same answer.",
                    Self.appendedSchema)
            ],
            problems: Self.logProblems, isBrief: true
        ) { [ledger] context in
            let caller = try context.caller
            guard caller.kind == .service, let writer = Service(rawValue: caller.subject) else {
                throw Problem(.forbidden, "only services append; \(caller) is none")
            }
            let appended = try await ledger.append(try LogWire.decodeAppend(context.bytes), writer: writer)
            return .json(bytes: LogWire.encode(appended), status: 201)
        }
    }

    private var appendAll: Route {
        Route(
            .post, "/log/v1/appends", operation: "appendAll",
            summary: "Appends several in their order, each for itself, as many as possible in one commit.", access: .scope("log:append"),
            body: .rawJSON(
                .object(.required("appends", .list(Self.appendSchema, atMost: LogWire.maximumRun), "Each as the body of appendEvents.")),
                limit: LogWire.maximumBody),
            replies: [
                .json(
                    200, "An answer for each, in the same order: where it stands, or why not.",
                    .object(
                        .required(
                            "answers",
                            .list(
                                .object(
                                    .optional("appended", Self.appendedSchema),
                                    .optional("repeat", .boolean, "The log had the command already, and this is its first answer."),
                                    .optional("error", .openObject(.required("code", .text), .required("detail", .text(0...65_536))))),
                                atMost: LogWire.maximumRun))))
            ],
            problems: Self.logProblems
        ) { [ledger] context in
            let caller = try context.caller
            guard caller.kind == .service, let writer = Service(rawValue: caller.subject) else {
                throw Problem(.forbidden, "only services append; \(caller) is none")
            }
            let answers = await ledger.append(all: try LogWire.decodeRun(context.bytes), writer: writer)
            return .json(bytes: LogWire.encode(answers: answers))
        }
    }

    private var events: Route {
        Route(
            .get, "/log/v1/events", operation: "readEvents", summary: "Events by position; waits for new ones when asked to.",
            access: .scope("log:read"),
            query: [
                QueryParameter("from", .count, "The first position; 0 when left out."),
                QueryParameter("limit", .integer(1...LogReader.maximumEvents), "At most this many events; 500 when left out."),
                LongPoll.parameter(atMost: 30),
            ],
            replies: [
                .json(
                    200, "Events in order, and how long the log is.",
                    .object(.required("events", .list(Self.eventSchema, atMost: LogReader.maximumEvents)), .required("size", .count)))
            ],
            problems: Self.readProblems
        ) { [ledger] context in
            let wait = LongPoll.wait(context.query)
            let batch = try await ledger.reader.read(
                from: UInt64(context.query.integer("from") ?? 0), limit: context.query.integer("limit") ?? 500,
                wait: wait > .zero ? wait : nil)
            return .json(bytes: LogWire.encode(batch))
        }
    }

    private var event: Route {
        Route(
            .get, "/log/v1/events/{position}", operation: "readEvent", summary: "One event.", access: .scope("log:read"),
            path: ["position": .count], replies: [.json(200, "The event.", Self.eventSchema)], problems: Self.readProblems
        ) { [ledger] context in
            let position = UInt64(try context.path.integer("position"))
            guard let event = try await ledger.reader.event(at: position) else { throw LogError.notFound("position \(position)") }
            return .json(bytes: LogWire.encode(event))
        }
    }

    private var stream: Route {
        Route(
            .get, "/log/v1/streams/{kind}/{id...}", operation: "readStream", summary: "The events of one stream.",
            access: .scope("log:read"),
            query: [
                QueryParameter("from", .count, "The first version; 0 when left out."),
                QueryParameter("limit", .integer(1...LogReader.maximumEvents), "At most this many events; 500 when left out."),
            ],
            replies: [
                .json(
                    200, "Events in order; size is how long the log was.",
                    .object(.required("events", .list(Self.eventSchema, atMost: LogReader.maximumEvents)), .required("size", .count)))
            ],
            problems: Self.readProblems
        ) { [ledger] context in
            guard let stream = StreamName(kind: context.path["kind"], id: context.path["id"]) else {
                throw Problem(.badPath, "not the name of a stream", field: "id")
            }
            let size = ledger.tail.size
            let events = try await ledger.reader.read(
                stream: stream, from: UInt64(context.query.integer("from") ?? 0), limit: context.query.integer("limit") ?? 500)
            return .json(bytes: LogWire.encode(LogBatch(events: events, size: size)))
        }
    }

    private var subscribe: Route {
        Route(
            .get, "/log/v1/subscribe", operation: "subscribe",
            summary: "Events as they come, as server-sent events; the id of each is its position.", access: .scope("log:read"),
            query: [QueryParameter("from", .count, "The first position; 0 when left out.")], headers: [SSE.lastEventIDHeader],
            replies: [.events("Each event as the reply of readEvent has it.")], problems: Self.readProblems
        ) { [ledger] context in
            let last = try SSE.lastPosition(context.request)
            guard last ?? 0 < UInt64(Int64.max) else { throw Problem(.badHeader, "no event has this id", field: "Last-Event-ID") }
            let start = last.map { $0 + 1 } ?? UInt64(context.query.integer("from") ?? 0)
            let client = ledger.client(for: .ledger)
            return SSE.response(
                client.events(from: start, until: { ledger.tail.isDraining }).map {
                    ServerSentEvent(id: String($0.position), data: String(decoding: LogWire.encode($0), as: UTF8.self))
                })
        }
    }

    private var status: Route {
        Route(
            .get, "/log/v1/status", operation: "logStatus", summary: "How long the log is and what is signed.", access: .scope("log:read"),
            replies: [
                .json(
                    200, "The log's state.",
                    .object(
                        .required("origin", .text), .required("size", .count), .required("leading", .boolean),
                        .required("checkpoint_size", .nullable(.count)), .required("keys", .list(.text))))
            ]
        ) { [ledger] _ in
            .json([
                "origin": .string(ledger.keys.origin), "size": .int(Int64(ledger.tail.size)), "leading": .bool(ledger.isLeading),
                "checkpoint_size": ledger.checkpointer.latest.map { .int(Int64($0.checkpoint.size)) } ?? .null,
                "keys": .array(ledger.keys.verifiers.map { .string($0.description) }),
            ])
        }
    }
}
