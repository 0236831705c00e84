internal import Events

/// The last holds that expired, with the log time at which they did.
struct RecentHolds: Sendable {
    /// At most so many are remembered; the oldest is forgotten first.
    static let maximumCount = 4_096

    private var times: [String: Timestamp] = [:]
    private var ring: [String] = []
    private var next = 0

    /// When a hold expired; nil for one that did not, or so long ago that it is forgotten.
    subscript(id: String) -> Timestamp? { times[id] }

    mutating func insert(_ id: String, _ time: Timestamp) {
        guard times.updateValue(time, forKey: id) == nil else { return }
        if ring.count < Self.maximumCount {
            ring.append(id)
        } else {
            times[ring[next]] = nil
            ring[next] = id
            next = (next + 1) % Self.maximumCount
        }
    }
}
