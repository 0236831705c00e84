internal import Events
internal import Money

/// Elements in order, from which the least is taken and into which mostly the greatest is put; but any of them may be taken out. It is kept in
/// short blocks, so that taking one out of very many moves few. Reading from the front changes nothing, so a rule can look at what is due.
struct OrderedQueue<Element: Comparable & Sendable>: Sendable {
    /// Each has at least one element; all of a block come before those of the next.
    private var blocks: [[Element]] = []
    private(set) var count = 0

    /// A block that has grown beyond this is made two.
    private static var blockSize: Int { 256 }

    var isEmpty: Bool { count == 0 }
    var first: Element? { blocks.first?.first }

    /// The elements from the least on.
    var inOrder: FlattenSequence<[[Element]]> { blocks.joined() }

    mutating func insert(_ element: Element) {
        count += 1
        let number = block(of: element)
        guard number < blocks.count else { return append(element) }
        blocks[number].insert(element, at: Self.place(of: element, in: blocks[number]))
        guard blocks[number].count > Self.blockSize else { return }
        let half = blocks[number].count / 2
        blocks.insert(Array(blocks[number][half...]), at: number + 1)
        blocks[number].removeSubrange(half...)
    }

    /// Takes an element out; nothing happens when it is not in.
    mutating func remove(_ element: Element) {
        let number = block(of: element)
        guard number < blocks.count else { return }
        let place = Self.place(of: element, in: blocks[number])
        guard blocks[number][place] == element else { return }
        count -= 1
        blocks[number].remove(at: place)
        if blocks[number].isEmpty { blocks.remove(at: number) }
    }

    /// An element that comes after all others.
    private mutating func append(_ element: Element) {
        if let last = blocks.indices.last, blocks[last].count < Self.blockSize {
            blocks[last].append(element)
        } else {
            blocks.append([element])
        }
    }

    /// The first block that ends with this element or a greater one.
    private func block(of element: Element) -> Int {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            if let last = blocks[middle].last, last < element { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The first place in a block with this element or a greater one.
    private static func place(of element: Element, in block: [Element]) -> Int {
        var low = 0
        var high = block.count
        while low < high {
            let middle = (low + high) / 2
            if block[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Something that falls due at a moment of log time.
struct Due: Comparable, Sendable {
    let time: Timestamp
    let id: String

    static func < (left: Due, right: Due) -> Bool {
        left.time != right.time ? left.time < right.time : ByteOrder.precedes(left.id, right.id)
    }
}
