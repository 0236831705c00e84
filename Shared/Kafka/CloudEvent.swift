/// An event in the form of CloudEvents 1.0.2 (core specification §3). Attributes are kept as the text that they came as;
/// ``validate()`` says whether they may go on the wire.
public struct CloudEvent: Sendable, Hashable {
    /// Identifies the event within its source.
    public var id: String
    /// Where it happened: a URI reference.
    public var source: String
    /// What happened.
    public var type: String
    /// When: RFC 3339, if it is told.
    public var time: String?
    /// What it happened to, within the source.
    public var subject: String?
    /// The media type of ``data``; nil when nothing is said, which CloudEvents reads as JSON.
    public var dataContentType: String?
    /// Where the data's schema is: an absolute URI.
    public var dataSchema: String?
    /// Extension attributes by name. A name is of lower-case ASCII letters and digits.
    public var extensions: [String: String]
    /// The payload, untouched; nil for none.
    public var data: [UInt8]?

    /// An event; `application/json` unless said otherwise.
    public init(
        id: String, source: String, type: String, time: String? = nil, subject: String? = nil,
        dataContentType: String? = "application/json", dataSchema: String? = nil, extensions: [String: String] = [:],
        data: [UInt8]?
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.time = time
        self.subject = subject
        self.dataContentType = dataContentType
        self.dataSchema = dataSchema
        self.extensions = extensions
        self.data = data
    }

    /// The version that this room speaks.
    public static let specVersion = "1.0"
    /// The most bytes that one attribute may have here. CloudEvents asks for events below 64 KiB in all.
    public static let attributeLimit = 4_096
    /// The most extension attributes that an event may have here.
    public static let extensionLimit = 64

    /// Checks every attribute against the specification.
    /// - Throws: the first that does not fit, in a fixed order.
    public func validate() throws(CloudEventError) {
        try Self.check("id", id, Self.isText)
        try Self.check("source", source, CloudEventSyntax.isURIReference)
        try Self.check("type", type, Self.isText)
        if let time { try Self.check("time", time, CloudEventSyntax.isTimestamp) }
        if let subject { try Self.check("subject", subject, Self.isText) }
        if let dataContentType { try Self.check("datacontenttype", dataContentType, CloudEventSyntax.isMediaType) }
        if let dataSchema { try Self.check("dataschema", dataSchema, CloudEventSyntax.isAbsoluteURI) }
        guard extensions.count <= Self.extensionLimit else { throw CloudEventError(.tooLarge, "extensions") }
        for (name, value) in extensions.sorted(by: { $0.key < $1.key }) {
            guard CloudEventSyntax.isAttributeName(name), !Self.known.contains(name) else {
                throw CloudEventError(.badAttributeName, name)
            }
            try Self.check(name, value) { CloudEventSyntax.isText($0) }
        }
    }

    static let known: Set<String> = [
        "id", "source", "specversion", "type", "time", "subject", "datacontenttype", "dataschema", "data",
    ]

    private static func isText(_ value: String) -> Bool { !value.isEmpty && CloudEventSyntax.isText(value) }

    private static func check(_ name: String, _ value: String, _ rule: (String) -> Bool) throws(CloudEventError) {
        guard value.utf8.count <= attributeLimit else { throw CloudEventError(.tooLarge, name) }
        guard rule(value) else { throw CloudEventError(.badAttributeValue, name) }
    }
}
