internal import Events

/// An event's place among those of one append: what the next event's id follows from.
struct AppendPlace: Sendable {
    /// The cause's bytes.
    let cause: [UInt8]
    /// Whose type it is; nil for a type that this program does not know.
    let owner: Service?
    /// From 0.
    let ordinal: Int

    /// Whether an event with this place may come right after this one. Two services may have used one command id, so
    /// equal causes are one append only where the owner is one.
    func isFollowed(by next: AppendPlace) -> Bool {
        guard next.cause == cause else { return next.ordinal == 0 }
        let maySame = next.owner == owner || next.owner == nil || owner == nil
        let mayDiffer = next.owner != owner || owner == nil
        return (maySame && next.ordinal == ordinal + 1) || (mayDiffer && next.ordinal == 0)
    }
}

/// Follows the events of a tile one after the other and checks that each has the id that its cause, type and place in its
/// append make. Remembers only where things lie.
struct AppendOrder {
    private struct Place {
        var cause: Range<Int>
        var type: Range<Int>
        var ordinal: Int
    }

    private var check = EventCheck()
    private var first: Place?
    private var last: Place?

    static let wrongID = "/id: not the id that its cause, type and place in its append make"

    /// Checks the next event; says what is wrong.
    mutating func check(_ range: Range<Int>, of bytes: Span<UInt8>) -> String? {
        let entry = bytes.extracting(range)
        let fields: EventCheck.Fields
        do { fields = try check.fields(of: entry) } catch { return "\(error)" }
        func place(_ ordinal: Int) -> Place {
            let start = range.lowerBound
            return Place(
                cause: fields.cause.lowerBound + start..<fields.cause.upperBound + start,
                type: fields.type.lowerBound + start..<fields.type.upperBound + start, ordinal: ordinal)
        }
        guard let last else {
            // The tile may begin within an append; how far in shows by trying. The tile before must then agree.
            for ordinal in 0..<AppendRequest.maximumEvents where check.hasID(fields, ordinal: ordinal, in: entry) {
                first = place(ordinal)
                self.last = first
                return nil
            }
            return Self.wrongID
        }
        if !Self.equal(last.cause, range.lowerBound, fields.cause, in: bytes) {
            guard check.hasID(fields, ordinal: 0, in: entry) else { return Self.wrongID }
            self.last = place(0)
            return nil
        }
        let old = Self.owner(last.type, bytes), new = Self.owner(place(0).type, bytes)
        if old == new || old == nil || new == nil, check.hasID(fields, ordinal: last.ordinal + 1, in: entry) {
            self.last = place(last.ordinal + 1)
            return nil
        }
        guard old != new || old == nil, check.hasID(fields, ordinal: 0, in: entry) else { return Self.wrongID }
        self.last = place(0)
        return nil
    }

    /// The places of the first and last event, for the tiles before and behind.
    func ends(in bytes: Span<UInt8>) -> (first: AppendPlace?, last: AppendPlace?) {
        func copy(_ place: Place) -> AppendPlace {
            let cause = bytes.extracting(place.cause).withUnsafeBufferPointer { Array($0) }
            return AppendPlace(cause: cause, owner: Self.owner(place.type, bytes), ordinal: place.ordinal)
        }
        return (first.map(copy), last.map(copy))
    }

    private static func owner(_ type: Range<Int>, _ bytes: Span<UInt8>) -> Service? {
        let text = bytes.extracting(type).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        return EventCatalog.entry(of: text)?.owner
    }

    /// Whether the cause of the last event is that of this one, whose ranges count from `start`.
    private static func equal(_ old: Range<Int>, _ start: Int, _ new: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        guard old.count == new.count else { return false }
        return bytes.withUnsafeBufferPointer { buffer in
            buffer[old].elementsEqual(buffer[new.lowerBound + start..<new.upperBound + start])
        }
    }
}
