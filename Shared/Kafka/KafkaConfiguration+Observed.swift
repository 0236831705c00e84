public import Telemetry

extension KafkaConfiguration {
    /// The same, with a client's statistics every five seconds among the metrics, and what librdkafka says of itself in the log:
    /// lines at the level `debug`, since a broker that is away makes many of them and who waits for it says so once.
    public func observed(_ metrics: Metrics, _ logger: Logger) -> KafkaConfiguration {
        let queued = metrics.gauge("openledger_kafka_queued_records", help: "Records that wait to be sent or acknowledged.").with()
        let bytes = metrics.gauge("openledger_kafka_queued_bytes", help: "Their bytes.").with()
        let sent = metrics.gauge("openledger_kafka_sent_records", help: "Records sent since the client was made.").with()
        let received = metrics.gauge("openledger_kafka_received_records", help: "Records received since the client was made.").with()
        let errors = metrics.gauge("openledger_kafka_transmit_errors", help: "Failed transmissions since the client was made.").with()
        let trip = metrics.gauge("openledger_kafka_round_trip_seconds", help: "Mean time of a request to a broker lately.").with()
        let troubles = metrics.counter(
            "openledger_kafka_troubles_total", help: "Times the client met trouble that it mends by itself, such as a broker that is away."
        ).with()
        let logger = logger.with(["client": .string(clientID)])
        var configuration = self
        configuration.statisticsInterval = .seconds(5)
        configuration.observer = KafkaObserver(
            log: { logger.debug("librdkafka: \($0.text)", ["subject": .string($0.facility)]) },
            trouble: { error in
                troubles.add()
                logger.debug("Kafka: \(error)")
            },
            statistics: { statistics in
                queued.set(Double(statistics.queuedMessages))
                bytes.set(Double(statistics.queuedBytes))
                sent.set(Double(statistics.messagesSent))
                received.set(Double(statistics.messagesReceived))
                errors.set(Double(statistics.transmitErrors))
                if let mean = statistics.roundTripMicroseconds { trip.set(Double(mean) / 1_000_000) }
            })
        return configuration
    }
}
