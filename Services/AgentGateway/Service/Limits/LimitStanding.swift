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
            throw refusal("this key may use \(limit) tokens a day, and this could use \(ask.mostTokens)")
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

    /// A limit as it stands: how much of it is left, and when all of it is there again.
    private struct Bound {
        let limit: Int128
        let left: Int128
        let reset: Duration
    }

    /// What OpenAI's clients look at, and the same for money in minor units: for the limit that is nearest, the minute's or the day's.
    func headers(_ meter: LimitDesk.Meter, _ now: ContinuousClock.Instant) -> Headers {
        var headers: Headers = [:]
        let (minute, day) = (ask.limits.minute, ask.limits.day)
        let asset = ask.money.asset
        func whole(_ amount: Amount?) -> Int128? { amount?.asset == asset ? amount?.units : nil }
        func sum(_ one: Amount?, _ other: Amount?) -> Int128 {
            let (sum, isTooLarge) = (one?.units ?? 0).addingReportingOverflow(other?.units ?? 0)
            return isTooLarge ? .max : sum
        }
        let rows: [(String, RateMeter, minute: Int128?, day: Int128?, today: Int128)] = [
            (
                "requests", meter.requests, minute?.requests.map { Int128($0) }, day?.requests.map { Int128($0) },
                Int128(today.requests + entered.requestsUnderWay)
            ),
            (
                "tokens", meter.tokens, minute?.tokens.map { Int128($0) }, day?.tokens.map { Int128($0) },
                Int128(today.tokens + entered.tokensUnderWay)
            ),
            (
                "money", meter.money, whole(minute?.money), whole(day?.money),
                sum(today.spentOnDay[asset], entered.moneyUnderWay[asset])
            ),
        ]
        for (name, rate, minute, day, used) in rows {
            var bounds: [Bound] = []
            if let minute { bounds.append(Bound(limit: minute, left: rate.left(of: minute, at: now), reset: rate.full(at: now))) }
            if let day { bounds.append(Bound(limit: day, left: max(0, day - used), reset: .seconds(ask.dayLeft))) }
            guard let nearest = bounds.min(by: { $0.left < $1.left }) else { continue }
            headers.set("x-ratelimit-limit-\(name)", "\(nearest.limit)")
            headers.set("x-ratelimit-remaining-\(name)", "\(nearest.left)")
            headers.set("x-ratelimit-reset-\(name)", Self.text(nearest.reset))
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
