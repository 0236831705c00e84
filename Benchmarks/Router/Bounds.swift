import Glibc

/// Hit rates of one cache as large as all backends' slots together: no places, no copies, every load begun at once; who asks while one goes on
/// waits for it, as everywhere. What a router can reach at most, and what plain recency reaches.
struct Bounds {
    let trace: Trace
    let world: World
    private var slots: Int { world.backends * world.slots }

    init(_ trace: Trace, _ world: World) {
        self.trace = trace
        self.world = world
    }

    /// Least recently used.
    func lru() -> Double {
        var last: [Int: Int] = [:]
        // Entries by last use; stale ones are skipped when they come up.
        var queue: [(adapter: Int, use: Int)] = []
        var head = 0
        return rate { index, adapter, isResident, isFull in
            last[adapter] = index
            queue.append((adapter, index))
            guard !isResident, isFull else { return nil }
            while head < queue.count {
                let entry = queue[head]
                head += 1
                if last[entry.adapter] == entry.use, entry.adapter != adapter {
                    last[entry.adapter] = nil
                    return entry.adapter
                }
            }
            return nil
        }
    }

    /// The clairvoyant optimum: out goes what will be wanted last (Belady, 1966).
    func optimum() -> Double {
        let trace = trace.requests
        var next = Array(repeating: Int.max, count: trace.count)
        var seen: [Int: Int] = [:]
        for index in trace.indices.reversed() {
            next[index] = seen[trace[index].adapter] ?? .max
            seen[trace[index].adapter] = index
        }
        var wanted: [Int: Int] = [:]
        var heap = Heap<(adapter: Int, next: Int)> { $0.next > $1.next }
        return rate { index, adapter, isResident, isFull in
            var victim: Int?
            if !isResident, isFull {
                while let top = heap.pop() {
                    if wanted[top.adapter] == top.next {
                        victim = top.adapter
                        wanted[top.adapter] = nil
                        break
                    }
                }
            }
            wanted[adapter] = next[index]
            heap.push((adapter, next[index]))
            return victim
        }
    }

    /// Who knows what the requests are drawn by, and not what will be drawn: out goes what is the least likely to be asked for next. Nothing
    /// that learns from the requests alone knows more.
    func informed() -> Double {
        let requests = trace.requests
        var last: [Int: Int64] = [:]
        var resident: Set<Int> = []
        var law = 0
        return rate { index, adapter, isResident, isFull in
            let now = requests[index].time
            while law + 1 < trace.law.rates.count, trace.law.rates[law + 1].from <= now { law += 1 }
            let rates = trace.law.rates[law].of
            last[adapter] = now
            var victim: Int?
            if !isResident, isFull {
                var least = Double.infinity
                for one in resident {
                    let worth = rates[one] + goesOn(after: now - (last[one] ?? 0))
                    if worth < least || worth == least && one < victim ?? .max { (least, victim) = (worth, one) }
                }
            }
            if let victim { resident.remove(victim) }
            resident.insert(adapter)
            return victim
        }
    }

    /// Messages a second that a session still brings, when its last one was so long ago.
    private func goesOn(after silence: Int64) -> Double {
        guard let session = trace.law.session else { return 0 }
        let goes = (1 - 1 / session.messages) * exp(-Double(silence) / 1_000_000 / session.pause)
        return goes / (goes + 1 / session.messages) / session.pause
    }

    private func rate(_ use: (Int, Int, Bool, Bool) -> Int?) -> Double {
        let requests = trace.requests
        var resident: Set<Int> = []
        // When a load is over.
        var ready: [Int: Int64] = [:]
        var (hits, counted) = (0, 0)
        for (index, request) in requests.enumerated() {
            let isResident = resident.contains(request.adapter)
            if !isResident { ready[request.adapter] = request.time + world.loadTimes[request.adapter] }
            if index >= requests.count / 5 {
                counted += 1
                if isResident, request.time >= ready[request.adapter] ?? 0 { hits += 1 }
            }
            if let victim = use(index, request.adapter, isResident, resident.count >= slots) { resident.remove(victim) }
            resident.insert(request.adapter)
        }
        return Double(hits) / Double(max(1, counted))
    }
}
