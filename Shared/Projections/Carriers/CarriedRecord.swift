internal import EventLog
internal import Events
internal import Kafka

/// The event that a record of the topic carries.
extension LoggedEvent {
    /// Reads the position from the headers and checks that the value is the event that they name; nil where it is not.
    ///
    /// A record that makes no sense is nothing to stop for: the ledger has the event, and the hole in the positions shows that
    /// it is to be fetched there.
    init?(record: KafkaRecord) {
        guard let position = record.header("ol_position").flatMap(Self.number),
            let version = record.header("ol_version").flatMap(Self.number),
            let bytes = record.value, bytes.count <= Event.maximumBytes, let header = try? EventHeader(trusted: bytes),
            record.header("ce_id").map({ $0.elementsEqual(header.id.text.utf8) }) == true
        else { return nil }
        self.init(position: position, version: version, bytes: bytes)
    }

    private static func number(_ digits: [UInt8]) -> UInt64? {
        guard !digits.isEmpty, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }
}
