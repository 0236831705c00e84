internal import Crypto
internal import JSON

/// Decides whether bytes are an event, and whether its id is the one its cause makes, without making a single String: for
/// whoever goes through a whole log. It takes exactly what ``EventHeader`` takes.
public struct EventCheck {
    /// Where the parts lie that tie one event to its neighbours; offsets into the bytes that were checked.
    public struct Fields: Sendable, Equatable {
        /// The whole object, so that equal causes are equal bytes.
        public let cause: Range<Int>
        /// The id of the command or event within it.
        public let causeID: Range<Int>
        /// 36 bytes.
        public let id: Range<Int>
        /// `<noun>.<past verb>`.
        public let type: Range<Int>
    }

    /// Holds what ids are made from; kept to be used again.
    private var message: [UInt8] = []
    private static let idDomain = Array("openledger/event\n".utf8)

    /// Ready for any number of events.
    public init() { message.reserveCapacity(512) }

    /// Checks size, canonical form, and every field of the header.
    public func fields(of bytes: Span<UInt8>) throws(EventError) -> Fields {
        guard bytes.count <= Event.maximumBytes else { throw EventError.oversized(bytes.count) }
        do {
            try JSON.checkCanonical(bytes, limits: EventHeader.limits, allowFractions: false)
        } catch {
            throw EventError(.notCanonical, "\(error)")
        }
        let found = bytes.withUnsafeBufferPointer { buffer -> Fields? in
            var walk = FieldWalk(buffer, within: 0..<buffer.count)
            return walk.event()
        }
        if let found { return found }
        // Something is wrong: the slower reader knows the words for it.
        _ = try EventHeader(parsing: bytes.withUnsafeBufferPointer { Array($0) })
        throw EventError(.malformed, "not an event")
    }

    /// Whether the id is the one that cause, type and this ordinal make.
    public mutating func hasID(_ fields: Fields, ordinal: Int, in bytes: Span<UInt8>) -> Bool {
        message.removeAll(keepingCapacity: true)
        message.append(contentsOf: Self.idDomain)
        bytes.withUnsafeBufferPointer { buffer in
            message.append(contentsOf: buffer[fields.causeID])
            message.append(UInt8(ascii: "\n"))
            message.append(contentsOf: buffer[fields.type])
        }
        message.append(UInt8(ascii: "\n"))
        Self.appendDecimal(ordinal, to: &message)
        let digest = SHA256.hash(message)
        return bytes.withUnsafeBufferPointer { buffer in Self.isText(buffer[fields.id], of: digest) }
    }

    private static func appendDecimal(_ value: Int, to out: inout [UInt8]) {
        if value >= 10 { appendDecimal(value / 10, to: &out) }
        out.append(0x30 + UInt8(value % 10))
    }

    /// Whether the text is that of the digest's first 128 bits as a UUIDv8.
    private static func isText(_ text: Slice<UnsafeBufferPointer<UInt8>>, of digest: Digest) -> Bool {
        digest.withUnsafeBytes { raw in
            var at = text.startIndex
            for index in 0..<16 {
                if index == 4 || index == 6 || index == 8 || index == 10 { at += 1 }
                var byte = raw[index]
                if index == 6 { byte = byte & 0x0F | 0x80 }
                if index == 8 { byte = byte & 0x3F | 0x80 }
                guard text[at] == UUIDText.hexDigit(byte >> 4), text[at + 1] == UUIDText.hexDigit(byte & 15) else { return false }
                at += 2
            }
            return true
        }
    }
}
