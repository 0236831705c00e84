internal import CPostgres
internal import Glibc
internal import Threads

/// A `PGconn` and the calls on it, all of which block. Not Sendable: whoever owns it calls it from one thread at a time, which is
/// what libpq asks for.
final class RawConnection {
    let handle: OpaquePointer
    private let notices: NoticeBox
    /// How the server's answers have come lately. A commit takes what its disk takes, some hundreds of microseconds with a quick one: it is
    /// looked for until it comes, where the last one came within that time.
    private var pace = Pace(soon: 500_000, patience: 500_000)

    /// Connects. `isAbandoned` is asked a few times a second; true gives up.
    init(_ configuration: PostgresConfiguration, notice: PostgresNoticeHandler?, isAbandoned: () -> Bool) throws(PostgresError) {
        let keywords = configuration.keywords.filter { !$0.key.utf8.contains(0) && !$0.value.utf8.contains(0) }
        guard keywords.count == configuration.keywords.count else {
            throw PostgresError(.connectionFailed, "a connection parameter holds a NUL character")
        }
        let started = withCStrings(keywords.map(\.key)) { names in
            withCStrings(keywords.map(\.value)) { values in PQconnectStartParams(names, values, 0) }
        }
        guard let started else { throw PostgresError(.connectionFailed, "out of memory") }
        handle = started
        notices = NoticeBox(handler: notice)
        // libpq prints notices on stderr unless told otherwise. `notices` lives as long as the handle.
        PQsetNoticeReceiver(started, receiveNotice, Unmanaged.passUnretained(notices).toOpaque())
        // Only the verbose form of a refused log-in carries its SQLSTATE.
        PQsetErrorVerbosity(started, PQERRORS_VERBOSE)
        try finishConnecting(configuration, isAbandoned)
        PQsetErrorVerbosity(started, PQERRORS_DEFAULT)
    }

    deinit { PQfinish(handle) }

    private func finishConnecting(_ configuration: PostgresConfiguration, _ isAbandoned: () -> Bool) throws(PostgresError) {
        // A UNIX socket that nobody listens at fails at once: then there is no descriptor to wait for.
        if PQstatus(handle) == CONNECTION_BAD { throw refusal(configuration) }
        let deadline = ContinuousClock.now + .seconds(max(1, configuration.connectTimeoutSeconds))
        var wanted = PGRES_POLLING_WRITING
        while true {
            switch wanted {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_FAILED: throw refusal(configuration)
            default:
                let events = wanted == PGRES_POLLING_READING ? Int16(POLLIN) : Int16(POLLOUT)
                var ready = Int32(0)
                while ready <= 0 {
                    if isAbandoned() { throw PostgresError(.queryCanceled, "connecting to \(configuration) was cancelled") }
                    if ContinuousClock.now >= deadline {
                        throw PostgresError(
                            .connectionFailed, "no connection to \(configuration) within \(max(1, configuration.connectTimeoutSeconds)) s")
                    }
                    var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
                    ready = poll(&descriptor, 1, 100)
                }
                wanted = PQconnectPoll(handle)
            }
        }
    }

    private func refusal(_ configuration: PostgresConfiguration) -> PostgresError {
        let message = String(cString: PQerrorMessage(handle))
        // FATAL:  28P01: password authentication failed for user "x"
        let words = message.split(whereSeparator: \.isWhitespace)
        let state = words.last { word in
            word.utf8.count == 6 && word.last == ":" && word.first?.isNumber == true || word.hasPrefix("XX") && word.utf8.count == 6
        }
        let lines = message.split(separator: "\n").filter { !$0.hasPrefix("LOCATION:") }.joined(separator: " ")
        return PostgresError(
            state.map { SQLState(rawValue: String($0.dropLast())) } ?? .connectionFailed, "can't connect to \(configuration): \(lines)")
    }

    // MARK: State

    var isUsable: Bool { PQstatus(handle) == CONNECTION_OK }

    /// Whether a transaction is open, even one that an error has aborted.
    var isInTransaction: Bool {
        switch PQtransactionStatus(handle) {
        case PQTRANS_IDLE: false
        case PQTRANS_INTRANS, PQTRANS_INERROR, PQTRANS_ACTIVE: true
        default: false
        }
    }

    var isAborted: Bool { PQtransactionStatus(handle) == PQTRANS_INERROR }
    var isIdle: Bool { PQtransactionStatus(handle) == PQTRANS_IDLE }
    var socket: Int32 { PQsocket(handle) }
    var backendIdentifier: Int32 { PQbackendPID(handle) }
    var usesTLS: Bool { PQsslInUse(handle) == 1 }

