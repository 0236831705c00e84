internal import Events

/// Elements in order, from which mostly the least is taken and into which mostly the greatest is put: an array with a head.
/// Reading from the front changes nothing, so a rule can look at what is due.
struct OrderedQueue<Element: Comparable & Sendable>: Sendable {
    private var elements: [Element] = []
    private var head = 0

    var isEmpty: Bool { head == elements.count }
    var count: Int { elements.count - head }
    var first: Element? { isEmpty ? nil : elements[head] }

    /// The elements from the least on.
    var inOrder: ArraySlice<Element> { elements[head...] }

    mutating func insert(_ element: Element) {
        if let last = elements.last, head < elements.count, element < last {
            elements.insert(element, at: place(of: element))
        } else {
            elements.append(element)
        }
    }

    /// Takes an element out; nothing happens when it is not in.
    mutating func remove(_ element: Element) {
        let place = place(of: element)
        guard place < elements.count, elements[place] == element else { return }
        guard place == head else {
            elements.remove(at: place)
            return
        }
        head += 1
        // Half of the array is empty: worth moving what is left.
        if head > 1_024, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
    }

    private func place(of element: Element) -> Int {
        var low = head
        var high = elements.count
        while low < high {
            let middle = (low + high) / 2
            if elements[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Something that falls due at a moment of log time.
struct Due: Comparable, Sendable {
    let time: Timestamp
    let id: String

    static func < (left: Due, right: Due) -> Bool {
        left.time != right.time ? left.time < right.time : left.id.utf8.lexicographicallyPrecedes(right.id.utf8)
    }
}
