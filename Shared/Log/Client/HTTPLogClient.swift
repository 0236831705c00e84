public import Events
internal import HTTP
public import HTTPClient
internal import JSON
internal import Synchronization

/// The log over its REST interface, be the transport a socket or the same process.
public struct HTTPLogClient: LogClient {
    /// What problem types of the log begin with; the code follows.
    public static let problemPrefix = "/problems/"

    private let transport: any Transport
    private let bases: [String]
    /// Which of the bases answered last: the one that leads, as far as is known.
    private let current = CurrentBase()
    private let token: @Sendable () async throws -> String?

    /// - Parameters:
    ///   - base: the log's prefix, such as `http://127.0.0.1:7401/log`.
    ///   - token: gives a service token for each request; nil for none.
    public init(transport: any Transport, base: String, token: @escaping @Sendable () async throws -> String?) {
        self.init(transport: transport, bases: [base], token: token)
    }

    /// - Parameters:
    ///   - bases: the prefixes of a ledger and its standbys, over the same database. Whichever answers is asked; one that does not
    ///     lead, or can't be reached, is passed over for the next. Asking the next is safe whatever became of the first attempt,
    ///     since commands are known by their ids.
    ///   - token: gives a service token for each request; nil for none.
    public init(transport: any Transport, bases: [String], token: @escaping @Sendable () async throws -> String?) {
        self.transport = transport
        self.bases = bases
        self.token = token
    }

    /// Appends by `POST /log/v1/append`.
    public func append(_ request: AppendRequest) async throws -> Appended {
        var message = ClientRequest(method: "POST", url: "/v1/append", body: .bytes(LogWire.encode(request)))
        message.headers.set("Content-Type", "application/json")
        // The command id inside makes the append safe to send twice.
        message.isIdempotent = true
        return try LogWire.decodeAppended(try await send(message))
    }

    /// Appends by `POST /log/v1/appends`, as many at once as a body takes; a run that got no answer is not gone on with.
    public func append(all requests: [AppendRequest]) async -> [Result<Appended, any Error>] {
        var answers: [Result<Appended, any Error>] = []
        answers.reserveCapacity(requests.count)
        var rest = requests[...]
        while !rest.isEmpty {
            let run = Self.run(from: rest)
            rest = rest.dropFirst(run.count)
            do {
                var message = ClientRequest(method: "POST", url: "/v1/appends", body: .bytes(LogWire.encode(run: run)))
                message.headers.set("Content-Type", "application/json")
                message.maximumBodyBytes = 64 << 20
                message.isIdempotent = true
                let given = try LogWire.decodeAnswers(try await send(message), count: run.count)
                answers += given
                let isWhole = given.allSatisfy { if case .success = $0 { true } else { false } }
                if !isWhole, !rest.isEmpty {
                    // What comes after may rest on what was refused, and the ledger no longer knows that they belong together.
                    answers += repeatElement(.failure(LogError.busy), count: rest.count)
                    return answers
                }
            } catch {
                // What of it is stored is not known. What comes after it may rest on it: it is asked again in the same order.
                answers += repeatElement(.failure(error), count: requests.count - answers.count)
                return answers
            }
        }
        return answers
    }

    /// As many of these as go into one body.
    private static func run(from requests: ArraySlice<AppendRequest>) -> ArraySlice<AppendRequest> {
        var bytes = 0
        var count = 0
        for request in requests.prefix(LogWire.maximumRun) {
            bytes += request.events.reduce(1_024) { $0 + $1.count + 1 } + request.expected.count * 256
            if count > 0, bytes > LogWire.maximumBody / 2 { break }
            count += 1
        }
        return requests.prefix(count)
    }

    /// Reads by `GET /log/v1/events`.
    public func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch {
        let seconds = wait.map { Int($0.components.seconds) + ($0.components.attoseconds > 0 ? 1 : 0) } ?? 0
        let message = ClientRequest(
            url: "/v1/events?from=\(position)&limit=\(limit)&wait=\(seconds)", timeout: .seconds(30 + seconds),
            maximumBodyBytes: 64 << 20)
        return try LogWire.decodeBatch(try await send(message))
    }

    /// Reads by `GET /log/v1/streams/{kind}/{id}`.
    public func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] {
        let id = stream.text.dropFirst(stream.kind.utf8.count + 1)
        let path = "/v1/streams/\(stream.kind)/\(Self.encode(id))?from=\(version)&limit=\(limit)"
        return try LogWire.decodeBatch(try await send(ClientRequest(url: path, maximumBodyBytes: 64 << 20))).events
    }

    /// Sends a request, whose URL is a path below the log's prefix, to the ledger that leads.
    private func send(_ message: ClientRequest) async throws -> [UInt8] {
        var message = message
        if let token = try await token() { message.headers.set("Authorization", "Bearer " + token) }
        let first = current.index
        for step in 0..<bases.count {
            let index = (first + step) % bases.count
            do {
                let body = try await send(message, to: bases[index])
                current.index = index
                return body
            } catch {
                // The last one's word is the answer, as it is where there is one ledger only.
                guard step + 1 < bases.count, Self.isElsewhere(error), !Task.isCancelled else { throw error }
            }
        }
        throw LogError.unavailable("no ledger is configured")
    }

    /// Whether another ledger may have a better answer: this one does not lead, is going, or was not reached.
    private static func isElsewhere(_ error: any Error) -> Bool {
        switch error as? LogError {
        case .notLeader?, .unavailable?: return true
        case .some: return false
        case nil: return !(error is LogHTTPError || error is CancellationError)
        }
    }

    private func send(_ message: ClientRequest, to base: String) async throws -> [UInt8] {
        var message = message
        message.url = base + message.url
        let response = try await transport.send(message)
        let body = try await response.body.collect(upTo: message.maximumBodyBytes)
        if response.status < 300 { return body }
        throw Self.error(status: response.status, body: body)
    }

    /// What a refusal means: the log's own error when its problem says so.
    static func error(status: Int, body: [UInt8]) -> any Error {
        guard case .object(let members)? = try? JSON.parse(body), case .string(let type)? = members["type"],
            type.hasPrefix(problemPrefix),
            let error = LogError(code: String(type.dropFirst(problemPrefix.count)), members: members)
        else { return LogHTTPError(status: status, body: String(decoding: body.prefix(500), as: UTF8.self)) }
        return error
    }

    /// Percent-encodes all but RFC 3986's unreserved characters and the slashes of a stream's id.
    private static func encode(_ text: Substring) -> String {
        var out: [UInt8] = []
        let hex = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F, 0x7E: out.append(byte)
            default: out += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

/// Which of several ledgers is asked first.
private final class CurrentBase: Sendable {
    private let place = Atomic<Int>(0)

    var index: Int {
        get { place.load(ordering: .relaxed) }
        set { place.store(newValue, ordering: .relaxed) }
    }
}

/// The ledger answered with something that is not the log's own error, such as a refused token.
public struct LogHTTPError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The status code.
    public let status: Int
    /// The beginning of the body.
    public let body: String

    /// The refusal in one line.
    public var description: String { "the ledger answered \(status): \(body)" }
}
