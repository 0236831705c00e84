internal import Crypto
internal import Decisions
internal import Events
internal import JSON
internal import Threads

/// Replays one service's events on a thread of its own.
public protocol ServiceReplaying: Sendable {
    /// Takes the next events of the log, of all services.
    func take(_ facts: [ReplayFact]) async
    /// Whether nothing was found so far.
    var isSound: Bool { get async }
    /// There are no more.
    /// - Parameter isWhole: whether that is the log's end.
    func finish(isWhole: Bool) async -> ServiceReport
}

/// Decides every append of a service again, on the state that the log made before it, and compares.
public actor ServiceReplay<Law: ReplayLaw>: ServiceReplaying {
    private let executor: ThreadExecutor
    /// Its own thread, where it may wait for evidence.
    nonisolated public var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var law: Law
    private let evidence: EvidenceShelf
    private let from: UInt64
    private var state: Law.State
    private var logTime = Timestamp(microseconds: 0)
    private var lagging: LaggingState<Law.State>?
    private var append: [ReplayFact] = []
    private var causes: Set<CauseMark> = []
    private var notes = ReplayNotes()
    private var events: UInt64 = 0
    private var folded: UInt64 = 0
    private var faults: [ReplayFault] = []
    private var isStopped = false

    /// Faults that a report names; one of a service's rules is the last that is looked for.
    private static var maximumFaults: Int { 20 }

    /// - Parameter from: events before this position were checked by an earlier run and are only folded.
    public init(_ law: Law, evidence: EvidenceShelf, from: UInt64 = 0) {
        self.law = law
        self.evidence = evidence
        self.from = from
        state = law.makeState()
        lagging = Law.looksAtOthers ? LaggingState(law.makeState()) : nil
        executor = ThreadExecutor(name: "replay-\(Law.service.rawValue)")
    }

    deinit { executor.stop() }

    /// Takes the next events of the log.
    public func take(_ facts: [ReplayFact]) {
        for fact in facts {
            guard !isStopped else { return }
            if let last = append.last, last.fact.cause != fact.fact.cause || !isOwn(fact) { decideAgain() }
            if isOwn(fact) { append.append(fact) } else { learn(fact) }
        }
    }

    /// Whether nothing was found so far.
    public var isSound: Bool { faults.isEmpty }

    /// Ends it.
    public func finish(isWhole: Bool) -> ServiceReport {
        if !isStopped { decideAgain() }
        if !isStopped, isWhole {
            let ending = law.finish(state, logTime: logTime)
            for missing in ending.missing {
                fault(missing.position, missing.type, "missing", missing.reason)
            }
            for gap in ending.gaps { notes.miss(gap, at: 0) }
            notes.add(Verdict([], checked: ending.checked), at: 0)
        }
        return ServiceReport(
            service: Law.service, events: events, folded: folded, checked: notes.checked, gaps: notes.counted, faults: faults)
    }

    private func isOwn(_ fact: ReplayFact) -> Bool { Law.nouns.contains(String(fact.fact.type.prefix { $0 != "." })) }

    // MARK: Others' events

    private func learn(_ fact: ReplayFact) {
        logTime = max(logTime, fact.fact.time)
        guard Law.State.concerns(fact.fact.type) else { return }
        law.hear(fact)
        do { try state.apply(fact.fact) } catch {
            return stop(fact.position, fact.fact.type, "state", "\(Law.service.rawValue) cannot take it in: \(error)")
        }
        lagging?.queue(fact.fact)
    }

    // MARK: Own events

    private func decideAgain() {
        guard let first = append.first else { return }
        let decided = ReplayedAppend(append.map(\.fact.own), position: first.position)
        if first.position >= from {
            check(decided)
        } else {
            causes.insert(CauseMark(decided.first.cause))
            folded += UInt64(append.count)
        }
        for fact in append where !isStopped {
            logTime = max(logTime, fact.fact.time)
            guard Law.State.concerns(fact.fact.type) else { continue }
            law.hear(fact)
            do { try state.apply(fact.fact.own) } catch { stop(fact.position, fact.fact.type, "state", "\(error)") }
        }
        if !isStopped { lagging?.apply(decided.facts) }
        append = []
    }

    private func check(_ decided: ReplayedAppend) {
        events += UInt64(append.count)
        let first = decided.first
        guard causes.insert(CauseMark(first.cause)).inserted else {
            return stop(decided.position, first.type, "cause", "its cause was answered before: a command or reaction is decided once")
        }
        for fact in append { findEvidence(of: fact) }
        guard !isStopped else { return }
        var refusal: (index: Int, rule: String, reason: String)?
        lagging?.advance(to: logTime)
        // A service decides a moment before its events are on the log: what others wrote meanwhile it may not have seen.
        let context = { (time: Timestamp) in DecisionContext(time: first.time, logTime: time, cause: first.cause, actor: first.actor) }
        for attempt in 0..<3 {
            do {
                let verdict: Verdict
                switch attempt {
                case 0: verdict = try law.judge(decided, state, context(logTime))
                case 1: verdict = try law.judge(decided, state, context(first.time))
                default:
                    guard let lagging else { continue }
                    verdict = try law.judge(decided, lagging.state, context(lagging.logTime))
                }
                guard let expected = verdict.events else {
                    let gap = ReplayGap("events of type \(first.type)", why: "this program has no rule to decide them again by")
                    return notes.miss(gap, at: decided.position)
                }
                guard let difference = Difference.first(expected: expected, found: decided.facts) else {
                    return notes.add(verdict, at: decided.position)
                }
                refusal = refusal ?? (difference.index, "decision", difference.reason)
            } catch let trouble as EvidenceTrouble {
                // Named already when it is one that the event names itself.
                guard !faults.contains(where: { $0.reason == trouble.description }) else { return }
                return fault(decided.position, first.type, "evidence", trouble.description)
            } catch {
                refusal = refusal ?? ((error as? Unlawful)?.event ?? 0, "decision", "\(error)")
            }
        }
        if let refusal {
            let place = min(refusal.index, append.count - 1)
            stop(append[place].position, append[place].fact.type, refusal.rule, refusal.reason)
        }
    }

    /// All evidence that an event names has to be there and be what was hashed, whether a rule looks at it or not.
    private func findEvidence(of fact: ReplayFact) {
        for mention in EvidenceMentions.of(type: fact.fact.type, data: fact.fact.data) {
            do {
                _ = try evidence.bytes(mention.digest)
                notes.count("pieces of evidence")
            } catch {
                fault(fact.position, fact.fact.type, "evidence", "\(error)")
            }
        }
    }

    // MARK: Faults

    private func stop(_ position: UInt64, _ type: String, _ rule: String, _ reason: String) {
        fault(position, type, rule, reason)
        isStopped = true
    }

    private func fault(_ position: UInt64, _ type: String, _ rule: String, _ reason: String) {
        faults.append(ReplayFault(Law.service, position: position, type: type, rule: rule, reason: reason))
        if faults.count >= Self.maximumFaults { isStopped = true }
    }
}

/// What is remembered of a cause: 128 bits of its hash.
private struct CauseMark: Hashable {
    private let high: UInt64
    private let low: UInt64

    init(_ cause: Cause) {
        let kind = if case .event = cause { "event\n" } else { "command\n" }
        (high, low) = SHA256.hash(utf8: kind + cause.id).withUnsafeBytes {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }
}
