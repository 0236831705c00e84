/// What went round: how much of what a house was paid can have come from itself, over whatever other houses.
///
/// Payments between houses are a network; what a house paid out flows through it, never more over a pair of houses than the one paid the
/// other. As much of it as can reach the house's own clients, each for at most what it paid, is taken as given back: a greatest flow, so
/// no unit counts twice. Where money only goes round among some, whichever way, all of it comes back, and none of them has earned anything.
struct Circulation: Sendable {
    /// Most pairs of houses that are looked at, the nearest first: beyond them nothing is followed.
    static let mostPairs = 200_000

    /// Units by who paid and who was paid.
    let paid: [String: [String: Int128]]

    /// What came back, and over which pairs of houses it can have come.
    struct Returned: Sendable {
        var byClient: [String: Int128] = [:]
        var ways: [(from: String, to: String, units: Int128)] = []
    }

    /// What came back to each client.
    /// - Parameters:
    ///   - house: that was paid.
    ///   - clients: what each of them paid it.
    func returned(from house: String, to clients: [String: Int128]) -> Returned {
        var returned = Returned()
        guard paid[house] != nil else { return returned }
        var network = Network()
        var places = [house: network.source]
        var names = [house]
        var pairs: [(from: String, to: String, edge: Int)] = []
        var next = 0
        while next < names.count, pairs.count < Self.mostPairs {
            let from = names[next]
            // In the order of names, so that everybody finds the same flow.
            for (to, units) in (paid[from] ?? [:]).sorted(by: { $0.key < $1.key }) where units > 0 && to != house {
                if places[to] == nil {
                    places[to] = network.addPlace()
                    names.append(to)
                }
                pairs.append((from, to, network.connect(places[from] ?? network.source, places[to] ?? network.sink, units)))
            }
            next += 1
        }
        var ends: [(client: String, edge: Int)] = []
        for (client, units) in clients.sorted(by: { $0.key < $1.key }) {
            guard units > 0, let place = places[client] else { continue }
            ends.append((client, network.connect(place, network.sink, units)))
        }
        network.fill()
        for end in ends { returned.byClient[end.client] = network.flow(over: end.edge) }
        for pair in pairs where network.flow(over: pair.edge) > 0 {
            returned.ways.append((pair.from, pair.to, network.flow(over: pair.edge)))
        }
        return returned
    }

    /// Dinic's algorithm, without recursion: a ring may be long. What reached a client once stays there, so what was paid straight back is.
    private struct Network {
        let source = 0
        let sink = 1
        private var edges: [[Int]] = [[], []]
        private var ends: [Int] = []
        private var free: [Int128] = []

        mutating func addPlace() -> Int {
            edges.append([])
            return edges.count - 1
        }

        mutating func connect(_ from: Int, _ to: Int, _ units: Int128) -> Int {
            edges[from].append(ends.count)
            edges[to].append(ends.count + 1)
            ends += [to, from]
            free += [units, 0]
            return ends.count - 2
        }

        /// What goes over an edge: as much as its twin would take back.
        func flow(over edge: Int) -> Int128 { free[edge + 1] }

        /// How far each place is from the source; nil when the sink is out of reach.
        private func levels() -> [Int]? {
            var levels = [Int](repeating: -1, count: edges.count)
            levels[source] = 0
            var queue = [source]
            var next = 0
            while next < queue.count {
                let place = queue[next]
                next += 1
                for edge in edges[place] where free[edge] > 0 && levels[ends[edge]] < 0 {
                    levels[ends[edge]] = levels[place] + 1
                    queue.append(ends[edge])
                }
            }
            return levels[sink] < 0 ? nil : levels
        }

        mutating func fill() {
            while let levels = levels() {
                var tried = [Int](repeating: 0, count: edges.count)
                var path: [Int] = []
                while true {
                    let place = path.last.map { ends[$0] } ?? source
                    if place == sink {
                        let units = path.reduce(Int128.max) { min($0, free[$1]) }
                        for edge in path {
                            free[edge] -= units
                            free[edge ^ 1] += units
                        }
                        path = []
                    } else if let edge = step(from: place, &tried, levels) {
                        path.append(edge)
                    } else if let last = path.popLast() {
                        tried[ends[last ^ 1]] += 1
                    } else {
                        break
                    }
                }
            }
        }

        /// The next edge that leads on and has something free.
        private func step(from place: Int, _ tried: inout [Int], _ levels: [Int]) -> Int? {
            while tried[place] < edges[place].count {
                let edge = edges[place][tried[place]]
                if free[edge] > 0, levels[ends[edge]] == levels[place] + 1 { return edge }
                tried[place] += 1
            }
            return nil
        }
    }
}
