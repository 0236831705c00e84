extension KafkaError {
    /// A code that can grow: positive ones are the Kafka protocol's, those from −200 to −100 librdkafka's, those from
    /// 1,000,000 this room's own.
    public struct Code: RawRepresentable, Sendable, Hashable {
        /// The number.
        public var rawValue: Int32

        /// A code of that number.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// The client was closed.
        public static let closed = Code(rawValue: 1_000_000)
        /// A property has a name or a value that librdkafka does not take.
        public static let configuration = Code(rawValue: 1_000_001)
        /// A property that the room sets itself, because it promises what hangs on it.
        public static let reservedProperty = Code(rawValue: 1_000_002)
        /// Not sent, because an earlier record of the same batch could not be.
        public static let skipped = Code(rawValue: 1_000_003)
        /// Not sent, because the task was cancelled while it waited for room in the queue.
        public static let cancelled = Code(rawValue: 1_000_004)
        /// A second reader on a consumer that has one.
        public static let busy = Code(rawValue: 1_000_005)
        /// The call does not fit this client: a subscription without a group, for instance.
        public static let misuse = Code(rawValue: 1_000_006)

        /// The record was not acknowledged within `message.timeout.ms`. It may have been written all the same.
        public static let messageTimedOut = Code(rawValue: -192)
        /// No connection, or it broke.
        public static let transport = Code(rawValue: -195)
        /// An address could not be resolved.
        public static let resolve = Code(rawValue: -193)
        /// No broker could be reached.
        public static let allBrokersDown = Code(rawValue: -187)
        /// The call did not finish in time.
        public static let timedOut = Code(rawValue: -185)
        /// The queue of unsent records is full.
        public static let queueFull = Code(rawValue: -184)
        /// The TLS handshake failed.
        public static let tls = Code(rawValue: -181)
        /// The broker refused the credentials.
        public static let authentication = Code(rawValue: -169)
        /// The cluster has no such partition.
        public static let unknownPartition = Code(rawValue: -190)
        /// The client knows no such topic.
        public static let unknownTopicLocally = Code(rawValue: -188)
        /// The partition is not in a state for this: a seek before the first fetch, for instance.
        public static let state = Code(rawValue: -172)
        /// Dropped from the queue by a close.
        public static let purgedQueued = Code(rawValue: -152)
        /// Dropped while on its way by a close. It may have been written all the same.
        public static let purgedInFlight = Code(rawValue: -151)
        /// An earlier fatal error stopped the client.
        public static let fatal = Code(rawValue: -150)
        /// The offset to start from no longer exists and the consumer was told to fail rather than to jump.
        public static let offsetReset = Code(rawValue: -140)
        /// The reader was away for longer than `max.poll.interval.ms` and lost its partitions.
        public static let pollTooLate = Code(rawValue: -147)

        /// The broker has no such offset.
        public static let offsetOutOfRange = Code(rawValue: 1)
        /// The broker has no such topic or partition.
        public static let unknownTopicOrPartition = Code(rawValue: 3)
        /// The record is larger than allowed.
        public static let messageTooLarge = Code(rawValue: 10)
        /// The topic is there already.
        public static let topicExists = Code(rawValue: 36)
        /// The topic's name has a character that Kafka does not take, or is too long.
        public static let invalidTopic = Code(rawValue: 17)
        /// More replicas than brokers.
        public static let invalidReplication = Code(rawValue: 38)
        /// An idempotent producer's records came out of order. Fatal.
        public static let outOfOrderSequence = Code(rawValue: 45)

        /// Codes that the Kafka protocol marks as retriable, and librdkafka's for what passes by itself.
        static let retryable: Set<Code> = Set(
            ([2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 27, 41, 51, 56, 70, 71, 72, 74, 75, 78, 88, 89]
                + [-192, -195, -193, -187, -185, -184, -190, -188, -172]).map(Code.init(rawValue:)))
        /// The group's coordinator is loading, not there yet, or another broker now.
        static let coordinatorMoves: Set<Code> = Set([14, 15, 16].map(Code.init(rawValue:)))
        /// What brokers say of a topic that they have not learned of yet, or whose leader.
        static let topicOnItsWay: Set<Code> = [.unknownTopicOrPartition, Code(rawValue: 5)]
        /// Trouble with a broker that librdkafka goes on mending without help.
        static let selfMending: Set<Code> = [.transport, .resolve, .allBrokersDown, .timedOut]
    }
}
