internal import FoundationEssentials

/// A snapshot of a client's figures, parsed from librdkafka's statistics document.
public struct KafkaStatistics: Sendable {
    /// The whole document, JSON as librdkafka's STATISTICS.md describes it.
    public var raw: [UInt8]
    /// Records that wait to be sent or acknowledged.
    public var queuedMessages: Int
    /// Their bytes.
    public var queuedBytes: Int
    /// Requests sent to brokers since the client was made.
    public var requests: Int
    /// Responses received.
    public var responses: Int
    /// Records sent since the client was made.
    public var messagesSent: Int
    /// Records received.
    public var messagesReceived: Int
    /// Failed transmissions, over all brokers.
    public var transmitErrors: Int
    /// The mean time of a request, in microseconds, over the brokers that answered lately; nil when none did.
    public var roundTripMicroseconds: Int?
    /// How many records the group's committed offset is behind the end, for the partitions where it is known.
    public var consumerLag: [KafkaPartition: Int]

    /// Reads librdkafka's document; nil when it is not one.
    public init?(json: [UInt8]) {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(json)) else { return nil }
        raw = json
        queuedMessages = document.msg_cnt ?? 0
        queuedBytes = document.msg_size ?? 0
        requests = document.tx ?? 0
        responses = document.rx ?? 0
        messagesSent = document.txmsgs ?? 0
        messagesReceived = document.rxmsgs ?? 0
        let brokers = document.brokers ?? [:]
        transmitErrors = brokers.values.reduce(0) { $0 &+ ($1.txerrs ?? 0) }
        let trips = brokers.values.compactMap(\.rtt).filter { $0.cnt > 0 }
        let count = trips.reduce(0.0) { $0 + Double($1.cnt) }
        let sum = trips.reduce(0.0) { $0 + Double($1.avg) * Double($1.cnt) }
        roundTripMicroseconds = count == 0 ? nil : Int(exactly: (sum / count).rounded())
        consumerLag = [:]
        for (topic, partitions) in (document.topics ?? [:]).mapValues({ $0.partitions ?? [:] }) {
            for (number, partition) in partitions {
                guard let number = Int32(number), number >= 0, let lag = partition.consumer_lag, lag >= 0 else { continue }
                consumerLag[KafkaPartition(topic, number)] = lag
            }
        }
    }

    // The names are librdkafka's.
    private struct Document: Decodable {
        var msg_cnt, msg_size, tx, rx, txmsgs, rxmsgs: Int?
        var brokers: [String: Broker]?
        var topics: [String: Topic]?
    }
    private struct Broker: Decodable {
        var txerrs: Int?
        var rtt: Window?
    }
    private struct Window: Decodable { var avg, cnt: Int }
    private struct Topic: Decodable { var partitions: [String: Partition]? }
    private struct Partition: Decodable { var consumer_lag: Int? }
}
