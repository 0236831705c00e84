/// A backend as the router sees it.
struct BackendState: Sendable {
    /// An adapter's place on it.
    struct Residence: Sendable {
        enum Phase: Sendable {
            case loading
            case ready
        }
        var phase: Phase
        var began: Int64
        /// Requests that use it now.
        var users = 0
        /// The waiting request that it was brought in for; until that has begun, it stays.
        var claim: UInt64?
        /// Nobody new may use it: another is to have its place.
        var isLeaving = false
        /// It was there from the start and stays.
        var isFixed = false

        /// Whether its slot can be given to another at once.
        var mayGo: Bool { phase == .ready && users == 0 && claim == nil && !isFixed }
    }

    let profile: BackendProfile
    /// Adapters by their number.
    var residents: [Int: Residence] = [:]
    var running = 0
    /// Running requests of each base.
    var runningOfBase: [String: Int] = [:]
    var loading = 0
    var isDraining = false
    var failures = 0
    var closures = 0
    /// When it may be tried again; nil while it is open.
    var reopens: Int64?
    /// What bringing in an adapter took here, as a mean that forgets.
    var loadTime: Double
    /// The resident that was worth least of those that may go, and when that was found.
    var coldest: (adapter: Int, time: Int64)?
    var served = 0
    var hits = 0
    var misses = 0
    var evictions = 0
    /// Requests that try, while it is closed, whether it is back.
    var probes = 0
    /// The base that is to have its turn, where bases do not mix: others begin nothing here until it has.
    var turn: String?

    init(_ profile: BackendProfile, usualLoad: Int64) {
        self.profile = profile
        loadTime = Double(usualLoad)
    }

    /// Whether anything new may go there.
    /// - Parameter isLast: whether all others are closed too: then a closed one is better than none.
    func isOpen(at now: Int64, isLast: Bool) -> Bool {
        guard !isDraining else { return false }
        guard let reopens, !isLast else { return true }
        // Half open: one request, to see whether it is back. What ran before it closed says nothing about that.
        return now >= reopens && probes == 0 && loading == 0
    }

    /// Whether a request for this base may run beside what runs now.
    func suits(_ base: String) -> Bool {
        profile.mixesBases || ((turn == nil || turn == base) && (running == 0 || runningOfBase[base] != nil))
    }

    func hasPlace(for base: String) -> Bool { running < profile.concurrency && suits(base) }

    /// What share of its places is taken, in thousandths; those that run other bases count a little more, so that bases gather.
    func load(for base: String) -> Int {
        running * 1_000 / profile.concurrency + (running > 0 && runningOfBase[base] == nil ? 1 : 0)
    }

    mutating func begin(_ base: String) {
        running += 1
        runningOfBase[base, default: 0] += 1
        if turn == base { turn = nil }
    }

    mutating func end(_ base: String) {
        running -= 1
        guard let count = runningOfBase[base] else { return }
        runningOfBase[base] = count > 1 ? count - 1 : nil
    }
}
