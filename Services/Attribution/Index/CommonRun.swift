/// How far two items say the same around places where both have the same words.
///
/// A copy in which a word was changed here and there is one all the same: up to three words of either that the other has not are passed
/// over where four that both have follow.
struct CommonRun {
    /// A place in an item.
    struct Place {
        let segment: Segment
        let item: Int
        /// The position of the word in the segment.
        let position: Int

        fileprivate var positions: Range<Int> { segment.positions(of: item) }
    }

    /// The most words that are passed over at once, and the fewest that have to follow.
    private static let gap = 3, anchor = 4

    /// Whether the two have at least `minimum` words in common from `words` words at these places on to both sides, or all that the first
    /// item has.
    static func reaches(_ minimum: Int, _ first: Place, _ second: Place, words: Int) -> Bool {
        let wanted = min(minimum, first.positions.count)
        if words >= wanted { return true }
        let right = matches(first, second, from: words, by: 1, enough: wanted - words)
        if words + right >= wanted { return true }
        return words + right + matches(first, second, from: -1, by: -1, enough: wanted - words - right) >= wanted
    }

    /// How many words the two have in common from an offset on, going one way; at most about `enough`.
    private static func matches(_ first: Place, _ second: Place, from offset: Int, by step: Int, enough: Int) -> Int {
        func isSame(_ a: Int, _ b: Int) -> Bool {
            guard first.positions.contains(a), second.positions.contains(b) else { return false }
            let (one, other) = (first.segment.symbol(at: a), second.segment.symbol(at: b))
            if first.segment === second.segment { return one == other }
            return first.segment.hash(of: one) == second.segment.hash(of: other)
        }
        var (a, b) = (first.position + offset, second.position + offset)
        var count = 0
        while count < enough {
            if isSame(a, b) {
                count += 1
                a += step
                b += step
                continue
            }
            var isFound = false
            search: for skipped in 1...2 * gap {
                for one in max(0, skipped - gap)...min(gap, skipped) {
                    let (from, to) = (a + one * step, b + (skipped - one) * step)
                    guard (0..<anchor).allSatisfy({ isSame(from + $0 * step, to + $0 * step) }) else { continue }
                    (a, b) = (from, to)
                    isFound = true
                    break search
                }
            }
            guard isFound else { break }
        }
        return count
    }

    /// The most places of an item that are looked at, and the most items that others are held against: a span that more have is discounted.
    static let mostPlaces = 16, mostOriginals = 16

    /// Whether an item, which has some words at these places, has them from an earlier one, which has them at those.
    static func isCopy(_ later: [Place], of earlier: [Place], words: Int, minimum: Int) -> Bool {
        later.contains { place in earlier.contains { reaches(minimum, $0, place, words: words) } }
    }
}
