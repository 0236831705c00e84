/// Reads an event stream as it arrives, in pieces cut anywhere (WHATWG HTML §9.2.5 and §9.2.6). Pure: no input or
/// output of its own.
public struct ServerSentEventParser: Sendable {
    /// The id that a reconnecting client sends as `Last-Event-ID`; empty when the stream has named none.
    public private(set) var lastEventID = ""
    /// The reconnection time that the stream asked for last.
    public private(set) var reconnectionTime: Duration?

    private let maximumLineBytes: Int
    private let maximumEventBytes: Int
    private var line: [UInt8] = []
    private var atStart = true
    private var afterCarriageReturn = false
    // The buffers of the specification; they hold for one block of lines.
    private var data: [UInt8] = []
    private var hasData = false
    private var type: [UInt8] = []
    private var id: String?
    private var retry: Duration?

    /// A parser at the start of a stream.
    /// - Parameters:
    ///   - maximumLineBytes: the longest line that is accepted.
    ///   - maximumEventBytes: the most data that one event may carry.
    public init(maximumLineBytes: Int = 1 << 20, maximumEventBytes: Int = 4 << 20) {
        self.maximumLineBytes = maximumLineBytes
        self.maximumEventBytes = maximumEventBytes
    }

    /// Takes the next bytes and returns the events they complete. An event that the end of the stream cuts off is
    /// never dispatched, as the specification asks.
    public mutating func feed(_ bytes: [UInt8]) throws(ServerSentEventError) -> [ServerSentEvents.Event] {
        var events: [ServerSentEvents.Event] = []
        var rest = bytes[...]
        if afterCarriageReturn, let first = rest.first {
            afterCarriageReturn = false
            if first == 0x0A { rest.removeFirst() }
        }
        while let end = rest.firstIndex(where: { $0 == 0x0A || $0 == 0x0D }) {
            try extendLine(with: rest[..<end])
            let isCarriageReturn = rest[end] == 0x0D
            rest = rest[(end + 1)...]
            if isCarriageReturn {
                if rest.isEmpty { afterCarriageReturn = true } else if rest.first == 0x0A { rest.removeFirst() }
            }
            if let event = try takeLine() { events.append(event) }
        }
        try extendLine(with: rest)
        return events
    }

    private mutating func extendLine(with bytes: ArraySlice<UInt8>) throws(ServerSentEventError) {
        guard line.count + bytes.count <= maximumLineBytes else { throw .lineTooLong(limit: maximumLineBytes) }
        line.append(contentsOf: bytes)
    }

    private mutating func takeLine() throws(ServerSentEventError) -> ServerSentEvents.Event? {
        defer { line.removeAll(keepingCapacity: true) }
        var content = line[...]
        if atStart {
            atStart = false
            if content.starts(with: [0xEF, 0xBB, 0xBF]) { content = content.dropFirst(3) }
        }
        guard let first = content.first else { return dispatch() }
        if first == 0x3A { return nil }
        let name = content.prefix { $0 != 0x3A }
        var value = content.dropFirst(name.count + 1)
        if value.first == 0x20 { value = value.dropFirst() }
        try takeField(name, value)
        return nil
    }

    private mutating func takeField(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(ServerSentEventError) {
        if name.elementsEqual("data".utf8) {
            guard data.count + value.count < maximumEventBytes else { throw .eventTooLong(limit: maximumEventBytes) }
            if hasData { data.append(0x0A) }
            data.append(contentsOf: value)
            hasData = true
        } else if name.elementsEqual("event".utf8) {
            type = Array(value)
        } else if name.elementsEqual("id".utf8) {
            if !value.contains(0) { id = String(decoding: value, as: UTF8.self) }
        } else if name.elementsEqual("retry".utf8) {
            guard !value.isEmpty, value.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return }
            // A number past Int64 is past any use: as if it were not there.
            guard let milliseconds = Int64(String(decoding: value, as: UTF8.self)) else { return }
            retry = .milliseconds(milliseconds)
            reconnectionTime = retry
        }
    }

    private mutating func dispatch() -> ServerSentEvents.Event? {
        if let id { lastEventID = id }
        defer {
            data.removeAll(keepingCapacity: true)
            hasData = false
            type.removeAll(keepingCapacity: true)
            id = nil
            retry = nil
        }
        guard hasData else { return nil }
        return ServerSentEvents.Event(
            id: lastEventID, event: type.isEmpty ? "message" : String(decoding: type, as: UTF8.self),
            data: String(decoding: data, as: UTF8.self), retry: retry)
    }
}
