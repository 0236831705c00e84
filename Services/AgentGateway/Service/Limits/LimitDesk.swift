internal import AgentGatewayDomain
internal import Events
internal import HTTP
internal import Money
internal import Synchronization
internal import Threads
internal import Web

/// Keeps API keys within their limits: per minute by a bucket of this process, per day and in all by what the log says was used, and
/// always with what is on its way, at the most that it can come to.
final class LimitDesk: Sendable {
    /// What a request asks to use.
    struct Ask: Sendable {
        let key: String
        let limits: KeyLimits
        /// About what it will come to: what a minute's limit is asked for, and set right by afterwards.
        let tokens: Int
        /// The most that it can come to.
        let mostTokens: Int
        let money: Amount
        let day: Int64
        /// Seconds until the day ends.
        let dayLeft: Int64
    }

    /// What a key uses in this process.
    struct Meter {
        var requests = RateMeter()
        var tokens = RateMeter()
        var money = RateMeter()
        var requestsUnderWay = 0
        var tokensUnderWay = 0
        var moneyUnderWay: [Asset: Amount] = [:]

        func isIdle(at now: ContinuousClock.Instant) -> Bool {
            requestsUnderWay == 0 && [requests, tokens, money].allSatisfy { $0.isEmpty(at: now) }
        }
    }

    private let meters = Lock<[String: Meter]>([:])
    private let clock: @Sendable () -> ContinuousClock.Instant

    init(clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.clock = clock }

    /// Lets a request through. It counts as on its way before what was used is looked up: so what another comes to meanwhile is seen on
    /// its way or on the log, at worst on both, and never on neither.
    /// - Parameter usage: reads what the log says was used with the key.
    /// - Throws: `Problem` 429 that says when to come again, or 402 when the key's budget is used up.
    func admit(_ ask: Ask, usage: () async throws -> KeyUsage) async throws -> LimitGrant {
        let entered = try enter(ask)
        do {
            let standing = LimitStanding(ask: ask, usage: try await usage(), entered: entered)
            let now = clock()
            let headers = try meters.withLock { meters -> Headers in
                var meter = meters[ask.key] ?? Meter()
                defer { meters[ask.key] = meter }
                try standing.checkDay(meter, now)
                try standing.checkBudget()
                if let minute = ask.limits.minute { try standing.take(minute, &meter, now) }
                return standing.headers(meter, now)
            }
            return LimitGrant(headers: headers) { [self] tokens, money in finish(ask, tokens: tokens, money: money) }
        } catch {
            meters.withLock { meters in
                if var meter = meters[ask.key] { meters[ask.key] = leave(ask, &meter) }
            }
            throw error
        }
    }

    /// Counts a request as on its way.
    /// - Returns: what is, with it.
    private func enter(_ ask: Ask) throws -> Meter {
        try meters.withLock { meters in
            var meter = meters[ask.key] ?? Meter()
            meter.moneyUnderWay[ask.money.asset] = try (meter.moneyUnderWay[ask.money.asset] ?? .zero(ask.money.asset)).adding(ask.money)
            meter.requestsUnderWay += 1
            meter.tokensUnderWay += ask.mostTokens
            meters[ask.key] = meter
            return meter
        }
    }

    /// The key's meter when the request is not on its way any more; nil when nothing is left to remember.
    private func leave(_ ask: Ask, _ meter: inout Meter) -> Meter? {
        meter.requestsUnderWay -= 1
        meter.tokensUnderWay -= ask.mostTokens
        if let sum = try? meter.moneyUnderWay[ask.money.asset]?.subtracting(ask.money) { meter.moneyUnderWay[ask.money.asset] = sum }
        return meter.isIdle(at: clock()) ? nil : meter
    }

    private func finish(_ ask: Ask, tokens: Int, money: Amount) {
        meters.withLock { meters in
            guard var meter = meters[ask.key] else { return }
            let now = clock()
            if let limit = ask.limits.minute?.tokens { meter.tokens.correct(Int128(tokens - ask.tokens), of: Int128(limit), at: now) }
            if let limit = ask.limits.minute?.money { meter.money.correct(money.units - ask.money.units, of: limit.units, at: now) }
            meters[ask.key] = leave(ask, &meter)
        }
    }
}

/// Leave to use something up. Says once what it came to; nothing, when nobody says.
final class LimitGrant: Sendable {
    /// What the answer's head says about the limits.
    let headers: Headers
    private let end: Lock<(@Sendable (Int, Amount) -> Void)?>

    init(headers: Headers, end: @escaping @Sendable (Int, Amount) -> Void) {
        self.headers = headers
        self.end = Lock(end)
    }

    /// It came to this.
    func finish(tokens: Int, money: Amount) { end.withLock { $0.take() }?(tokens, money) }
}
