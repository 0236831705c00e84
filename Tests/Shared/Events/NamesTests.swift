import Crypto
import Events
import Testing

@Suite struct NamesTests {
    @Test(arguments: [
        ("pay-1", "deposit.received", 0, "fb719f8e-a519-8925-894f-f87d35e3ca01"),
        ("pay-1", "deposit.received", 1, "215a694f-8df7-8fda-9107-782c686f2f87"),
        ("pay-1", "hold.placed", 0, "e938b2f3-5585-88e1-91b8-7d3c7dfdd68a"), ("", "", 0, "df5348ab-5489-82d7-832f-652f31b9bd34"),
        ("c/ü", "account.opened", 1023, "57f26393-8ca8-8f65-ab24-46e250acbd78"),
    ])
    func `an event's id is made from cause, type and ordinal as written down`(cause: String, type: String, ordinal: Int, id: String) {
        #expect(EventID(cause: cause, type: type, ordinal: ordinal).text == id)
        #expect(EventID(id)?.text == id)
    }

    @Test(arguments: [
        "", "fb719f8e-a519-8925-894f-f87d35e3ca0", "fb719f8e-a519-8925-894f-f87d35e3ca011", "FB719F8E-A519-8925-894F-F87D35E3CA01",
        "fb719f8ea519-8925-894f-f87d35e3ca01-", "gb719f8e-a519-8925-894f-f87d35e3ca01", "{b719f8e-a519-8925-894f-f87d35e3ca0}",
    ])
    func `an id of another form is none`(text: String) { #expect(EventID(text) == nil) }

    @Test(arguments: [
        "a/b", "base-model/m.1", "account/did:key:z6Mk", "a1/x/y/z", "a/...", "a/.b/..c",
        "k/" + Array(repeating: "x", count: 32).joined(separator: "/"), "k/" + String(repeating: "x", count: 198),
    ])
    func `a stream has a kind and an id`(text: String) throws {
        let name = try #require(StreamName(text))
        #expect(name.text == text)
        #expect(StreamName(kind: String(name.kind), id: String(text.dropFirst(name.kind.count + 1))) == name)
    }

    @Test(arguments: [
        "", "/", "a", "a/", "/b", "A/b", "a_b/c", "a b/c", "a/b c", "a/b\u{7F}", "a/\u{1}", "a/ü", "a/b\"", "a/b\\", "é/b", "a//", "a/b/",
        "a//b", "a/./b", "a/..", "a/.",
        "a/../b", "a/b/..", "k/" + Array(repeating: "x", count: 33).joined(separator: "/"),
        "k/" + String(repeating: "x", count: 199),
    ])
    func `another text names no stream`(text: String) { #expect(StreamName(text) == nil) }

    @Test func `every type of the catalogue is its owner's, said once, and in the form of a type`() {
        #expect(Set(EventCatalog.entries.map(\.type)).count == EventCatalog.entries.count)
        for entry in EventCatalog.entries {
            let parts = entry.type.split(separator: ".", omittingEmptySubsequences: false)
            #expect(parts.count == 2 && parts.allSatisfy { !$0.isEmpty }, "\(entry.type)")
            #expect(entry.owner.nouns.contains(String(parts[0])), "\(entry.type) of \(entry.owner)")
            #expect(entry.version >= 1)
            #expect(EventCatalog.entry(of: entry.type)?.owner == entry.owner)
            #expect(entry.type.utf8.allSatisfy { $0 == 0x2D || $0 == 0x2E || ($0 >= 0x61 && $0 <= 0x7A) }, "\(entry.type)")
        }
        #expect(EventCatalog.entry(of: "deposit.imagined") == nil)
    }

    @Test func `no noun belongs to two services, and each can be a stream's kind`() {
        let nouns = Service.allCases.flatMap { $0.nouns }
        #expect(Set(nouns).count == nouns.count)
        for noun in nouns { #expect(StreamName(kind: noun, id: "x") != nil, "\(noun)") }
    }
}
