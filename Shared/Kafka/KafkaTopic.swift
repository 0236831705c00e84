/// What a cluster tells of a topic.
public struct KafkaTopic: Sendable, Hashable {
    /// The topic's name.
    public var name: String
    /// Its partitions by number.
    public var partitions: [Partition]

    /// One partition of a topic.
    public struct Partition: Sendable, Hashable {
        /// The number, from 0.
        public var id: Int32
        /// The broker that leads it.
        public var leader: Int32
        /// How many brokers keep a copy.
        public var replicas: Int
        /// How many of the copies are up to date.
        public var inSyncReplicas: Int
        /// The oldest record's offset.
        public var lowOffset: Int64
        /// The offset that the next record will get.
        public var highOffset: Int64
    }
}

/// One broker of a cluster.
public struct KafkaBroker: Sendable, Hashable {
    /// Its number in the cluster.
    public var id: Int32
    /// Where it listens, `host:port`.
    public var address: String
}
