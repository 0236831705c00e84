internal import Crypto
public import EventLog
public import Events
public import Telemetry

/// A service's one decider: keeps its state, decides commands in turn, appends what they make, and answers after the commit.
///
/// Every command goes the same way: rule (pure) → events → state → log. Many that wait together are decided one after another
/// on the state that the earlier ones leave and are appended as one run. Each stream of the service has an expected version,
/// so an instance that has missed something loses the race, folds the log anew and decides again: no two instances ever both
/// act on the same state. A command that was decided before gets its first events, for ever.
///
/// Memory grows with the number of the service's own commands and streams, by about 100 bytes each, and with the state.
public actor DecisionMaker<State: ServiceState> {
    /// Decides: reads the state, throws to refuse, returns the events. No I/O, no clock, no randomness.
    public typealias Rule = @Sendable (State, DecisionContext) throws -> [NewEvent]

    let service: Service
    let log: any LogClient
    private let clock: @Sendable () -> Timestamp
    let logger: Logger
    let makeState: @Sendable () -> State
    var fold: Fold<State>
    var failure: DecisionError?
    private var waiting: [Ticket] = []
    private var isDeciding = false
    /// Whether the state has events that are not durable yet.
    private var isAppending = false
    /// Reads that wait for the append in hand, since what it appends must not be seen before.
    private var waitingReads: [@Sendable (State, DecisionError?) -> Void] = []
    var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    var lastWatcher = 0
    /// The log's size when it was last read.
    var size: UInt64 = 0
    /// Whether the state has once come as far as the log went. Before that nothing is decided.
    var hasCaughtUp = false
    /// Raised by every fresh start, so that a read begun before it is thrown away.
    var generation = 0

    /// At most this many commands wait; more are refused as busy.
    public static var maximumWaiting: Int { 10_000 }
    /// At most this many are decided between two appends,
    static var maximumRun: Int { 256 }
    /// and no further one when they have made so many events: several callers with many each then take turns, one lot being decided and
    /// another on its way.
    static var maximumRunEvents: Int { 500 }

    /// - Parameters:
    ///   - service: whose events it writes.
    ///   - log: appends in that service's name.
    ///   - clock: gives commands their time.
    ///   - state: the state before the first event.
    public init(
        _ service: Service, log: any LogClient, clock: @escaping @Sendable () -> Timestamp, logger: Logger = .silent,
        state: @escaping @Sendable () -> State
    ) {
        self.service = service
        self.log = log
        self.clock = clock
        self.logger = logger
        makeState = state
        fold = Fold(service: service, state: state())
    }

    // MARK: Deciding

    /// Decides a command, or a reaction to an event, and answers once it is durable.
    /// - Parameters:
    ///   - cause: the caller's command, or the event reacted to.
    ///   - causePosition: for a reaction, where that event stands.
    ///   - time: for a reaction, that event's time. Nil takes the clock's.
    ///   - actor: the principal who asks.
    ///   - correlation: the trace id of the first request.
    /// - Throws: ``DecisionError``, or whatever the rule throws. A rule's refusal is given only by a state that has seen
    ///   everything that was on the log when the command came.
    public func decide(
        _ cause: Cause, causePosition: UInt64? = nil, time: Timestamp? = nil, actor: String, correlation: String, _ rule: @escaping Rule
    ) async throws -> Outcome {
        if let failure { throw failure }
        guard waiting.count < Self.maximumWaiting else { throw DecisionError.busy("too many commands wait") }
        let outcome: Outcome = try await withCheckedThrowingContinuation { continuation in
            waiting.append(
                Ticket(
                    cause: cause, causePosition: causePosition, time: time, actor: actor, correlation: correlation, rule: rule,
                    waiter: .one(continuation)))
            beginDeciding()
        }
        WrittenPosition.current?.note(outcome)
        return outcome
    }

    /// One of several decisions that are asked for together.
    public struct Request: Sendable {
        let cause: Cause
        let causePosition: UInt64?
        let time: Timestamp?
        let actor: String
        let correlation: String
        let rule: Rule

        /// From its parts, which are those of ``DecisionMaker/decide(_:causePosition:time:actor:correlation:_:)``.
        public init(
            _ cause: Cause, causePosition: UInt64? = nil, time: Timestamp? = nil, actor: String, correlation: String,
            _ rule: @escaping Rule
        ) {
            self.cause = cause
            self.causePosition = causePosition
            self.time = time
            self.actor = actor
            self.correlation = correlation
            self.rule = rule
        }
    }

    /// Decides several in their order, each on the state that those before it leave, and answers once all are durable or refused. Who has
    /// many to ask for spares a task and two turns for each.
    public func decide(all requests: [Request]) async -> [Result<Outcome, any Error>] {
        if requests.isEmpty { return [] }
        var refusal: DecisionError? = failure
        if waiting.count + requests.count > Self.maximumWaiting { refusal = refusal ?? .busy("too many commands wait") }
        if let refusal { return requests.map { _ in .failure(refusal) } }
        return await withCheckedContinuation { continuation in
            let run = OutcomeRun(requests.count, continuation)
            for (place, request) in requests.enumerated() {
                waiting.append(
                    Ticket(
                        cause: request.cause, causePosition: request.causePosition, time: request.time, actor: request.actor,
                        correlation: request.correlation, rule: request.rule, waiter: .several(run, place: place)))
            }
            beginDeciding()
        }
    }

    private func beginDeciding() {
        guard !isDeciding else { return }
        isDeciding = true
        Task { await decideAll() }
    }

    /// Reads the state as it is now: with all that has been decided and is durable, and nothing that is still on its way. It may be
    /// behind the log by the moment that the events of others take to come here; but what is refused, for instance as unknown,
    /// is refused by a state that has seen everything that was on the log when the question came.
    public func query<Value: Sendable>(_ read: @escaping @Sendable (State) throws -> Value) async throws -> Value {
        do { return try await known(read) } catch let error where !(error is DecisionError || error is CancellationError) {
            guard await sawMore() else { throw error }
            return try await known(read)
        }
    }

    /// The same for what there may be: that there is none, too, is said by a state that has seen everything.
    public func find<Value: Sendable>(_ read: @escaping @Sendable (State) throws -> Value?) async throws -> Value? {
        let refusing: @Sendable (State) throws -> Value = { state in
            guard let value = try read(state) else { throw Absent() }
            return value
        }
        do { return try await query(refusing) } catch is Absent { return nil }
    }

    private struct Absent: Error {}

    /// Reads up to the log's end; whether anything was new.
    private func sawMore() async -> Bool {
        let before = fold.next
        await freshen()
        return fold.next > before
    }

    private func known<Value: Sendable>(_ read: @escaping @Sendable (State) throws -> Value) async throws -> Value {
        if let failure { throw failure }
        guard isAppending else {
            // A state that is being made, at the start or anew, lacks what the log has.
            if !hasCaughtUp { await freshen() }
            if let failure { throw failure }
            guard hasCaughtUp else { throw DecisionError.unavailable("it can't be read") }
            return try read(fold.state)
        }
        return try await withCheckedThrowingContinuation { continuation in
            waitingReads.append { state, failure in
                continuation.resume(
                    with: Result {
                        if let failure { throw failure }
                        return try read(state)
                    })
            }
        }
    }

    /// Reads the state as the next decision will find it, with what is still on its way to the log and may never get there: for whoever asks
    /// what there is to decide, and for nobody who answers others.
    public func glance<Value: Sendable>(_ read: @Sendable (State) throws -> Value) async throws -> Value {
        if !hasCaughtUp { await freshen() }
        if let failure { throw failure }
        guard hasCaughtUp else { throw DecisionError.unavailable("it can't be read") }
        return try read(fold.state)
    }

    /// Reads the state once it has seen everything before `position`.
    public func query<Value: Sendable>(
        after position: UInt64, _ read: @escaping @Sendable (State) throws -> Value
    ) async throws -> Value {
        try await waitUntil(position)
        return try await query(read)
    }

    /// What was decided together, and what of it must be looked at again.
    private struct Run {
        var appends: [(ticket: Ticket, plan: Fold<State>.Plan)] = []
        /// Refused, by a state that may not have seen everything.
        var stale: [Ticket] = []
        /// The same command is on its way already.
        var again: [Ticket] = []
    }

    /// Appends that are on their way to the log.
    private struct Flight {
        let appends: [(ticket: Ticket, plan: Fold<State>.Plan)]
        let answers: Task<[Result<Appended, any Error>], Never>
        let commands: Set<CommandKey>
        /// Of the state that they were decided on.
        let generation: Int
    }

    /// Decides run after run. While one is on its way to the log the next is decided already, but sent only once that one is durable: so a
    /// run never rests on what the log then does not have.
    private func decideAll() async {
        defer { isDeciding = false }
        var flight: Flight?
        while !waiting.isEmpty || flight != nil {
            // With nothing to decide, or somebody who waits to read, what is on its way comes first.
            if let landing = flight, waiting.isEmpty || !waitingReads.isEmpty || failure != nil || !hasCaughtUp {
                flight = nil
                await land(landing)
                showDurable()
                continue
            }
            if let failure {
                for ticket in waiting { ticket.waiter.resume(throwing: failure) }
                waiting.removeAll()
                return
            }
            if !hasCaughtUp {
                await freshen()
                if failure != nil { continue }
            }
            guard hasCaughtUp else {
                for ticket in waiting { ticket.waiter.resume(throwing: DecisionError.unavailable("it can't be read")) }
                waiting.removeAll()
                return
            }
            let started = generation
            let run = decideRun(besides: flight?.commands ?? [])
            if !run.appends.isEmpty { isAppending = true }
            if let landing = flight {
                flight = nil
                await land(landing)
                guard generation == started else {
                    // The state that this run was decided on is void.
                    waiting.insert(contentsOf: run.appends.map(\.ticket) + run.stale + run.again, at: 0)
                    showDurable()
                    continue
                }
            }
            if run.appends.isEmpty { showDurable() } else { flight = send(run.appends) }
            if let landing = flight, fold.isSpoilt || !run.stale.isEmpty {
                flight = nil
                await land(landing)
                showDurable()
            }
            if fold.isSpoilt { await startAfresh() }
            if !run.stale.isEmpty { await freshen() }
            waiting.insert(contentsOf: run.stale.map { $0.freshened() } + run.again, at: 0)
        }
    }

    /// Decides what waits, as much as goes into one run.
    /// - Parameter flown: the commands that are on their way.
    private func decideRun(besides flown: Set<CommandKey>) -> Run {
        var run = Run()
        var inHand = flown
        var events = 0
        var count = 0
        for ticket in waiting.prefix(Self.maximumRun) where events < Self.maximumRunEvents {
            count += 1
            let key = CommandKey(ticket.cause)
            guard inHand.insert(key).inserted else {
                run.again.append(ticket)
                continue
            }
            do {
                if let place = fold.memory[key] {
                    answerAgain(ticket, place)
                } else if let plan = try fold.plan(ticket, now: clock()) {
                    run.appends.append((ticket, plan))
                    events += plan.events.count
                } else {
                    ticket.waiter.resume(returning: Outcome(facts: [], isRepeat: false))
                }
            } catch {
                if ticket.isFresh || error is DecisionError {
                    ticket.waiter.resume(throwing: error)
                } else {
                    run.stale.append(ticket)
                }
            }
        }
        waiting.removeFirst(count)
        return run
    }

    private func send(_ appends: [(ticket: Ticket, plan: Fold<State>.Plan)]) -> Flight {
        let requests = appends.map(\.plan.request)
        // Detached: it has to begin while this actor decides the next run.
        let answers = Task.detached { [log] in await log.append(all: requests) }
        return Flight(
            appends: appends, answers: answers, commands: Set(appends.map { CommandKey($0.ticket.cause) }), generation: generation)
    }

    /// The state has nothing any more that is not durable: who waits to read it may.
    private func showDurable() {
        isAppending = false
        let reads = waitingReads
        waitingReads = []
        for read in reads { read(fold.state, failure) }
    }

    /// Waits for appends, and answers for them.
    private func land(_ flight: Flight) async {
        let answers = await flight.answers.value
        var isSpoilt = false
        for ((ticket, plan), answer) in zip(flight.appends, answers) {
            switch answer {
            case .success(let appended) where appended.isRepeat:
                // Another instance was first with this command: what stands on the log counts, not what was made of it here.
                isSpoilt = true
                answerAgain(ticket, Fold<State>.Place(position: appended.position, count: UInt32(appended.entries.count)))
            case .success(let appended):
                // A state that was made anew since reads it from the log.
                if generation == flight.generation { fold.remember(ticket.cause, at: appended) }
                ticket.waiter.resume(returning: plan.outcome(appended))
            case .failure(LogError.wrongVersion), .failure(LogError.notLeader):
                isSpoilt = true
                if let again = ticket.oncemore() {
                    waiting.append(again)
                } else {
                    ticket.waiter.resume(throwing: DecisionError.busy("another instance keeps writing the same streams"))
                }
            case .failure(let error):
                isSpoilt = true
                // Decided while the run before it took long: it is decided again, at a later time.
                if Self.isLate(error), let again = ticket.oncemore() {
                    waiting.append(again)
                } else {
                    ticket.waiter.resume(throwing: Self.meaning(of: error))
                }
            }
        }
        if isSpoilt { await startAfresh() }
    }

    private static func isLate(_ error: any Error) -> Bool {
        if case LogError.invalid(_, let fault) = error { fault.kind == .wrongTime } else { false }
    }

    private static func meaning(of error: any Error) -> any Error {
        switch error {
        case LogError.conflict(let conflict): DecisionError.conflict(conflict)
        case LogError.busy: DecisionError.busy("too many appends are waiting")
        // Nothing is wrong with the command: the two clocks have to be set.
        case LogError.invalid(_, let fault) where fault.kind == .wrongTime: DecisionError.unavailable("\(fault)")
        case let error as LogError:
            if case .unavailable(let reason) = error { DecisionError.unavailable(reason) } else { DecisionError.malformed("\(error)") }
        default: DecisionError.unavailable("\(error)")
        }
    }

    /// The first answer, read from the log.
    private func answerAgain(_ ticket: Ticket, _ place: Fold<State>.Place) {
        Task { [log] in
            do {
                let batch = try await log.read(from: place.position, limit: Int(place.count), wait: nil)
                let facts = try batch.events.map { Outcome.Placed(fact: try Fact($0), position: $0.position, version: $0.version) }
                guard let first = facts.first?.fact.cause else {
                    throw DecisionError.unavailable("position \(place.position) is not there")
                }
                if case .command(let id, let digest) = ticket.cause, case .command(_, let firstDigest) = first, digest != firstDigest {
                    throw DecisionError.conflict(
                        CommandConflict(
                            command: id, position: place.position, firstDigest: firstDigest, digest: digest, differences: []))
                }
                ticket.waiter.resume(returning: Outcome(facts: facts, isRepeat: true))
            } catch let error as DecisionError {
                ticket.waiter.resume(throwing: error)
            } catch {
                ticket.waiter.resume(throwing: DecisionError.unavailable("\(error)"))
            }
        }
    }
}
