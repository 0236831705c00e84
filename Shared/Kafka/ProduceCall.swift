internal import CKafka

/// Puts one record into librdkafka's queue; never blocks. On success the client owns `opaque` until it reports the
/// record's delivery; on failure it never saw it.
func produce(_ record: KafkaRecord, to client: OpaquePointer, opaque: UnsafeMutableRawPointer) -> KafkaError? {
    guard !record.topic.isEmpty, !record.topic.utf8.contains(0) else { return .misuse("a topic's name is empty or contains NUL") }
    guard !record.headers.contains(where: { $0.name.utf8.contains(0) }) else { return .misuse("a header's name contains NUL") }
    let headers = record.headers.isEmpty ? nil : rd_kafka_headers_new(record.headers.count)
    for header in record.headers {
        _ = header.value.withUnsafeBytes { value in
            // A null pointer would make a null value, which is another thing than an empty one.
            withUnsafePointer(to: 0 as UInt8) { empty in
                rd_kafka_header_add(headers, header.name, -1, value.baseAddress ?? UnsafeRawPointer(empty), value.count)
            }
        }
    }
    let error = record.topic.withCString { topic in
        withOptionalBytes(record.key) { key in
            withOptionalBytes(record.value) { value in
                withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 8) { arguments in
                    // rd_kafka_producev is variadic and so invisible to Swift; produceva is its array form.
                    func argument(_ type: rd_kafka_vtype_t, _ fill: (inout rd_kafka_vu_t) -> Void) -> rd_kafka_vu_t {
                        var argument = rd_kafka_vu_t()
                        argument.vtype = type
                        fill(&argument)
                        return argument
                    }
                    var count = 0
                    func add(_ type: rd_kafka_vtype_t, _ fill: (inout rd_kafka_vu_t) -> Void) {
                        arguments.initializeElement(at: count, to: argument(type, fill))
                        count += 1
                    }
                    add(RD_KAFKA_VTYPE_TOPIC) { $0.u.cstr = topic }
                    add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = record.partition ?? RD_KAFKA_PARTITION_UA }
                    add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = Int32(RD_KAFKA_MSG_F_COPY) }
                    add(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = opaque }
                    add(RD_KAFKA_VTYPE_KEY) { $0.u.mem = .init(ptr: key.pointer, size: key.count) }
                    add(RD_KAFKA_VTYPE_VALUE) { $0.u.mem = .init(ptr: value.pointer, size: value.count) }
                    if let time = record.timestampMilliseconds { add(RD_KAFKA_VTYPE_TIMESTAMP) { $0.u.i64 = time } }
                    if let headers { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = headers } }
                    return rd_kafka_produceva(client, arguments.baseAddress, count)
                }
            }
        }
    }
    guard let error else { return nil }
    // The headers belong to librdkafka only when it took the record.
    if let headers { rd_kafka_headers_destroy(headers) }
    return KafkaError(consuming: error, "topic \(record.topic)")
}

private func withOptionalBytes<Result>(
    _ bytes: [UInt8]?, _ body: ((pointer: UnsafeMutableRawPointer?, count: Int)) -> Result
) -> Result {
    guard let bytes else { return body((nil, 0)) }
    return bytes.withUnsafeBytes { buffer in
        // As with headers: empty is not null. With MSG_F_COPY librdkafka only reads, and here it reads nothing.
        withUnsafePointer(to: 0 as UInt8) { empty in
            body((UnsafeMutableRawPointer(mutating: buffer.baseAddress ?? UnsafeRawPointer(empty)), buffer.count))
        }
    }
}
