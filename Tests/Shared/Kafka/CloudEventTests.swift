import Kafka
import Testing

@Suite struct CloudEventTests {
    static let event = CloudEvent(
        id: "018f", source: "/ledger", type: "deposit.received", time: "2025-01-31T23:59:59.123456Z", subject: "account/7",
        dataContentType: "application/json", dataSchema: "https://example.org/schema", extensions: ["traceparent": "00-ab"],
        data: Array(#"{"a":1}"#.utf8))

    @Test func binaryModeHasTheBindingsHeadersInAFixedOrder() throws {
        let record = try Self.event.kafkaRecord(topic: "t", key: [1], headers: [KafkaHeader("ol_position", "5")])
        #expect(
            record.headers.map { "\($0.name): \(String(decoding: $0.value, as: UTF8.self))" } == [
                "ce_specversion: 1.0", "ce_id: 018f", "ce_source: /ledger", "ce_type: deposit.received",
                "ce_time: 2025-01-31T23:59:59.123456Z", "ce_subject: account/7", "ce_dataschema: https://example.org/schema",
                "ce_traceparent: 00-ab", "content-type: application/json", "ol_position: 5",
            ])
        #expect(record.value == Self.event.data)
        #expect(record.key == [1])
    }

    @Test func whatWasWrittenReadsBackTheSame() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let letters = Array("aZ09 -_/é漢😀\"%\u{301}")
        func text(_ length: ClosedRange<Int>, _ random: inout SeededGenerator) -> String {
            String((0..<Int.random(in: length, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" })
        }
        for _ in 0..<500 {
            var event = CloudEvent(id: text(1...20, &random), source: "/s", type: text(1...20, &random), data: nil)
            if Bool.random(using: &random) { event.subject = text(1...20, &random) }
            if Bool.random(using: &random) { event.time = "2024-02-29T00:00:60+05:30" }
            if Bool.random(using: &random) { event.dataContentType = nil }
            if Bool.random(using: &random) {
                event.data = (0..<Int.random(in: 0...50, using: &random)).map { _ in .random(in: 0...255, using: &random) }
            }
            for number in 0..<Int.random(in: 0...5, using: &random) { event.extensions["ext\(number)"] = text(0...9, &random) }
            let back = try CloudEvent(event.kafkaRecord(topic: "t", headers: [KafkaHeader("other", [0xFF])]))
            #expect(back == event, "seed \(seed)")
            #expect(try back.kafkaHeaders() == event.kafkaHeaders(), "seed \(seed)")
        }
    }

    /// Takes a sound event's headers and spoils them.
    static func decode(_ spoil: (inout [KafkaHeader]) -> Void) throws -> CloudEvent {
        var record = try event.kafkaRecord(topic: "t")
        spoil(&record.headers)
        return try CloudEvent(record)
    }

    @Test(arguments: ["ce_specversion", "ce_id", "ce_source", "ce_type"])
    func aRequiredAttributeMustBeThere(name: String) {
        let error = #expect(throws: CloudEventError.self) { try Self.decode { $0.removeAll { $0.name == name } } }
        #expect(error?.code == .missing)
        #expect(error?.subject == name)
    }

    @Test(arguments: ["ce_id", "ce_traceparent", "content-type", "ce_specversion"])
    func anAttributeMayNotComeTwice(name: String) {
        let error = #expect(throws: CloudEventError.self) {
            try Self.decode { headers in headers += headers.filter { $0.name == name } }
        }
        #expect(error?.code == .duplicate)
        #expect(error?.subject == name)
    }

    @Test(arguments: [
        ("ce_id", ""), ("ce_id", "a\u{0}"), ("ce_id", "a\u{7F}"), ("ce_id", "\u{FFFE}"), ("ce_type", ""), ("ce_subject", ""),
        ("ce_source", ""),
        ("ce_source", "a b"), ("ce_source", "%zz"), ("ce_source", "%4"), ("ce_source", "1a:b"), ("ce_source", "a#b#c"), ("ce_source", "é"),
        ("ce_source", ":x"),
        ("ce_time", "2025-02-29T00:00:00Z"), ("ce_time", "2025-01-01 00:00:00Z"), ("ce_time", "2025-01-01T24:00:00Z"),
        ("ce_time", "2025-01-01T00:00:00"), ("ce_time", "2025-01-01T00:00:00.Z"), ("ce_time", "2025-01-01T00:00:00+0100"),
        ("ce_time", "2025-01-01T00:00:00.5"), ("ce_time", "2025-13-01T00:00:00Z"), ("ce_time", ""), ("ce_time", "2025-01-01T00:00:00Zx"),
        ("ce_time", "2025-01-01T00:00:00+25:00"),
        ("ce_dataschema", "relative/path"), ("ce_dataschema", "a/b:c"), ("content-type", "json"), ("content-type", "a/b/c"),
        ("content-type", ""),
        ("content-type", "application/json;"), ("content-type", "application /json"), ("ce_ext", "a\nb"),
    ])
    func aValueMustHaveItsAttributesForm(name: String, value: String) {
        let error = #expect(throws: CloudEventError.self, "\(name) \(value)") {
            try Self.decode { headers in
                headers.removeAll { $0.name == name }
                headers.append(KafkaHeader(name, value))
            }
        }
        #expect(error?.code == .badAttributeValue)
    }

    @Test(arguments: ["ce_", "ce_Upper", "ce_a_b", "ce_a-b", "ce_é", "ce_data", "ce_datacontenttype", "ce_\u{301}"])
    func anAttributesNameMustBeLowerCaseLettersAndDigits(name: String) {
        let error = #expect(throws: CloudEventError.self) { try Self.decode { $0.append(KafkaHeader(name, "x")) } }
        #expect(error?.code == .badAttributeName)
    }

    @Test func otherVersionsModesAndEncodingsAreRefused() {
        func code(_ name: String, _ value: [UInt8]) -> CloudEventError.Code? {
            do {
                _ = try Self.decode { headers in
                    headers.removeAll { $0.name == name }
                    headers.append(KafkaHeader(name, value))
                }
                return nil
            } catch { return (error as? CloudEventError)?.code }
        }
        #expect(code("ce_specversion", Array("0.3".utf8)) == .unknownVersion)
        #expect(code("ce_specversion", Array("1.0.2".utf8)) == .unknownVersion)
        #expect(code("content-type", Array("application/cloudevents+json; charset=utf-8".utf8)) == .notBinaryMode)
        #expect(code("ce_id", [0xC3, 0x28]) == .notUTF8)
        #expect(code("ce_id", Array(repeating: 97, count: CloudEvent.attributeLimit + 1)) == .tooLarge)
        #expect(code("ce_id", Array(repeating: 97, count: CloudEvent.attributeLimit)) == nil)
    }

    @Test func tooManyExtensionsAreRefusedBothWays() {
        var event = Self.event
        for number in 0...CloudEvent.extensionLimit { event.extensions["x\(number)"] = "" }
        #expect(throws: CloudEventError.self) { try event.kafkaHeaders() }
        #expect(throws: CloudEventError.self) {
            try Self.decode { $0 += (0..<1_000).map { KafkaHeader("ce_x\($0)", "") } }
        }
    }

