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
        /// What the log says was used with the key.
        let usage: KeyUsage
        /// The most that it can come to.
        let tokens: Int
        let money: Amount
        let day: Int64
        /// Seconds until the day ends.
        let dayLeft: Int64
    }

    private struct Meter {
        var requests = RateMeter()
        var tokens = RateMeter()
        var money = RateMeter()
        var requestsUnderWay = 0
        var tokensUnderWay = 0
        var moneyUnderWay: [Asset: Amount] = [:]
    }

    private let meters = Lock<[String: Meter]>([:])
    private let clock: @Sendable () -> ContinuousClock.Instant

    init(clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.clock = clock }

    /// Lets a request through.
    /// - Throws: `Problem` 429 that says when to come again, or 402 when the key's budget is used up.
    func admit(_ ask: Ask) throws -> LimitGrant {
        let now = clock()
        let headers = try meters.withLock { meters -> Headers in
            var meter = meters[ask.key] ?? Meter()
            defer { meters[ask.key] = meter }
            try Self.checkDay(ask, meter)
            try Self.checkBudget(ask, meter)
            if let minute = ask.limits.minute { try Self.take(ask, minute, &meter, now) }
            meter.requestsUnderWay += 1
            meter.tokensUnderWay += ask.tokens
            meter.moneyUnderWay[ask.money.asset] = try (meter.moneyUnderWay[ask.money.asset] ?? .zero(ask.money.asset)).adding(ask.money)
            return Self.headers(ask, meter, now)
        }
        return LimitGrant(headers: headers) { [self] tokens, money in finish(ask, tokens: tokens, money: money) }
    }

    private static func checkDay(_ ask: Ask, _ meter: Meter) throws {
        guard let day = ask.limits.day else { return }
        let used = ask.usage.day == ask.day ? ask.usage : KeyUsage()
        let headers: Headers = ["Retry-After": "\(max(1, ask.dayLeft))"]
        if let limit = day.requests, used.requests + meter.requestsUnderWay >= limit {
            throw Problem(OpenAIProblems.rateLimit, "this key may ask for \(limit) answers a day", headers: headers)
        }
        if let limit = day.tokens, used.tokens + meter.tokensUnderWay + ask.tokens > limit {
            throw Problem(
                OpenAIProblems.rateLimit, "this key may use \(limit) tokens a day, and this could use \(ask.tokens)", headers: headers)
        }
        if let limit = day.money {
            let asset = try checked(limit, ask)
            let sum = try total(ask, meter).adding(used.spentOnDay[asset] ?? .zero(asset))
            if try limit.isLess(than: sum) {
                throw Problem(OpenAIProblems.rateLimit, "this key may spend \(limit) a day", headers: headers)
            }
        }
    }

    private static func checkBudget(_ ask: Ask, _ meter: Meter) throws {
        guard let budget = ask.limits.budget else { return }
        let asset = try checked(budget, ask)
        let sum = try total(ask, meter).adding(ask.usage.spent[asset] ?? .zero(asset))
        if try budget.isLess(than: sum) {
            throw Problem(OpenAIProblems.noMoney, "this key's budget of \(budget) does not cover up to \(ask.money) more")
        }
    }

    /// What is on its way, with what is asked for.
    private static func total(_ ask: Ask, _ meter: Meter) throws(MoneyError) -> Amount {
        try ask.money.adding(meter.moneyUnderWay[ask.money.asset] ?? .zero(ask.money.asset))
    }

    /// A limit in one asset says nothing about prices in another: such a key buys nothing there.
    private static func checked(_ limit: Amount, _ ask: Ask) throws(Problem) -> Asset {
        guard limit.asset == ask.money.asset else {
            throw Problem(OpenAIProblems.noMoney, "this key's limits are in \(limit.asset), and the model's price is in \(ask.money.asset)")
        }
        return limit.asset
    }

    private static func take(_ ask: Ask, _ minute: KeyLimits.Rate, _ meter: inout Meter, _ now: ContinuousClock.Instant) throws {
        var (requests, tokens, money) = (meter.requests, meter.tokens, meter.money)
        func refuse(_ wait: Duration, _ what: String) -> Problem {
            var headers = headers(ask, meter, now)
            headers.set("Retry-After", "\(max(1, wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0)))")
            return Problem(OpenAIProblems.rateLimit, "this key may use \(what) a minute", headers: headers)
        }
        if let limit = minute.requests, let wait = requests.take(1, of: Int128(limit), at: now) { throw refuse(wait, "\(limit) requests") }
        if let limit = minute.tokens, let wait = tokens.take(Int128(ask.tokens), of: Int128(limit), at: now) {
            throw refuse(wait, "\(limit) tokens")
        }
        if let limit = minute.money {
            _ = try checked(limit, ask)
            if let wait = money.take(ask.money.units, of: limit.units, at: now) { throw refuse(wait, "\(limit)") }
        }
        (meter.requests, meter.tokens, meter.money) = (requests, tokens, money)
    }

    private func finish(_ ask: Ask, tokens: Int, money: Amount) {
        meters.withLock { meters in
            guard var meter = meters[ask.key] else { return }
            meter.requestsUnderWay -= 1
            meter.tokensUnderWay -= ask.tokens
            if let sum = try? meter.moneyUnderWay[ask.money.asset]?.subtracting(ask.money) { meter.moneyUnderWay[ask.money.asset] = sum }
            if let limit = ask.limits.minute?.tokens { meter.tokens.giveBack(Int128(max(0, ask.tokens - tokens)), of: Int128(limit)) }
            if let limit = ask.limits.minute?.money { meter.money.giveBack(max(0, ask.money.units - money.units), of: limit.units) }
            let now = clock()
            let isIdle = meter.requestsUnderWay == 0 && [meter.requests, meter.tokens, meter.money].allSatisfy { $0.isEmpty(at: now) }
            meters[ask.key] = isIdle ? nil : meter
        }
    }

    /// What OpenAI's clients look at, for the limit that is nearest: the minute's, or the day's.
    private static func headers(_ ask: Ask, _ meter: Meter, _ now: ContinuousClock.Instant) -> Headers {
        var headers: Headers = [:]
        let used = ask.usage.day == ask.day ? ask.usage : KeyUsage()
        let rows: [(String, RateMeter, minute: Int?, day: Int?, usedToday: Int)] = [
            ("requests", meter.requests, ask.limits.minute?.requests, ask.limits.day?.requests, used.requests + meter.requestsUnderWay),
            ("tokens", meter.tokens, ask.limits.minute?.tokens, ask.limits.day?.tokens, used.tokens + meter.tokensUnderWay),
        ]
        for (name, rate, minute, day, usedToday) in rows {
            guard let limit = minute ?? day else { continue }
            headers.set("x-ratelimit-limit-\(name)", "\(limit)")
            let left = minute.map { Int(rate.left(of: Int128($0), at: now)) } ?? max(0, limit - usedToday)
            headers.set("x-ratelimit-remaining-\(name)", "\(left)")
            headers.set("x-ratelimit-reset-\(name)", text(minute == nil ? .seconds(ask.dayLeft) : rate.full(at: now)))
        }
        return headers
    }

    /// `1m30s`, `2s`, `150ms`.
    private static func text(_ time: Duration) -> String {
        let milliseconds = time.components.seconds * 1_000 + time.components.attoseconds / 1_000_000_000_000_000
        if milliseconds < 1_000 { return "\(milliseconds)ms" }
        let seconds = (milliseconds + 999) / 1_000
        return seconds < 60 ? "\(seconds)s" : "\(seconds / 60)m\(seconds % 60)s"
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
