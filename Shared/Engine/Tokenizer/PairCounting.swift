/// Counts of neighbouring tokens over all words, kept up to date while pairs are merged.
struct PairCounting {
    struct Pair: Hashable {
        let left: Int32
        let right: Int32
    }

    private struct Candidate {
        let count: Int
        let pair: Pair

        func precedes(_ other: Candidate) -> Bool {
            count != other.count ? count > other.count : (pair.left, pair.right) < (other.pair.left, other.pair.right)
        }
    }

    private var words: [[Int32]]
    private let wordCounts: [Int]
    private var counts: [Pair: Int] = [:]
    /// Words that hold the pair, or held it once.
    private var places: [Pair: [Int32]] = [:]
    private var forgotten: Set<Pair> = []
    private var heap: [Candidate] = []

    init(words: [(word: [UInt8], count: Int)], firstByte: Int32) {
        self.words = words.map { $0.word.map { firstByte + Int32($0) } }
        wordCounts = words.map(\.count)
        for (index, word) in self.words.enumerated() {
            for (left, right) in zip(word, word.dropFirst()) { note(Pair(left: left, right: right), wordCounts[index], in: index) }
        }
        // Order of pushing does not matter: no two candidates are equal.
        for (pair, count) in counts { push(Candidate(count: count, pair: pair)) }
    }

    /// The most frequent pair, of equally frequent ones that of the lowest ids.
    mutating func mostFrequent(atLeast minimum: Int) -> Pair? {
        while let best = heap.first {
            let count = forgotten.contains(best.pair) ? 0 : counts[best.pair] ?? 0
            if count == best.count { return count >= minimum ? best.pair : nil }
            // The count has changed since: pairs whose count grew were pushed again, those that shrank are put right here.
            pop()
            if count > 0, count < best.count { push(Candidate(count: count, pair: best.pair)) }
        }
        return nil
    }

    /// Never offers the pair again.
    mutating func forget(_ pair: Pair) { forgotten.insert(pair) }

    /// Makes one token of the pair in every word.
    mutating func merge(_ pair: Pair, into token: Int32) {
        var grown: Set<Pair> = []
        for index in Set(places.removeValue(forKey: pair) ?? []).sorted() {
            let old = words[Int(index)]
            var new: [Int32] = []
            new.reserveCapacity(old.count)
            var at = 0
            while at < old.count {
                if at + 1 < old.count, old[at] == pair.left, old[at + 1] == pair.right {
                    new.append(token)
                    at += 2
                } else {
                    new.append(old[at])
                    at += 1
                }
            }
            guard new.count < old.count else { continue }
            let count = wordCounts[Int(index)]
            for (left, right) in zip(old, old.dropFirst()) { counts[Pair(left: left, right: right), default: 0] -= count }
            for (left, right) in zip(new, new.dropFirst()) {
                let next = Pair(left: left, right: right)
                if left == token || right == token {
                    note(next, count, in: Int(index))
                    grown.insert(next)
                } else {
                    counts[next, default: 0] += count
                }
            }
            words[Int(index)] = new
        }
        counts[pair] = nil
        for pair in grown { push(Candidate(count: counts[pair] ?? 0, pair: pair)) }
    }

    private mutating func note(_ pair: Pair, _ count: Int, in word: Int) {
        counts[pair, default: 0] += count
        if places[pair]?.last != Int32(word) { places[pair, default: []].append(Int32(word)) }
    }

    private mutating func push(_ candidate: Candidate) {
        heap.append(candidate)
        var at = heap.count - 1
        while at > 0, heap[at].precedes(heap[(at - 1) / 2]) {
            heap.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    private mutating func pop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var at = 0
        while true {
            var least = at
            for child in [2 * at + 1, 2 * at + 2] where child < heap.count && heap[child].precedes(heap[least]) { least = child }
            if least == at { return }
            heap.swapAt(at, least)
            at = least
        }
    }
}
