import Glibc

/// The removed items of a segment and the ranks of their suffixes, as runs: what makes an item vanish without a new segment.
///
/// File: magic, version, number of items, number of runs (8 bytes each, little-endian), then 4 bytes for each item's number, and 4 + 4
/// for each run's first rank and the rank after its last; ascending.
struct Removed: Sendable {
    static let magic: UInt64 = 0x3156_4D52_434C_4F00  // "\0OLCRMV1"
    static let version = 1

    /// Numbers of the removed items, ascending.
    let items: [UInt32]
    /// First ranks of the runs, ascending.
    private let firsts: [UInt32]
    /// Ranks after the runs' last.
    private let ends: [UInt32]
    /// How many ranks lie in the runs before each.
    private let before: [Int]

    static let none = Removed(items: [], runs: [])

    private init(items: [UInt32], runs: [(UInt32, UInt32)]) {
        self.items = items
        firsts = runs.map(\.0)
        ends = runs.map(\.1)
        var sum = 0
        before = runs.map { run in
            defer { sum += Int(run.1 - run.0) }
            return sum
        }
    }

    /// The ranks of some items of a segment.
    init(items: [UInt32], of segment: Segment) {
        var ranks: [UInt32] = []
        for item in items {
            for position in segment.positions(of: Int(item)) { ranks.append(UInt32(segment.rank(of: position))) }
        }
        ranks.sort()
        var runs: [(UInt32, UInt32)] = []
        for rank in ranks {
            if let last = runs.last, last.1 == rank { runs[runs.count - 1].1 = rank + 1 } else { runs.append((rank, rank + 1)) }
        }
        self.init(items: items.sorted(), runs: runs)
    }

    init(_ file: MappedFile, of segment: Segment) throws(CorpusIndexError) {
        func corrupt(_ reason: String) -> CorpusIndexError { .corrupt(path: file.path, reason: reason) }
        guard file.count >= 32 else { throw corrupt("it is cut short") }
        func eight(_ index: Int) -> UInt64 { UInt64(littleEndian: file.base.load(fromByteOffset: 8 * index, as: UInt64.self)) }
        guard eight(0) == Self.magic else { throw corrupt("it is no list of removed items") }
        guard eight(1) == UInt64(Self.version) else {
            throw .version(path: file.path, found: Int(clamping: eight(1)), known: Self.version)
        }
        guard let count = Int(exactly: eight(2)), let runCount = Int(exactly: eight(3)), count <= segment.items,
            runCount <= segment.suffixCount, file.count == 32 + 4 * count + 8 * runCount
        else { throw corrupt("its size is not what its header says") }
        func four(_ index: Int) -> UInt32 { UInt32(littleEndian: file.base.load(fromByteOffset: 32 + 4 * index, as: UInt32.self)) }
        let items = (0..<count).map(four)
        let runs = (0..<runCount).map { (four(count + 2 * $0), four(count + 2 * $0 + 1)) }
        var last: UInt32 = 0
        for (index, run) in runs.enumerated() {
            guard run.0 < run.1, index == 0 || run.0 > last, Int(run.1) <= segment.suffixCount else { throw corrupt("its runs overlap") }
            last = run.1
        }
        guard items.allSatisfy({ Int($0) < segment.items }), zip(items, items.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw corrupt("its items are out of order")
        }
        self.init(items: items, runs: runs)
    }

    func write(to sink: inout FileSink) {
        for number in [Self.magic, UInt64(Self.version), UInt64(items.count), UInt64(firsts.count)] { sink.write(number) }
        for item in items { sink.write(item) }
        for index in firsts.indices {
            sink.write(firsts[index])
            sink.write(ends[index])
        }
    }

    var isEmpty: Bool { items.isEmpty }

    func contains(item: Int) -> Bool {
        let index = partition(items.count) { items[$0] < item }
        return index < items.count && items[index] == item
    }

    /// How many of these ranks are removed.
    func count(in ranks: Range<Int>) -> Int { isEmpty ? 0 : below(ranks.upperBound) - below(ranks.lowerBound) }

    /// The next rank from `rank` on that is not removed.
    func live(from rank: Int) -> Int {
        guard let run = run(at: rank) else { return rank }
        return Int(ends[run])
    }

    /// The last rank up to `rank` that is not removed; -1 for none.
    func live(to rank: Int) -> Int {
        guard rank >= 0, let run = run(at: rank) else { return rank }
        return Int(firsts[run]) - 1
    }

    private func below(_ rank: Int) -> Int {
        let run = partition(firsts.count) { firsts[$0] < rank }
        guard run > 0 else { return 0 }
        return before[run - 1] + min(rank, Int(ends[run - 1])) - Int(firsts[run - 1])
    }

    private func run(at rank: Int) -> Int? {
        let run = partition(firsts.count) { firsts[$0] <= rank } - 1
        return run >= 0 && rank < ends[run] ? run : nil
    }

    /// The first index that does not satisfy a condition that holds up to some index and not from there on.
    private func partition(_ count: Int, _ condition: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if condition(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
