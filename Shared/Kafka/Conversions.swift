internal import CKafka

/// The text in a C buffer that a call filled.
func string(_ buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

extension KafkaError {
    /// The error of a code, with where it happened.
    init(_ code: rd_kafka_resp_err_t, _ context: String? = nil, text: String? = nil, isFatal: Bool = false) {
        let what = text ?? String(cString: rd_kafka_err2str(code))
        self.init(
            Code(rawValue: code.rawValue), name: String(cString: rd_kafka_err2name(code)),
            text: context.map { "\($0): \(what)" } ?? what, isFatal: isFatal)
    }

    /// Takes a `rd_kafka_error_t` over.
    init(consuming error: OpaquePointer, _ context: String? = nil) {
        self.init(
            rd_kafka_error_code(error), context, text: String(cString: rd_kafka_error_string(error)),
            isFatal: rd_kafka_error_is_fatal(error) == 1)
        if rd_kafka_error_is_retriable(error) == 1 { isRetryable = true }
        rd_kafka_error_destroy(error)
    }

    static func check(_ code: rd_kafka_resp_err_t, _ context: String) throws(KafkaError) {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code, context) }
    }

    static func check(_ error: OpaquePointer?, _ context: String) throws(KafkaError) {
        if let error { throw KafkaError(consuming: error, context) }
    }

    /// What an error event says, with the partition where it has one.
    init(event: OpaquePointer, client: OpaquePointer) {
        let code = rd_kafka_event_error(event)
        var buffer = [CChar](repeating: 0, count: 512)
        if code == RD_KAFKA_RESP_ERR__FATAL, case let original = rd_kafka_fatal_error(client, &buffer, buffer.count),
            original != RD_KAFKA_RESP_ERR_NO_ERROR
        {
            self.init(original, text: string(buffer), isFatal: true)
            return
        }
        var context: String?
        if let place = rd_kafka_event_topic_partition(event) {
            context = "\(String(cString: place.pointee.topic))[\(place.pointee.partition)]"
            rd_kafka_topic_partition_destroy(place)
        }
        self.init(
            code, context, text: rd_kafka_event_error_string(event).map { String(cString: $0) },
            isFatal: rd_kafka_event_error_is_fatal(event) == 1)
    }
}

/// Runs `body` on librdkafka's form of `positions`.
func withList<Result, Failure: Error>(
    _ positions: [KafkaPosition],
    _ body: (UnsafeMutablePointer<rd_kafka_topic_partition_list_t>) throws(Failure) -> Result
) throws(Failure) -> Result {
    // librdkafka's allocations abort the process when memory runs out; this one can't be null.
    let list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t> = rd_kafka_topic_partition_list_new(Int32(positions.count))
    defer { rd_kafka_topic_partition_list_destroy(list) }
    for position in positions {
        rd_kafka_topic_partition_list_add(list, position.partition.topic, position.partition.partition).pointee.offset =
            position.offset
    }
    return try body(list)
}

/// Reads a list back.
/// - Throws: the first error that librdkafka noted on a partition.
func positions(
    _ list: UnsafePointer<rd_kafka_topic_partition_list_t>, _ context: String = ""
) throws(KafkaError) -> [KafkaPosition] {
    var result: [KafkaPosition] = []
    for index in 0..<Int(list.pointee.cnt) {
        let element = list.pointee.elems[index]
        let position = KafkaPosition(String(cString: element.topic), element.partition, offset: element.offset)
        try KafkaError.check(element.err, "\(context) \(position.partition)")
        result.append(position)
    }
    return result
}
