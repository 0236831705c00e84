import Glibc

/// Requests as they come, made from a seed.
struct Trace {
    struct Request {
        /// Microseconds since the start.
        let time: Int64
        let adapter: Int
        /// Microseconds that answering takes.
        let service: Int64
    }

    let name: String
    let requests: [Request]
    /// What the requests were drawn by, for a policy that knows it.
    let law: Law

    /// From when on which adapter is asked for how often, in requests (or sessions) a second; and of a session the mean of messages and the
    /// mean pause in seconds.
    struct Law {
        var rates: [(from: Int64, of: [Double])]
        var session: (messages: Double, pause: Double)?
    }

    /// Each request is for an adapter by its rank alone: no memory at all.
    static func zipf(_ exponent: Double, count: Int, adapters: Int, rate: Double, service: Double, seed: UInt64) -> Trace {
        var random = Random(seed)
        let ranks = Ranks(exponent, count: adapters, &random)
        var time = 0.0
        return Trace(
            name: "zipf \(exponent)",
            requests: (0..<count).map { _ in
                time += random.exponential(1_000_000 / rate)
                return Request(time: Int64(time), adapter: ranks.pick(&random), service: Int64(max(1_000, random.exponential(service))))
            }, law: Law(rates: [(0, ranks.rates(rate))]))
    }

    /// People come, talk for a while to one adapter, and go: sessions of 12 messages on average, two seconds apart.
    static func bursty(_ exponent: Double, count: Int, adapters: Int, rate: Double, service: Double, seed: UInt64) -> Trace {
        var random = Random(seed)
        let ranks = Ranks(exponent, count: adapters, &random)
        let mean = 12.0
        var time = 0.0
        var requests: [Request] = []
        while requests.count < count {
            time += random.exponential(1_000_000 * mean / rate)
            let adapter = ranks.pick(&random)
            var message = time
            repeat {
                requests.append(
                    Request(time: Int64(message), adapter: adapter, service: Int64(max(1_000, random.exponential(service)))))
                message += random.exponential(2_000_000)
            } while random.unit() > 1 / mean
        }
        requests.sort { $0.time < $1.time }
        return Trace(
            name: "bursty", requests: Array(requests.prefix(count)), law: Law(rates: [(0, ranks.rates(rate / mean))], session: (mean, 2)))
    }

    /// As Zipf, but every ten minutes a tenth of the ranks goes to other adapters.
    static func drifting(_ exponent: Double, count: Int, adapters: Int, rate: Double, service: Double, seed: UInt64) -> Trace {
        var random = Random(seed)
        var ranks = Ranks(exponent, count: adapters, &random)
        var time = 0.0
        var next = 600_000_000.0
        var law = Law(rates: [(0, ranks.rates(rate))])
        let requests = (0..<count).map { _ in
            time += random.exponential(1_000_000 / rate)
            if time >= next {
                ranks.swap(adapters / 10, &random)
                law.rates.append((Int64(time), ranks.rates(rate)))
                next += 600_000_000
            }
            return Request(time: Int64(time), adapter: ranks.pick(&random), service: Int64(max(1_000, random.exponential(service))))
        }
        return Trace(name: "drifting", requests: requests, law: law)
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same seed gives the same trace everywhere.
struct Random {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// In 0 ..< 1.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func below(_ bound: Int) -> Int { Int(next().multipliedFullWidth(by: UInt64(bound)).high) }

    mutating func exponential(_ mean: Double) -> Double { -mean * log(1 - unit()) }
}

/// Adapters in an order of popularity: the r-th is asked for in proportion to r to the minus exponent.
struct Ranks {
    private let upTo: [Double]
    private var order: [Int]

    init(_ exponent: Double, count: Int, _ random: inout Random) {
        var sum = 0.0
        upTo = (1...count).map { rank in
            sum += pow(Double(rank), -exponent)
            return sum
        }
        order = Array(0..<count)
        for index in stride(from: count - 1, to: 0, by: -1) { order.swapAt(index, random.below(index + 1)) }
    }

    func pick(_ random: inout Random) -> Int {
        let wanted = random.unit() * (upTo.last ?? 1)
        var (low, high) = (0, upTo.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if upTo[middle] <= wanted { low = middle + 1 } else { high = middle }
        }
        return order[low]
    }

    /// How often each adapter is asked for when all together are asked for so often.
    func rates(_ rate: Double) -> [Double] {
        var rates = [Double](repeating: 0, count: order.count)
        let all = upTo.last ?? 1
        for (rank, adapter) in order.enumerated() { rates[adapter] = rate * (upTo[rank] - (rank > 0 ? upTo[rank - 1] : 0)) / all }
        return rates
    }

    mutating func swap(_ count: Int, _ random: inout Random) {
        for _ in 0..<count { order.swapAt(random.below(order.count), random.below(order.count)) }
    }
}