    @Test func whatCouldNotBeReadIsNotWritten() {
        var event = Self.event
        event.extensions = ["time": "x"]
        #expect(throws: CloudEventError.self) { try event.kafkaHeaders() }
        #expect(throws: CloudEventError.self) { try Self.event.kafkaRecord(topic: "t", headers: [KafkaHeader("ce_id", "2")]) }
        #expect(throws: CloudEventError.self) { try Self.event.kafkaRecord(topic: "t", headers: [KafkaHeader("content-type", "a/b")]) }
    }

    @Test func randomHeadersAreRefusedOrReadButNeverTrap() {
        let seed = UInt64.random(in: .min ... .max)
        var random = SeededGenerator(seed: seed)
        let names = ["ce_id", "ce_source", "ce_time", "ce_dataschema", "content-type", "ce_x", "ce_"]
        for _ in 0..<2_000 {
            let name = names.randomElement(using: &random) ?? ""
            let bytes = (0..<Int.random(in: 0...30, using: &random)).map { _ in UInt8.random(in: 0x20...0x90, using: &random) }
            guard
                let event = try? Self.decode({ headers in
                    headers.removeAll { $0.name == name }
                    headers.append(KafkaHeader(name, bytes))
                })
            else { continue }
            // What is accepted is accepted again.
            #expect((try? CloudEvent(event.kafkaRecord(topic: "t"))) == event, "seed \(seed)")
        }
    }
}
