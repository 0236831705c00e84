/// Requests that wait, in an order that is fair to principals: start-time fair queueing (Goyal, Vin and Cheng, 1996). A principal
/// that asks for much waits behind its own requests, not others behind them.
struct WaitingRoom: Sendable {
    struct Guest: Sendable {
        let request: RoutedRequest
        /// The adapter's number; nil for a base alone.
        let adapter: Int?
        let arrived: Int64
        let tag: Int64
        /// Whether an adapter had to be brought in for it.
        var isCold = false
        var tries = 0
        /// Backends that failed it.
        var excluded: Set<Int> = []

        /// What it waits for.
        var want: Want { Want(base: request.name.base, embeds: request.name.embeds, adapter: adapter, excluded: excluded) }
    }

    /// What a request needs: for two that need the same, the same backends will do.
    struct Want: Hashable, Sendable {
        let base: String
        let embeds: Bool
        let adapter: Int?
        let excluded: Set<Int>
    }

    private(set) var guests: [Guest] = []
    private(set) var ofPrincipal: [String: Int] = [:]
    private var lastTag: [String: Int64] = [:]
    /// The tag of the request that began last.
    private var virtual: Int64 = 0

    /// Most principals whose tags are remembered.
    private static let mostTags = 16_384

    var count: Int { guests.count }

    /// A new request's place in the order.
    mutating func tag(_ request: RoutedRequest) -> Int64 {
        let tag = max(virtual, lastTag[request.principal] ?? 0)
        if lastTag.count >= Self.mostTags { lastTag = lastTag.filter { $0.value > virtual } }
        lastTag[request.principal] = tag + Int64(request.work)
        return tag
    }

    mutating func add(_ guest: Guest) {
        var (low, high) = (0, guests.count)
        while low < high {
            let middle = (low + high) / 2
            if Self.precedes(guests[middle], guest) { low = middle + 1 } else { high = middle }
        }
        guests.insert(guest, at: low)
        ofPrincipal[guest.request.principal, default: 0] += 1
    }

    mutating func remove(at index: Int) -> Guest {
        let guest = guests.remove(at: index)
        let principal = guest.request.principal
        if let count = ofPrincipal[principal] { ofPrincipal[principal] = count > 1 ? count - 1 : nil }
        return guest
    }

    mutating func begin(at index: Int) -> Guest {
        let guest = remove(at: index)
        virtual = max(virtual, guest.tag)
        return guest
    }

    mutating func change(_ index: Int, _ body: (inout Guest) -> Void) { body(&guests[index]) }

    func index(of id: UInt64) -> Int? { guests.firstIndex { $0.request.id == id } }

    /// The last in the order of the principal that has the most waiting, when that is more than `count`.
    func lastOfGreediest(above count: Int) -> Int? {
        guard let most = ofPrincipal.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), most.value > count else { return nil }
        return guests.lastIndex { $0.request.principal == most.key }
    }

    private static func precedes(_ left: Guest, _ right: Guest) -> Bool {
        (left.tag, left.request.id) < (right.tag, right.request.id)
    }
}
