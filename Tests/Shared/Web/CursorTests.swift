import Testing

@testable import Web

@Suite struct CursorTests {
    private let codec = CursorCodec(list: "items", key: Array("secret".utf8))

    @Test(arguments: [[], [""], ["a"], ["2026-11-21T11:08:30Z", "é", "", "0"]] as [[String]])
    func partsComeBack(parts: [String]) throws {
        #expect(try codec.decode(codec.encode(parts)) == parts)
    }

    @Test func anotherListsOrKeysCursorIsRefused() {
        let cursor = codec.encode(["1"])
        #expect(throws: Problem.self) { try CursorCodec(list: "others", key: Array("secret".utf8)).decode(cursor) }
        #expect(throws: Problem.self) { try CursorCodec(list: "items").decode(cursor) }
    }

    @Test func everyChangedCharacterIsRefused() throws {
        let cursor = codec.encode(["12", "abc"])
        for index in cursor.indices {
            for replacement in ["A", "z", "=", "%", "é"] where String(cursor[index]) != replacement {
                let changed = cursor.replacingCharacters(at: index, with: replacement)
                let problem = #expect(throws: Problem.self, "\(changed)") { try codec.decode(changed) }
                #expect(problem?.type == .badQuery && problem?.field == "cursor")
            }
        }
        for length in 0..<cursor.count { #expect(throws: Problem.self) { try codec.decode(String(cursor.prefix(length))) } }
        #expect(throws: Problem.self) { try codec.decode(String(repeating: "A", count: 5000)) }
    }
}

extension String {
    fileprivate func replacingCharacters(at index: Index, with text: String) -> String {
        String(self[..<index]) + text + String(self[self.index(after: index)...])
    }
}
