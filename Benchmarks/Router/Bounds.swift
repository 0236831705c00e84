/// Hit rates of one cache as large as all backends' slots together, on the bare sequence of requests: no places, no load times. What a
/// router can reach at most, and what plain recency reaches.
enum Bounds {
    /// Least recently used.
    static func lru(_ trace: [Trace.Request], slots: Int) -> Double {
        var last: [Int: Int] = [:]
        // Entries by last use; stale ones are skipped when they come up.
        var queue: [(adapter: Int, use: Int)] = []
        var head = 0
        return rate(trace, slots: slots) { index, adapter, isResident, isFull in
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
    static func optimum(_ trace: [Trace.Request], slots: Int) -> Double {
        var next = Array(repeating: Int.max, count: trace.count)
        var seen: [Int: Int] = [:]
        for index in trace.indices.reversed() {
            next[index] = seen[trace[index].adapter] ?? .max
            seen[trace[index].adapter] = index
        }
        var wanted: [Int: Int] = [:]
        var heap = Heap<(adapter: Int, next: Int)> { $0.next > $1.next }
        return rate(trace, slots: slots) { index, adapter, isResident, isFull in
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

    private static func rate(_ trace: [Trace.Request], slots: Int, _ use: (Int, Int, Bool, Bool) -> Int?) -> Double {
        var resident: Set<Int> = []
        var (hits, counted) = (0, 0)
        for (index, request) in trace.enumerated() {
            let isHit = resident.contains(request.adapter)
            if index >= trace.count / 5 {
                counted += 1
                if isHit { hits += 1 }
            }
            if let victim = use(index, request.adapter, isHit, resident.count >= slots) { resident.remove(victim) }
            resident.insert(request.adapter)
        }
        return Double(hits) / Double(max(1, counted))
    }
}