    /// Reads what the server has sent by itself: false when that is its farewell.
    func consumeInput() -> Bool { PQconsumeInput(handle) == 1 && isUsable }

    /// The next notification that has been read.
    func nextNotification() -> PostgresNotification? {
        guard let notification = PQnotifies(handle) else { return nil }
        defer { PQfreemem(notification) }
        return PostgresNotification(
            channel: String(cString: notification.pointee.relname), payload: String(cString: notification.pointee.extra),
            sender: notification.pointee.be_pid)
    }

    /// A password in the form the server stores, so that its log never sees the password.
    func encrypt(password: String, user: String) throws(PostgresError) -> String {
        guard let encrypted = PQencryptPasswordConn(handle, password, user, "scram-sha-256") else { throw failure() }
        defer { PQfreemem(encrypted) }
        return String(cString: encrypted)
    }

    /// A name in quotes, for the few commands that take no parameters.
    func quoted(identifier: String) -> String {
        "\"" + identifier.replacing("\"", with: "\"\"") + "\""
    }

    /// A text in quotes, or `null`, for the few commands that take no parameters.
    func quoted(literal: String?) throws(PostgresError) -> String {
        guard let literal else { return "null" }
        guard let quoted = PQescapeLiteral(handle, literal, literal.utf8.count) else { throw failure() }
        defer { PQfreemem(quoted) }
        return String(cString: quoted)
    }

    /// Whether since the last call a commit has returned whose wait for a synchronous standby was cancelled: it stands on the server, and
    /// perhaps nowhere else.
    func takeUnconfirmedCommit() -> Bool {
        defer { notices.hasUnconfirmedCommit = false }
        return notices.hasUnconfirmedCommit
    }

    func canceller() -> OpaquePointer? { PQgetCancel(handle) }

    /// The connection's own error, for calls that give no result.
    func failure(_ statement: String? = nil) -> PostgresError {
        let message = String(cString: PQerrorMessage(handle)).split(separator: "\n").joined(separator: " ")
        return PostgresError(isUsable ? .protocolViolation : .connectionLost, message, statement: statement)
    }

    // MARK: Statements

    /// Prepares `sql` under `name` and gives the parameters' types.
    func prepare(_ sql: String, as name: String, describing statement: Statement) throws(PostgresError) -> [UInt32] {
        guard !sql.utf8.contains(0) else {
            throw PostgresError(.characterNotInRepertoire, "SQL can't hold a NUL character", statement: statement.description)
        }
        _ = try rows(PQprepare(handle, name, sql, 0, nil), statement)
        guard let result = PQdescribePrepared(handle, name) else { throw failure(statement.description) }
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_COMMAND_OK else { throw error(in: result, statement) }
        return (0..<PQnparams(result)).map { PQparamtype(result, $0) }
    }

    /// Runs what is prepared under `name` with the only execution in `parameters`.
    func execute(_ name: String, _ parameters: ParameterBuffer, _ statement: Statement) throws(PostgresError) -> Rows {
        try parameters.withArguments { (arguments) throws(PostgresError) in
            let with = arguments(0)
            return try rows(PQexecPrepared(handle, name, with.count, with.values, with.lengths, with.formats, 1), statement)
        }
    }

    /// Runs a text of one or more statements by the simple protocol; the last one's result counts.
    @discardableResult
    func run(_ sql: String, _ label: Statement? = nil) throws(PostgresError) -> Int {
        guard !sql.utf8.contains(0) else {
            throw PostgresError(.characterNotInRepertoire, "SQL can't hold a NUL character", statement: label?.description)
        }
        guard let result = PQexec(handle, sql) else { throw failure(label?.description) }
        defer { PQclear(result) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: return Int(String(cString: PQcmdTuples(result))) ?? 0
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            drain()
            throw PostgresError(.protocolViolation, "COPY from or to the client needs copyIn or copyOut", statement: label?.description)
        default: throw error(in: result, label)
        }
    }

    /// Reads results until there are none. A COPY that nobody asked for is brought to its end: until then libpq gives its
    /// result again and again.
    func drain() {
        while let result = PQgetResult(handle) {
            let status = PQresultStatus(result)
            PQclear(result)
            switch status {
            case PGRES_COPY_IN: PQputCopyEnd(handle, "not asked for")
            case PGRES_COPY_OUT: discardCopyOut()
            default: break
            }
            if !isUsable { return }
        }
    }

