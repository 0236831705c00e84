/// One partition of one topic.
public struct KafkaPartition: Sendable, Hashable, CustomStringConvertible {
    /// The topic.
    public var topic: String
    /// The partition's number, from 0.
    public var partition: Int32

    /// A partition.
    public init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    /// `topic[partition]`
    public var description: String { "\(topic)[\(partition)]" }
}

/// A place in a partition: the offset of the next record to read.
public struct KafkaPosition: Sendable, Hashable, CustomStringConvertible {
    /// The partition.
    public var partition: KafkaPartition
    /// The offset of the next record, or one of the negative values that the factories below give.
    public var offset: Int64

    /// The place before the record at `offset`.
    public init(_ partition: KafkaPartition, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }

    /// The place before the record at `offset`.
    public init(_ topic: String, _ partition: Int32, offset: Int64) {
        self.init(KafkaPartition(topic, partition), offset: offset)
    }

    /// The oldest record that the broker still has.
    public static func beginning(_ partition: KafkaPartition) -> Self { Self(partition, offset: -2) }
    /// After the newest record.
    public static func end(_ partition: KafkaPartition) -> Self { Self(partition, offset: -1) }
    /// What the group committed last, or else where ``KafkaConsumer/Start`` says.
    public static func committed(_ partition: KafkaPartition) -> Self { Self(partition, offset: unset) }

    static let unset: Int64 = -1001

    /// `topic[partition]@offset`
    public var description: String { "\(partition)@\(offset)" }
}
