/// A record to send, or one that was read.
public struct KafkaRecord: Sendable, Hashable {
    /// The topic.
    public var topic: String
    /// The partition; nil lets the key's hash choose when sending. Never nil on a record that was read.
    public var partition: Int32?
    /// The key; nil for none.
    public var key: [UInt8]?
    /// The value; nil for a tombstone.
    public var value: [UInt8]?
    /// Headers, in order; a name may occur more than once.
    public var headers: [KafkaHeader]
    /// Milliseconds since 1970; nil lets the client set it when sending.
    public var timestampMilliseconds: Int64?
    /// The place in the partition; −1 on a record that was not read from one.
    public var offset: Int64

    /// A record to send.
    public init(
        topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]? = nil, headers: [KafkaHeader] = [],
        timestampMilliseconds: Int64? = nil, offset: Int64 = -1
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
        self.timestampMilliseconds = timestampMilliseconds
        self.offset = offset
    }

    /// The last header of that name, as Kafka's own clients choose it; nil when there is none.
    public func header(_ name: String) -> [UInt8]? { headers.last { $0.name == name }?.value }
}

/// One header of a record.
public struct KafkaHeader: Sendable, Hashable {
    /// The name: UTF-8 without NUL, compared byte for byte.
    public var name: String
    /// The value. Kafka's null value reads as empty.
    public var value: [UInt8]

    /// A header of bytes.
    public init(_ name: String, _ value: [UInt8]) {
        self.name = name
        self.value = value
    }

    /// A header of text.
    public init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }
}

/// Where an acknowledged record landed.
public struct Delivery: Sendable, Hashable {
    /// The partition.
    public var partition: Int32
    /// The offset in it.
    public var offset: Int64

    /// A place in a partition.
    public init(partition: Int32, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }
}
