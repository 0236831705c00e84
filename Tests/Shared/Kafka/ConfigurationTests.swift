import Kafka
import Testing

@Suite struct ConfigurationTests {
    /// What making a producer throws.
    func refusal(_ properties: [String: String], brokers: String = nowhere) -> KafkaError? {
        do {
            _ = try KafkaProducer(KafkaConfiguration(brokers: brokers, properties: properties))
            return nil
        } catch { return error }
    }

    @Test(arguments: [
        ("security.protocol", "bogus"), ("sasl.mechanism", ""), ("no.such.property", "1"), ("message.timeout.ms", "-5"),
        ("ssl.endpoint.identification.algorithm", "bogus"), ("compression.codec", "bogus"),
    ])
    func aBadPropertyIsNamed(name: String, value: String) throws {
        let error = try #require(refusal([name: value]))
        #expect(error.code == .configuration)
        #expect(error.text.contains(name), "\(error)")
        #expect(!error.isRetryable)
    }

    @Test func tlsAndSASLSettingsReachTheLibrary() throws {
        let noFile = try #require(refusal(["security.protocol": "ssl", "ssl.ca.location": "/no/such/file"]))
        #expect(noFile.code == .configuration)
        #expect(noFile.text.contains("ssl.ca.location"), "\(noFile)")
        let mechanism = try #require(
            refusal(["security.protocol": "sasl_plaintext", "sasl.mechanism": "NO-SUCH", "sasl.username": "u", "sasl.password": "p"]))
        #expect(mechanism.text.contains("NO-SUCH"), "\(mechanism)")
        #expect(
            refusal(["security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": "u", "sasl.password": "p"]) == nil)
    }

    @Test(arguments: [
        "bootstrap.servers", "metadata.broker.list", "client.id", "enable.idempotence", "acks", "request.required.acks", "group.id",
    ])
    func whatTheRoomPromisesCantBeOverridden(name: String) {
        #expect(refusal([name: "1"])?.code == .reservedProperty)
        #expect(refusal([name: "1"])?.text.contains(name) == true)
    }

    @Test(arguments: ["enable.auto.commit", "auto.offset.reset", "enable.auto.offset.store", "enable.partition.eof"])
    func aConsumersPromisesCantBeOverriddenEither(name: String) {
        let error = #expect(throws: KafkaError.self) {
            _ = try KafkaConsumer(KafkaConfiguration(brokers: nowhere, properties: [name: "true"]), groupID: "g", startAt: .latest)
        }
        #expect(error?.code == .reservedProperty)
    }

    @Test func noBrokerAndNoGroupNameAreRefused() {
        #expect(refusal([:], brokers: "")?.text.contains("bootstrap.servers") == true)
        #expect(throws: KafkaError.self) { _ = try KafkaConsumer(KafkaConfiguration(brokers: nowhere), groupID: "", startAt: .latest) }
        #expect(throws: KafkaError.self) { _ = try KafkaProducer(KafkaConfiguration(brokers: nowhere, statisticsInterval: .zero)) }
    }

    @Test func secretsAreNotShown() {
        let configuration = KafkaConfiguration(
            brokers: "b:9092",
            properties: [
                "sasl.password": "s3cret", "ssl.key.password": "s3cret", "ssl.key.pem": "s3cret",
                "sasl.oauthbearer.client.secret": "s3cret",
                "ssl.keystore.password": "s3cret", "sasl.oauthbearer.config": "s3cret", "sasl.username": "user",
            ])
        #expect(!configuration.description.contains("s3cret"))
        #expect(!"\(configuration)".contains("s3cret"))
        #expect(configuration.description.contains("sasl.username=user"))
        #expect(configuration.description.contains("sasl.password=<redacted>"))
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains("s3cret"), "reflection must not show them either")
        #expect(refusal(["ssl.key.pem": "s3cret", "security.protocol": "ssl"])?.description.contains("s3cret") != true)
    }
}
