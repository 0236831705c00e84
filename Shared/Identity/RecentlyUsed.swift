internal import Crypto

/// A bounded memory of values by digest; the one not used for longest makes room. Constant time for each use.
struct RecentlyUsed<Value: Sendable>: Sendable {
    private struct Node: Sendable {
        var key: Digest
        var value: Value
        var newer: Int?
        var older: Int?
    }

    private let capacity: Int
    private var places: [Digest: Int] = [:]
    private var nodes: [Node] = []
    private var newest: Int?
    private var oldest: Int?

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { nodes.count }

    subscript(key: Digest) -> Value? {
        mutating get {
            guard let place = places[key] else { return nil }
            unlink(place)
            link(place)
            return nodes[place].value
        }
        set {
            guard let newValue, capacity > 0 else { return }
            if let place = places[key] {
                nodes[place].value = newValue
                unlink(place)
                link(place)
            } else if nodes.count < capacity {
                nodes.append(Node(key: key, value: newValue))
                places[key] = nodes.count - 1
                link(nodes.count - 1)
            } else if let place = oldest {
                unlink(place)
                places[nodes[place].key] = nil
                nodes[place] = Node(key: key, value: newValue)
                places[key] = place
                link(place)
            }
        }
    }

    mutating func removeAll() { self = RecentlyUsed(capacity: capacity) }

    private mutating func link(_ place: Int) {
        nodes[place].newer = nil
        nodes[place].older = newest
        if let newest { nodes[newest].newer = place }
        newest = place
        if oldest == nil { oldest = place }
    }

    private mutating func unlink(_ place: Int) {
        let (newer, older) = (nodes[place].newer, nodes[place].older)
        if let newer { nodes[newer].older = older } else { newest = older }
        if let older { nodes[older].newer = newer } else { oldest = newer }
    }
}
