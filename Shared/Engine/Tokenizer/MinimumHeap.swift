/// A binary heap of candidate merges: lowest rank first, leftmost among equals.
struct MinimumHeap {
    struct Candidate {
        let rank: UInt32
        let place: UInt32
        let left: Int32
        let right: Int32

        func precedes(_ other: Candidate) -> Bool { rank != other.rank ? rank < other.rank : place < other.place }
    }

    private var items: [Candidate] = []

    mutating func push(_ candidate: Candidate) {
        items.append(candidate)
        var at = items.count - 1
        while at > 0, items[at].precedes(items[(at - 1) / 2]) {
            items.swapAt(at, (at - 1) / 2)
            at = (at - 1) / 2
        }
    }

    mutating func pop() -> Candidate? {
        guard let first = items.first, let last = items.popLast() else { return nil }
        guard !items.isEmpty else { return first }
        items[0] = last
        var at = 0
        while true {
            var least = at
            for child in [2 * at + 1, 2 * at + 2] where child < items.count && items[child].precedes(items[least]) { least = child }
            if least == at { return first }
            items.swapAt(at, least)
            at = least
        }
    }
}
