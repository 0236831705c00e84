internal import CKafka

/// The properties of one client, settled: the room's defaults, then the configuration's, then what the room promises.
struct PropertyList {
    private var properties: [String: String]

    init(_ configuration: KafkaConfiguration, defaults: [String: String], promises: [String: String]) throws(KafkaError) {
        guard !configuration.brokers.isEmpty || configuration.properties["test.mock.num.brokers"] != nil else {
            throw .property(.configuration, "bootstrap.servers", "no broker is named")
        }
        var promises = promises
        promises["bootstrap.servers"] = configuration.brokers
        promises["client.id"] = configuration.clientID
        if let interval = configuration.statisticsInterval {
            let milliseconds = interval / .milliseconds(1)
            guard milliseconds >= 1, milliseconds <= 86_400_000 else {
                throw .property(.configuration, "statistics.interval.ms", "\(interval) is not between 1 ms and a day")
            }
            promises["statistics.interval.ms"] = String(Int(milliseconds))
        }
        for name in configuration.properties.keys.sorted() where promises[name] != nil || Self.reserved.contains(name) {
            throw .property(.reservedProperty, name, "is set by the client and can't be passed through")
        }
        properties = Self.common.merging(defaults) { $1 }.merging(configuration.properties) { $1 }.merging(promises) { $1 }
        if configuration.brokers.isEmpty { properties["bootstrap.servers"] = nil }
    }

    /// - Throws: an error that names the property. librdkafka's own text may quote a value, so it is kept from secrets.
    func apply(to conf: OpaquePointer) throws(KafkaError) {
        var text = [CChar](repeating: 0, count: 512)
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
            guard rd_kafka_conf_set(conf, name, value, &text, text.count) != RD_KAFKA_CONF_OK else { continue }
            throw .property(.configuration, name, KafkaConfiguration.isSecret(name) ? "the value is not accepted" : string(text))
        }
    }

    /// Come back quickly when a broker does; don't log that an idle connection was closed.
    private static let common = [
        "reconnect.backoff.ms": "50", "reconnect.backoff.max.ms": "1000", "socket.keepalive.enable": "true",
        "log.connection.close": "false",
    ]

    /// Other names of what is promised, and what has a field of its own.
    private static let reserved: Set<String> = [
        "metadata.broker.list", "statistics.interval.ms", "group.id", "auto.offset.reset", "request.required.acks",
        "enable.auto.commit", "auto.commit.enable", "enable.auto.offset.store", "log.queue", "enabled_events", "opaque",
    ]
}
