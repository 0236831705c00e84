internal import CKafka

extension ConsumerCore {
    /// Asks whether subscribed topics that were not there are now, when it is time to.
    /// - Throws: an error that names the topic once one has been away for too long.
    func askForAbsentTopics(_ client: OpaquePointer) throws(KafkaError) {
        if absent.isEmpty { return }
        var found = false
        for topic in absent.due(now: .now) {
            switch exists(topic, client) {
            case true?:
                absent.remove(topic)
                found = true
            case false? where absent.isOverdue(topic, now: .now):
                absent.beginAgain(topic, now: .now)
                throw KafkaError(
                    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
                    "subscribed topic \(topic) has not been there for \(absent.patience); make it, or read from another")
            // No answer says nothing of the topic, and brokers that are away are trouble already.
            case false?, nil: continue
            }
        }
        // librdkafka itself would look again only at the metadata's next refresh. A reader that has partitions waits for
        // that, because it would have to give them back.
        if found, !hasPending, try assignment().isEmpty { try resubscribe(client) }
    }

    /// Whether a broker knows the topic and who leads it; nil without an answer. Asks for this one only: librdkafka takes
    /// the answer to a question for all as news that subscribed topics are away (its issue 4589).
    private func exists(_ topic: String, _ client: OpaquePointer) -> Bool? {
        guard let handle = rd_kafka_topic_new(client, topic, nil) else { return nil }
        defer { rd_kafka_topic_destroy(handle) }
        var pointer: UnsafePointer<rd_kafka_metadata>?
        guard rd_kafka_metadata(client, 0, handle, &pointer, 1_000) == RD_KAFKA_RESP_ERR_NO_ERROR, let pointer else { return nil }
        defer { rd_kafka_metadata_destroy(pointer) }
        guard pointer.pointee.topic_cnt == 1 else { return nil }
        let entry = pointer.pointee.topics[0]
        return entry.err == RD_KAFKA_RESP_ERR_NO_ERROR && entry.partition_cnt > 0
    }

    func resubscribe(_ client: OpaquePointer) throws(KafkaError) {
        let places = subscription.map { KafkaPosition($0, -1, offset: KafkaPosition.unset) }
        try withList(places) { list throws(KafkaError) in try KafkaError.check(rd_kafka_subscribe(client, list), "subscribe") }
    }
}
