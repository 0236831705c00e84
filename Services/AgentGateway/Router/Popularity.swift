internal import Glibc

/// How soon each adapter is likely to be asked for again, learned from the requests themselves.
///
/// Adapters of like popularity (a count that forgets over an hour) and like age (the time since the last request) are taken together:
/// how often those were asked for, by how long they were so. Where people come and talk for a while, the young are soon asked for
/// again and the old are not; where each request stands for itself, age says little and popularity all. LRU believes in age alone,
/// LFU in counts alone; here what held lately is believed. (After least hit density, Beckmann, Chen and Cidon, NSDI 2018.)
public struct Popularity: Sendable {
    /// What is remembered for how long.
    public struct Options: Sendable, Hashable {
        /// Microseconds in which a count forgets a half.
        public var halfLife: Int64 = 3_600_000_000
        /// Requests after which what was learned counts half.
        public var memory = 65_536

        /// The defaults.
        public init() {}
    }

    private struct Adapter: Sendable {
        /// Requests, forgetting, as of `used`.
        var count = 0.0
        /// The last request.
        var used: Int64
        /// Up to when its time was added to what was learned.
        var counted: Int64
    }

    /// What was learned of one kind of adapters.
    private struct Cell: Sendable {
        var requests = 0.0
        /// Seconds that adapters were of this kind, all together.
        var seconds = 0.0
    }

    private static let classes = 24
    private static let ages = 24
    /// The first step of ages in seconds, and how many steps double it.
    private static let step = 0.25
    private static let finer = 1.5
    /// How much, in requests, what was learned of a popularity weighs beside what was learned of it at one age, and the own count beside the
    /// former: what few were seen of is not believed at its word.
    private static let doubt = (age: 3.0, popularity: 1.0)
    /// Adapters whose time is added with each request, in turn.
    private static let sweep = 16

    private let options: Options
    private var adapters: [Adapter] = []
    private var cells = Array(repeating: Cell(), count: classes * ages)
    /// The same over all ages.
    private var rows = Array(repeating: Cell(), count: classes)
    private var next = 0
    private var noted = 0

    init(_ options: Options) { self.options = options }

    /// One more that nobody has asked for yet.
    mutating func add(at now: Int64) { adapters.append(Adapter(used: now, counted: now)) }

    /// It was asked for.
    mutating func note(_ index: Int, at now: Int64) {
        for _ in 0..<min(Self.sweep, adapters.count) {
            next = (next + 1) % adapters.count
            account(next, upTo: now)
        }
        account(index, upTo: now)
        let count = count(index, at: now)
        if count > 0 {
            cells[cell(count, age: now - adapters[index].used)].requests += 1
            rows[Self.row(count)].requests += 1
        }
        adapters[index].count = count + 1
        adapters[index].used = max(now, adapters[index].used)
        adapters[index].counted = max(now, adapters[index].counted)
        noted += 1
        if noted % options.memory == 0 {
            for cell in cells.indices {
                cells[cell].requests /= 2
                cells[cell].seconds /= 2
            }
            for row in rows.indices {
                rows[row].requests /= 2
                rows[row].seconds /= 2
            }
        }
    }

    /// Requests a second that are to be expected now.
    func rate(_ index: Int, at now: Int64) -> Double {
        let count = count(index, at: now)
        guard count > 0 else { return 0 }
        let cell = cells[cell(count, age: now - adapters[index].used)]
        let own = count * M_LN2 * 1_000_000 / Double(options.halfLife)
        let all = rows[Self.row(count)]
        let usual = (all.requests + Self.doubt.popularity) / (all.seconds + Self.doubt.popularity / own)
        return (cell.requests + Self.doubt.age) / (cell.seconds + Self.doubt.age / usual)
    }

    private func count(_ index: Int, at now: Int64) -> Double {
        let adapter = adapters[index]
        guard adapter.count > 0, now > adapter.used else { return adapter.count }
        return adapter.count * exp2(-Double(now - adapter.used) / Double(options.halfLife))
    }

    /// Adds the time since it was last added, age by age.
    private mutating func account(_ index: Int, upTo now: Int64) {
        let adapter = adapters[index]
        guard adapter.count > 0, now > adapter.counted else { return }
        let row = Self.row(count(index, at: now))
        var from = Double(adapter.counted - adapter.used) / 1_000_000
        let end = Double(now - adapter.used) / 1_000_000
        rows[row].seconds += end - from
        var age = Self.column(from)
        while from < end {
            let border = age + 1 < Self.ages ? Self.step * (exp2(Double(age + 1) / Self.finer) - 1) : .infinity
            let to = min(end, max(border, from))
            cells[row * Self.ages + age].seconds += to - from
            from = to
            if age + 1 < Self.ages { age += 1 }
        }
        adapters[index].counted = now
    }

    private func cell(_ count: Double, age: Int64) -> Int {
        Self.row(count) * Self.ages + Self.column(Double(max(0, age)) / 1_000_000)
    }

    private static func row(_ count: Double) -> Int { min(classes - 1, Int(2 * log2(1 + 2 * count))) }
    private static func column(_ seconds: Double) -> Int { min(ages - 1, Int(finer * log2(1 + seconds / step))) }
}
