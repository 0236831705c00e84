internal import AgentGatewayDomain
internal import Events
internal import HTTP
internal import HTTPClient
internal import JSON
internal import Money
internal import ServiceShell
internal import Telemetry
internal import Web

/// Money that billing keeps apart for an answer. A call whose answer was lost is made again by the same key, so that there is one hold or
/// none; and what nobody needs is given back however long billing is away.
struct HoldDesk: Sendable {
    let peers: Peers
    let logger: Logger

    /// How long a hold outlives its request, in seconds of log time: for as long as its answer may be given and then recorded.
    static let time = (InferenceBounds.answer + InferenceBounds.recording + InferenceBounds.clocks).components.seconds

    /// How often a hold is asked for while the caller waits, and the pause after the first time, which doubles.
    private static let tries = 4
    private static let pause = Duration.milliseconds(50)
    /// The longest pause between two calls that nobody waits for.
    private static let longestPause = Duration.seconds(30)

    /// A hold that is wanted.
    struct Wanted: Sendable {
        let payer: String
        let amount: Amount
        /// The mandate's word that it is under.
        let reference: String?
        /// Names the hold: the same key is the same hold.
        let key: String
    }

    private enum Answer {
        case held(String)
        case refused(Problem)
        /// What came of it is not known.
        case unclear(String, mayBeThere: Bool)
    }

    /// Places it.
    /// - Throws: `Problem`: 402 when the balance does not cover it, 503 when billing is away; then nothing stays held.
    func place(_ wanted: Wanted) async throws -> String {
        var pause = Self.pause
        var reason = ""
        var mayBeThere = false
        for attempt in 1...Self.tries {
            switch await ask(wanted) {
            case .held(let id): return id
            case .refused(let problem): throw problem
            case .unclear(let why, let reached):
                reason = why
                mayBeThere = mayBeThere || reached
            }
            if attempt < Self.tries {
                try? await Task.sleep(for: pause)
                pause *= 2
            }
        }
        logger.warning("billing is not available", ["inference": .string(wanted.key), "error": .string(reason)])
        if mayBeThere { Task { await undo(wanted) } }
        throw Problem(.unavailable, "billing is not available: try again", headers: ["Retry-After": "1"])
    }

    /// Gives a hold back. Who calls waits for one try; what that does not do is done when billing is back.
    func release(_ hold: String, key: String) async {
        if await tryRelease(hold, key) { return }
        Task { await insist { await tryRelease(hold, key) } }
    }

    private func ask(_ wanted: Wanted) async -> Answer {
        do {
            let placed = try await peers.call(
                "POST", .billing, "/v1/holds",
                json: .members([
                    "account": .string("payer:" + wanted.payer), "amount": wanted.amount.json, "seconds": .int(Self.time),
                    "reference": wanted.reference.map { .string($0) },
                ]), key: wanted.key)
            guard let id = placed["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue else {
                return .unclear("billing gave no hold", mayBeThere: true)
            }
            return .held(id)
        } catch { return Self.answer(error, wanted) }
    }

    private static func answer(_ error: any Error, _ wanted: Wanted) -> Answer {
        switch error {
        case let error as PeerError where error.code == ProblemType.commandInFlight.code: .unclear(error.detail, mayBeThere: true)
        case let error as PeerError where [402, 404, 409, 422].contains(error.status):
            .refused(
                Problem(
                    OpenAIProblems.noMoney,
                    "the balance of \(wanted.payer) does not cover up to \(wanted.amount): \(error.detail). Deposit first, or ask for fewer tokens"
                ))
        case let error as PeerError: .unclear("\(error)", mayBeThere: error.status >= 500)
        case let error as HTTPClientError: .unclear("\(error)", mayBeThere: error.mayHaveReachedServer)
        default: .unclear("\(error)", mayBeThere: true)
        }
    }

    private func tryRelease(_ hold: String, _ key: String) async -> Bool {
        do {
            _ = try await peers.call("POST", .billing, "/v1/holds/\(hold)/release", json: .object(JSONObject()), key: key)
            return true
        } catch {
            logger.warning("a hold could not be released yet", ["hold": .string(hold), "error": .string("\(error)")])
            return Self.isFinal(error)
        }
    }

    private static func isFinal(_ error: any Error) -> Bool {
        guard let error = error as? PeerError else { return false }
        return (400..<500).contains(error.status) && error.code != ProblemType.commandInFlight.code && error.status != 429
    }

    /// Finds out what came of a hold that nobody waits for any more, and gives it back.
    private func undo(_ wanted: Wanted) async {
        await insist {
            switch await ask(wanted) {
            case .held(let id): await tryRelease(id, wanted.key + "-release")
            case .refused: true
            case .unclear: false
            }
        }
    }

    /// Tries for as long as a hold lasts; then it has run out by itself.
    private func insist(_ isDone: () async -> Bool) async {
        let end = ContinuousClock.now + .seconds(Self.time)
        var pause = Duration.milliseconds(250)
        while ContinuousClock.now < end {
            try? await Task.sleep(for: pause)
            if await isDone() { return }
            pause = min(pause * 2, Self.longestPause)
        }
    }
}
