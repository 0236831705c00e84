/// Byte-pair merging: of all neighbours that merge, those of the lowest rank, the leftmost first, until none is left.
struct PairMerging: Sendable {
    let merges: MergeTable

    /// Words up to this many pieces are searched from end to end for the best pair, which is quicker while they are short.
    private static let shortWord = 48

    /// Merges in place.
    func merge(_ pieces: inout [Int32]) {
        guard pieces.count > 1 else { return }
        if pieces.count <= Self.shortWord { mergeShort(&pieces) } else { mergeLong(&pieces) }
    }

    private func mergeShort(_ pieces: inout [Int32]) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.shortWord) { entries in
            var count = pieces.count
            pieces.withUnsafeMutableBufferPointer { pieces in
                for index in 0..<count - 1 { entries[index] = merges.entry(pieces[index], pieces[index + 1]) }
                while count > 1 {
                    var best = UInt64.max, at = 0
                    for index in 0..<count - 1 where entries[index] < best {
                        best = entries[index]
                        at = index
                    }
                    if best == UInt64.max { break }
                    pieces[at] = Int32(truncatingIfNeeded: best)
                    count -= 1
                    var index = at + 1
                    while index < count {
                        pieces[index] = pieces[index + 1]
                        entries[index - 1] = entries[index]
                        index += 1
                    }
                    if at > 0 { entries[at - 1] = merges.entry(pieces[at - 1], pieces[at]) }
                    if at + 1 < count { entries[at] = merges.entry(pieces[at], pieces[at + 1]) }
                }
            }
            pieces.removeLast(pieces.count - count)
        }
    }

    /// The same with a heap over a linked list: n log n for whole texts that no pattern cuts.
    func mergeLong(_ pieces: inout [Int32]) {
        let count = pieces.count
        var next = (0..<count).map { $0 + 1 }, previous = (0..<count).map { $0 - 1 }
        var heap = MinimumHeap()
        for index in 0..<count - 1 {
            let entry = merges.entry(pieces[index], pieces[index + 1])
            if entry != .max {
                heap.push(.init(rank: UInt32(entry >> 32), place: UInt32(index), left: pieces[index], right: pieces[index + 1]))
            }
        }
        while let candidate = heap.pop() {
            let at = Int(candidate.place)
            // Pairs that were changed since they were pushed are passed over; a merged-away piece is -1.
            guard pieces[at] == candidate.left, next[at] < count, pieces[next[at]] == candidate.right else { continue }
            let entry = merges.entry(candidate.left, candidate.right)
            let gone = next[at]
            pieces[at] = Int32(truncatingIfNeeded: entry)
            pieces[gone] = -1
            next[at] = next[gone]
            if next[at] < count { previous[next[at]] = at }
            for left in [previous[at], at] where left >= 0 && next[left] < count {
                let right = next[left]
                let entry = merges.entry(pieces[left], pieces[right])
                if entry != .max {
                    heap.push(.init(rank: UInt32(entry >> 32), place: UInt32(left), left: pieces[left], right: pieces[right]))
                }
            }
        }
        pieces.removeAll { $0 < 0 }
    }
}
