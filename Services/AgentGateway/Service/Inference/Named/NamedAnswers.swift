internal import Crypto
internal import HTTP
internal import Postgres
internal import Synchronization
internal import Telemetry
internal import Threads
internal import Web

/// Lets one attempt at a time answer a question that its caller has named, among all gateways of the house: before anything is held or told
/// for it. A turn is said again as long as its answer goes on, so that a gateway that died leaves none behind; an answer whose turn was
/// lost all the same ends there, since another may have begun.
final class NamedAnswers: Sendable {
    /// What became of a question.
    enum Turn: Sendable {
        /// It is to be answered.
        case mine
        /// It was: by this attempt, told so.
        case told(attempt: String, NamedAnswerStore.Telling)
    }

    private struct Held {
        let attempt: String
        let cut: AnswerCut
        var until: ContinuousClock.Instant
    }

    private let store: NamedAnswerStore
    private let logger: Logger
    private let held = Lock<[String: Held]>([:])

    init(_ store: NamedAnswerStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Takes the turn to answer.
    /// - Parameters:
    ///   - digest: SHA-256 of what is asked.
    ///   - cut: ends the answer when its turn is lost.
    /// - Throws: `Problem`: 409 while another attempt answers, 422 where something else was asked under the name, 503.
    func take(_ inference: String, attempt: String, digest: Digest, cut: AnswerCut) async throws -> Turn {
        do {
            for _ in 0..<3 {
                let until = ContinuousClock.now + NamedAnswerStore.lease
                if try await store.begin(inference, attempt: attempt, digest: digest) {
                    hold(inference, Held(attempt: attempt, cut: cut, until: until))
                    return .mine
                }
                guard let entry = try await store.entry(inference) else { continue }
                guard entry.digest == digest else { throw Self.reused(inference) }
                if let telling = entry.telling { return .told(attempt: entry.attempt, telling) }
                guard entry.isOver else { throw AnswersUnderWay.inFlight }
                if try await store.takeOver(inference, from: entry.attempt, attempt: attempt) {
                    hold(inference, Held(attempt: attempt, cut: cut, until: until))
                    return .mine
                }
            }
        } catch let error where !(error is Problem || error is CancellationError) {
            logger.warning("whose turn it is to answer is not known", ["inference": .string(inference), "error": .string("\(error)")])
            throw Problem(.unavailable, "named requests are not taken now: try again", headers: ["Retry-After": "1"])
        }
        throw AnswersUnderWay.inFlight
    }

    static func reused(_ inference: String) -> Problem {
        Problem(.keyReused, "another request was made under this key, as \(inference)", field: "Idempotency-Key")
    }

    private func hold(_ inference: String, _ turn: Held) { held.withLock { $0[inference] = turn } }

    /// The answer is on the log. Its turn ends, whether its caller is still there or not.
    func tell(_ inference: String, attempt: String, _ telling: NamedAnswerStore.Telling) async {
        await end(inference, "how an answer was told is not kept") { [store] in
            try await store.tell(inference, attempt: attempt, telling)
        }
    }

    /// Nothing came of it: the next is the first.
    func giveUp(_ inference: String, attempt: String) async {
        await end(inference, "the turn to answer runs out by itself") { [store] in
            try await store.giveUp(inference, attempt: attempt)
        }
    }

    private func end(_ inference: String, _ warning: String, _ work: @escaping @Sendable () async throws -> Void) async {
        held.withLock { $0[inference] = nil }
        // In a task of its own: a caller who has left must not keep it from being done.
        await Task { [logger] in
            do { try await work() } catch {
                logger.warning(warning, ["inference": .string(inference), "error": .string("\(error)")])
            }
        }.value
    }

    // MARK: Keeping turns

    /// Between two times that turns are said again: a few fit into one.
    private static let pause = Duration.seconds(8)
    private static let roundsOfMemory = 450

    /// Keeps the turns of what is being answered here until the task is cancelled.
    func run() async {
        var round = 0
        // One batch between two times that turns are said again, as long as there is more: names may come faster than one batch an hour.
        var hasMore = true
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.pause)
            await renew()
            if hasMore || round % Self.roundsOfMemory == 0 {
                do { hasMore = try await store.forget() } catch {
                    hasMore = false
                    logger.warning("old names of answers are not forgotten yet: \(error)")
                }
            }
            round += 1
        }
        await store.pool.close()
    }

    /// Says again what is being answered here, and ends what another answers by now.
    func renew() async {
        let mine = held.withLock { $0 }
        guard !mine.isEmpty else { return }
        let until = ContinuousClock.now + NamedAnswerStore.lease
        var kept: Set<String> = []
        do { kept = try await store.renew(mine.mapValues(\.attempt)) } catch {
            logger.warning("turns to answer could not be kept: \(error)")
            kept = Set(mine.filter { $0.value.until > .now }.keys)
            cut(mine.filter { !kept.contains($0.key) })
            return
        }
        held.withLock { held in
            for inference in kept where held[inference]?.attempt == mine[inference]?.attempt { held[inference]?.until = until }
        }
        cut(mine.filter { !kept.contains($0.key) })
    }

    private func cut(_ lost: [String: Held]) {
        // What ended meanwhile has lost nothing.
        let open = held.withLock { held in lost.filter { held[$0.key]?.attempt == $0.value.attempt } }
        for (inference, turn) in open {
            logger.warning("another attempt may answer by now", ["inference": .string(inference)])
            turn.cut(AnswersUnderWay.inFlight)
        }
    }
}
