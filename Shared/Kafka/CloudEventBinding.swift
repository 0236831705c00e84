/// Binary mode of the Kafka protocol binding for CloudEvents 1.0.2 (§3.2): the value is the data as it is, the header
/// `content-type` its media type, and each attribute a header `ce_<name>` of UTF-8 text.
extension CloudEvent {
    static let prefix = "ce_"
    static let contentType = "content-type"

    /// The event's headers, in a fixed order: the same event makes the same headers.
    /// - Throws: what ``validate()`` throws.
    public func kafkaHeaders() throws(CloudEventError) -> [KafkaHeader] {
        try validate()
        var headers = [KafkaHeader(Self.prefix + "specversion", Self.specVersion)]
        func add(_ name: String, _ value: String?) {
            if let value { headers.append(KafkaHeader(Self.prefix + name, value)) }
        }
        add("id", id)
        add("source", source)
        add("type", type)
        add("time", time)
        add("subject", subject)
        add("dataschema", dataSchema)
        for (name, value) in extensions.sorted(by: { $0.key < $1.key }) { add(name, value) }
        if let dataContentType { headers.append(KafkaHeader(Self.contentType, dataContentType)) }
        return headers
    }

    /// The event as a record.
    /// - Parameter headers: further headers, which go after the event's own and must not look like them.
    public func kafkaRecord(
        topic: String, partition: Int32? = nil, key: [UInt8]? = nil, headers: [KafkaHeader] = []
    ) throws(CloudEventError) -> KafkaRecord {
        for header in headers where Self.isOwn(header.name) { throw CloudEventError(.duplicate, header.name) }
        return KafkaRecord(topic: topic, partition: partition, key: key, value: data, headers: try kafkaHeaders() + headers)
    }

    /// Reads an event in binary mode from a record. Headers that are not the event's are left to the caller.
    /// - Throws: the first thing that is not as the binding says. Nothing is guessed or mended.
    public init(_ record: KafkaRecord) throws(CloudEventError) {
        var attributes: [String: String] = [:]
        var mediaType: String?
        for header in record.headers where Self.isOwn(header.name) {
            guard header.value.count <= Self.attributeLimit else { throw CloudEventError(.tooLarge, header.name) }
            guard let text = String(validating: header.value, as: UTF8.self) else {
                throw CloudEventError(.notUTF8, header.name)
            }
            if header.name == Self.contentType {
                guard mediaType == nil else { throw CloudEventError(.duplicate, header.name) }
                mediaType = text
                continue
            }
            let name = String(decoding: header.name.utf8.dropFirst(Self.prefix.utf8.count), as: UTF8.self)
            // The media type has a header of its own (§3.2.1), and the data is the value.
            guard CloudEventSyntax.isAttributeName(name), name != "datacontenttype", name != "data" else {
                throw CloudEventError(.badAttributeName, header.name)
            }
            guard attributes.updateValue(text, forKey: name) == nil else { throw CloudEventError(.duplicate, header.name) }
            guard attributes.count <= Self.known.count + Self.extensionLimit else { throw CloudEventError(.tooLarge, "headers") }
        }
        if let mediaType, mediaType.lowercased().hasPrefix("application/cloudevents") {
            throw CloudEventError(.notBinaryMode, Self.contentType)
        }
        func take(_ name: String) throws(CloudEventError) -> String {
            guard let value = attributes.removeValue(forKey: name) else { throw CloudEventError(.missing, Self.prefix + name) }
            return value
        }
        guard try take("specversion") == Self.specVersion else { throw CloudEventError(.unknownVersion, "ce_specversion") }
        self.init(
            id: try take("id"), source: try take("source"), type: try take("type"),
            time: attributes.removeValue(forKey: "time"), subject: attributes.removeValue(forKey: "subject"),
            dataContentType: mediaType, dataSchema: attributes.removeValue(forKey: "dataschema"), extensions: attributes,
            data: record.value)
        try validate()
    }

    private static func isOwn(_ name: String) -> Bool {
        // Byte for byte: Swift's own comparison would join the underscore and a following accent into another character.
        name.utf8.starts(with: prefix.utf8) || name == contentType
    }
}
