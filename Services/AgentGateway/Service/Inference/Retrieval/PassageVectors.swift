internal import AgentGatewayDomain
internal import Crypto
internal import Events

/// The embedded items of a Datanet.
struct PassageVectors: Sendable {
    /// An item and its direction.
    struct Entry: Sendable {
        let item: AdmittedItem
        let vector: UnitVector
    }

    var entries: [Entry] = []

    /// Those most like a question, best first, and by their ids where several are as like.
    func nearest(_ question: UnitVector, count: Int, atLeast least: Int) -> [AdmittedItem] {
        var best: [(likeness: Int, item: AdmittedItem)] = []
        func isBefore(_ one: (likeness: Int, item: AdmittedItem), _ other: (likeness: Int, item: AdmittedItem)) -> Bool {
            one.likeness != other.likeness ? one.likeness > other.likeness : one.item.item < other.item.item
        }
        for entry in entries {
            guard let likeness = entry.vector.likeness(to: question), likeness >= least else { continue }
            if best.count == count, let last = best.last, !isBefore((likeness, entry.item), last) { continue }
            let place = best.firstIndex { isBefore((likeness, entry.item), $0) } ?? best.count
            best.insert((likeness, entry.item), at: place)
            if best.count > count { best.removeLast() }
        }
        return best.map(\.item)
    }
}
