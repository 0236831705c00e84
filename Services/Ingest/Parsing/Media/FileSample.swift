/// What is looked at of a file to say what it is and whether it is whole: both its ends, gathered while it is read once, and other parts
/// where those say so. Numbers are read by their place in the file.
public struct FileSample: Sendable {
    /// Of each end at most so many bytes are kept.
    public static let most = 65_536

    /// All bytes there are.
    public private(set) var count = 0
    private var head: [UInt8] = []
    private var last: [UInt8] = []
    private var others: [(start: Int, bytes: [UInt8])] = []

    /// Before the first byte.
    public init() {}

    /// Of a file at hand.
    public init(_ bytes: [UInt8]) { add(bytes) }

    /// From the ends of a file.
    public init(head: [UInt8], tail: [UInt8], count: Int) {
        self.head = head
        last = tail
        self.count = count
    }

    /// Takes the next piece.
    public mutating func add(_ piece: [UInt8]) {
        count += piece.count
        if head.count < Self.most { head += piece.prefix(Self.most - head.count) }
        last += piece.suffix(Self.most)
        if last.count > 4 * Self.most { last.removeFirst(last.count - Self.most) }
    }

    /// Takes a part from the middle.
    public mutating func add(_ bytes: [UInt8], at start: Int) { others.append((start, bytes)) }

    /// The last bytes.
    var tail: ArraySlice<UInt8> { last.suffix(Self.most) }

    func starts(_ other: [UInt8], at place: Int = 0) -> Bool { bytes(place, other.count).map { $0.elementsEqual(other) } ?? false }

    /// A number whose first byte is the greatest; nil where the file was not looked at.
    func big(_ place: Int, _ count: Int) -> Int? { bytes(place, count).map { $0.reduce(0) { $0 << 8 | Int($1) } } }

    /// A number whose first byte is the least; nil where the file was not looked at.
    func little(_ place: Int, _ count: Int) -> Int? { bytes(place, count).map { $0.reversed().reduce(0) { $0 << 8 | Int($1) } } }

    private func bytes(_ place: Int, _ length: Int) -> ArraySlice<UInt8>? {
        guard place >= 0, length >= 0, place <= count - length else { return nil }
        if place + length <= head.count { return head[place..<place + length] }
        let start = place - (count - last.count)
        if start >= 0, start + length <= last.count { return last[start..<start + length] }
        for (first, bytes) in others where place >= first && place + length <= first + bytes.count {
            return bytes[place - first..<place - first + length]
        }
        return nil
    }
}