    func discardCopyOut() {
        var piece: UnsafeMutablePointer<CChar>?
        while PQgetCopyData(handle, &piece, 0) > 0 { PQfreemem(piece) }
    }

    // MARK: Pipeline

    /// Sends all with one sync at the end, then reads all: one implicit transaction, all of it or nothing.
    ///
    /// libpq reads while it can't send, so neither side waits for the other when much goes both ways.
    /// - Parameter meanwhile: is called when all is sent and nothing is read yet.
    func pipeline(
        _ items: [(name: String, statement: Statement)], _ parameters: ParameterBuffer, meanwhile: () -> Void
    ) throws(PostgresError) -> [Rows] {
        guard PQenterPipelineMode(handle) == 1 else { throw failure() }
        try parameters.withArguments { (arguments) throws(PostgresError) in
            for (index, item) in items.enumerated() {
                let with = arguments(index)
                // Fails only when the connection breaks, and then the server commits nothing: it never sees the sync.
                guard PQsendQueryPrepared(handle, item.name, with.count, with.values, with.lengths, with.formats, 1) == 1 else {
                    throw failure(item.statement.description)
                }
            }
        }
        guard PQpipelineSync(handle) == 1 else { throw failure() }
        meanwhile()
        let wait = pace.begin()
        look(since: wait)
        var all: [Rows] = []
        all.reserveCapacity(items.count)
        var problem: PostgresError?
        for (index, item) in items.enumerated() {
            let result = PQgetResult(handle)
            if index == 0 { pace.end(wait) }
            if problem == nil {
                do { all.append(try rows(result, item.statement)) } catch {
                    problem = error
                    problem?.pipelineIndex = index
                }
            } else {
                PQclear(result)
            }
            guard isUsable else { throw problem ?? failure() }
            // Null ends each item's results.
            while let extra = PQgetResult(handle) { PQclear(extra) }
        }
        // A constraint that is checked at the commit fails at the sync, after all the items.
        if let late = readSync(), problem == nil { problem = late }
        guard isUsable, PQexitPipelineMode(handle) == 1 else { throw problem ?? failure() }
        if let problem { throw problem }
        return all
    }

    /// Looks for the answer for a moment before anybody sleeps, where answers have come soon of late: to be woken takes as long as a
    /// quick disk takes to commit.
    private func look(since start: Int) {
        while PQisBusy(handle) == 1, pace.looks(start), PQconsumeInput(handle) == 1 { sched_yield() }
    }

    /// Reads up to the pipeline's end; the error of the commit, if there is one.
    private func readSync() -> PostgresError? {
        var problem: PostgresError?
        var silence = 0
        // Null separates results; many in a row mean that the end will not come.
        while isUsable, silence < 3 {
            guard let result = PQgetResult(handle) else {
                silence += 1
                continue
            }
            defer { PQclear(result) }
            silence = 0
            if PQresultStatus(result) == PGRES_PIPELINE_SYNC { return problem }
            if problem == nil { problem = error(in: result, nil) }
        }
        return problem
    }

    /// Whether a pipeline did not come to its end: the connection is then of no more use.
    var isInPipeline: Bool { PQpipelineStatus(handle) != PQ_PIPELINE_OFF }
}

/// Keeps the handler where a C callback finds it.
private final class NoticeBox {
    let handler: PostgresNoticeHandler?
    /// Whether a commit has returned whose wait for a standby was cancelled.
    var hasUnconfirmedCommit = false
    init(handler: PostgresNoticeHandler?) { self.handler = handler }
}

private func receiveNotice(_ argument: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
    guard let argument, let result else { return }
    let box = Unmanaged<NoticeBox>.fromOpaque(argument).takeUnretainedValue()
    func field(_ code: Character) -> String? { RawConnection.field(code, of: result) }
    // The server's own function that waits for standbys; the message is in the server's language.
    if field("R") == "SyncRepWaitForLSN" { box.hasUnconfirmedCommit = true }
    guard let handler = box.handler else { return }
    handler(
        PostgresNotice(
            severity: field("V") ?? "NOTICE", code: SQLState(rawValue: field("C") ?? "00000"), message: field("M") ?? ""))
}

/// A null-terminated array of C strings, as libpq takes its keywords.
private func withCStrings<Result>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result) -> Result {
    var arena: [CChar] = []
    let starts = strings.map { string in
        defer { arena += string.utf8.map { CChar(bitPattern: $0) } + [0] }
        return arena.count
    }
    return arena.withUnsafeBufferPointer { bytes in
        let pointers = starts.map { start in bytes.baseAddress.map { $0 + start } } + [nil]
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
