public import JSON

/// The members of an event's data as they lie in its bytes: for whoever needs a few of many. Only what is asked for is read.
public struct EventMembers: Sendable {
    private let bytes: [UInt8]
    private let members: [(name: Range<Int>, value: Range<Int>)]

    /// Finds where the members lie in bytes that are known to be canonical JSON, such as those read back from the log.
    /// - Parameter data: where the object stands.
    public init(_ bytes: [UInt8], within data: Range<Int>) {
        self.bytes = bytes
        members = bytes.withUnsafeBufferPointer { Self.members(in: $0, data) }
    }

    /// Where a member's value lies; nil when there is none.
    public func range(_ name: String) -> Range<Int>? {
        bytes.withUnsafeBufferPointer { bytes in
            members.first { member in
                member.name.count == name.utf8.count && zip(member.name, name.utf8).allSatisfy { bytes[$0] == $1 }
            }?.value
        }
    }

    /// A member that is a text; nil when it is none or not there.
    public func text(_ name: String) -> String? {
        guard let range = range(name), range.count >= 2, bytes[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
        let inner = bytes[range.lowerBound + 1..<range.upperBound - 1]
        guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
        return (try? value(name))??.stringValue
    }

    /// A member that is a whole number; nil when it is none or not there.
    public func int(_ name: String) -> Int? { range(name).flatMap { Int(String(decoding: bytes[$0], as: UTF8.self)) } }

    /// A member, read; nil when it is not there.
    public func value(_ name: String) throws(JSONError) -> JSONValue? {
        guard let range = range(name) else { return nil }
        return try JSON.parse(Array(bytes[range]))
    }

    private static func members(in bytes: UnsafeBufferPointer<UInt8>, _ data: Range<Int>) -> [(name: Range<Int>, value: Range<Int>)] {
        var found: [(name: Range<Int>, value: Range<Int>)] = []
        found.reserveCapacity(12)
        var at = data.lowerBound + 1
        let end = data.upperBound - 1
        while at < end, bytes[at] == UInt8(ascii: "\"") {
            let name = at + 1..<self.end(ofText: at, in: bytes, end) - 1
            let start = name.upperBound + 2
            let stop = self.end(ofValue: start, in: bytes, end)
            found.append((name, start..<stop))
            at = stop + 1
        }
        return found
    }

    /// Where the text that begins with a quote ends, behind its last quote.
    private static func end(ofText start: Int, in bytes: UnsafeBufferPointer<UInt8>, _ end: Int) -> Int {
        var at = start + 1
        while at < end, bytes[at] != UInt8(ascii: "\"") { at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(at + 1, end)
    }

    private static func end(ofValue start: Int, in bytes: UnsafeBufferPointer<UInt8>, _ end: Int) -> Int {
        var at = start
        var depth = 0
        while at < end {
            switch bytes[at] {
            case UInt8(ascii: "\""): at = self.end(ofText: at, in: bytes, end)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                at += 1
            case UInt8(ascii: ",") where depth == 0: return at
            default: at += 1
            }
        }
        return at
    }
}
