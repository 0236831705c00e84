internal import AgentGatewayDomain
internal import Events
internal import HTTP
internal import Money
internal import Web

/// How a request stands to the limits of its key: what was used, and what is on its way.
struct LimitStanding {
    let ask: LimitDesk.Ask
    /// What the log says was used with the key.
    let usage: KeyUsage
    /// What was on its way, with the request, before that was read.
    let entered: LimitDesk.Meter

    private var today: KeyUsage { usage.day == ask.day ? usage : KeyUsage() }

    /// - Throws: `Problem` 429 that says when the day is over.
    func checkDay(_ meter: LimitDesk.Meter, _ now: ContinuousClock.Instant) throws {
        guard let day = ask.limits.day else { return }
        func refusal(_ what: String) -> Problem {
            var headers = headers(meter, now)
            headers.set("Retry-After", "\(max(1, ask.dayLeft))")
            return Problem(OpenAIProblems.rateLimit, what, headers: headers)
        }
        if let limit = day.requests, today.requests + entered.requestsUnderWay > limit {
            throw refusal("this key may ask for \(limit) answers a day")
        }
        if let limit = day.tokens, today.tokens + entered.tokensUnderWay > limit {
            throw refusal("this key may use \(limit) tokens a day, and this could use \(ask.tokens)")
        }
        if let limit = day.money {
            let asset = try checked(limit)
            if try limit.isLess(than: underWay.adding(today.spentOnDay[asset] ?? .zero(asset))) {
                throw refusal("this key may spend \(limit) a day")
            }
        }
    }

    /// - Throws: `Problem` 402 when the key's budget is used up.
    func checkBudget() throws {
        guard let budget = ask.limits.budget else { return }
        let asset = try checked(budget)
        if try budget.isLess(than: underWay.adding(usage.spent[asset] ?? .zero(asset))) {
            throw Problem(OpenAIProblems.noMoney, "this key's budget of \(budget) does not cover up to \(ask.money) more")
        }
    }

    /// Takes the request from the minute's buckets.
    /// - Throws: `Problem` 429 that says when there is enough in them.
    func take(_ minute: KeyLimits.Rate, _ meter: inout LimitDesk.Meter, _ now: ContinuousClock.Instant) throws {
        var (requests, tokens, money) = (meter.requests, meter.tokens, meter.money)
        let known = meter
        func refusal(_ wait: Duration, _ what: String) -> Problem {
            var headers = headers(known, now)
            headers.set("Retry-After", "\(max(1, wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0)))")
            return Problem(OpenAIProblems.rateLimit, "this key may use \(what) a minute", headers: headers)
        }
        if let limit = minute.requests, let wait = requests.take(1, of: Int128(limit), at: now) { throw refusal(wait, "\(limit) requests") }
        if let limit = minute.tokens, let wait = tokens.take(Int128(ask.tokens), of: Int128(limit), at: now) {
            throw refusal(wait, "\(limit) tokens")
        }
        if let limit = minute.money {
            _ = try checked(limit)
            if let wait = money.take(ask.money.units, of: limit.units, at: now) { throw refusal(wait, "\(limit)") }
        }
        (meter.requests, meter.tokens, meter.money) = (requests, tokens, money)
    }

    private var underWay: Amount { entered.moneyUnderWay[ask.money.asset] ?? ask.money }

    /// A limit in one asset says nothing about prices in another: such a key buys nothing there.
    private func checked(_ limit: Amount) throws(Problem) -> Asset {
        guard limit.asset == ask.money.asset else {
            throw Problem(OpenAIProblems.noMoney, "this key's limits are in \(limit.asset), and the model's price is in \(ask.money.asset)")
        }
        return limit.asset
    }

    /// What OpenAI's clients look at, for the limit that is nearest: the minute's, or the day's.
    func headers(_ meter: LimitDesk.Meter, _ now: ContinuousClock.Instant) -> Headers {
        var headers: Headers = [:]
        let limits = ask.limits
        let rows: [(String, RateMeter, minute: Int?, day: Int?, usedToday: Int)] = [
            ("requests", meter.requests, limits.minute?.requests, limits.day?.requests, today.requests + entered.requestsUnderWay),
            ("tokens", meter.tokens, limits.minute?.tokens, limits.day?.tokens, today.tokens + entered.tokensUnderWay),
        ]
        for (name, rate, minute, day, usedToday) in rows {
            guard let limit = minute ?? day else { continue }
            headers.set("x-ratelimit-limit-\(name)", "\(limit)")
            let left = minute.map { Int(rate.left(of: Int128($0), at: now)) } ?? max(0, limit - usedToday)
            headers.set("x-ratelimit-remaining-\(name)", "\(left)")
            headers.set("x-ratelimit-reset-\(name)", Self.text(minute == nil ? .seconds(ask.dayLeft) : rate.full(at: now)))
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
