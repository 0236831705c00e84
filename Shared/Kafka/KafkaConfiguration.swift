/// Where a cluster is and how to talk to it; shared by producers, consumers and admins.
public struct KafkaConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    /// Bootstrap addresses, `host:port`, separated by commas. One reachable broker is enough to learn of the others.
    public var brokers: String
    /// The name under which the brokers log and meter this client.
    public var clientID: String
    /// librdkafka properties passed through as they are: `security.protocol`, `sasl.*`, `ssl.*`, `compression.codec`, …
    /// They win over this room's defaults, but not over what the room promises (see ``KafkaError/Code/reservedProperty``).
    public var properties: [String: String]
    /// How often ``KafkaObserver/statistics`` is called; nil for never. At least one millisecond.
    public var statisticsInterval: Duration?
    /// Who hears of log lines, broker trouble and statistics.
    public var observer: KafkaObserver

    /// A configuration for `brokers`.
    public init(
        brokers: String, clientID: String = "openledger", properties: [String: String] = [:],
        statisticsInterval: Duration? = nil, observer: KafkaObserver = KafkaObserver()
    ) {
        self.brokers = brokers
        self.clientID = clientID
        self.properties = properties
        self.statisticsInterval = statisticsInterval
        self.observer = observer
    }

    /// Everything but the secrets, in a fixed order.
    public var description: String {
        let shown = properties.sorted { $0.key < $1.key }.map { name, value in
            "\(name)=\(Self.isSecret(name) ? "<redacted>" : value)"
        }
        return (["bootstrap.servers=\(brokers)", "client.id=\(clientID)"] + shown).joined(separator: " ")
    }

    /// The same text only, so that a dump shows no secret either.
    public var customMirror: Mirror { Mirror(self, children: ["settings": description]) }

    /// Whether a property's value must never be shown. Errs on the side of hiding.
    public static func isSecret(_ property: String) -> Bool {
        let name = property.lowercased()
        return ["password", "secret", "token", "oauthbearer.config", "jaas", "pem"].contains { name.contains($0) }
    }
}
