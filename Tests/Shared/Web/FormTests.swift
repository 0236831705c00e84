import Testing
import Web

@Suite struct FormTests {
    @Test func fieldsAreReadOnceEach() throws {
        let form = try FormFields(Array("a=1+2&b=%C3%A4%26&c&d=".utf8))
        #expect(form["a"] == "1 2" && form["b"] == "ä&" && form["c"] == "" && form["d"] == "" && form["e"] == nil)
        for wrong in ["a=1&a=2", "a=%4", "a=%00", "a=%ff"] {
            #expect(throws: Problem.self, "\(wrong)") { try FormFields(Array(wrong.utf8)) }
        }
        let many = (0...FormFields.most).map { "k\($0)=1" }.joined(separator: "&")
        #expect(throws: Problem.self) { try FormFields(Array(many.utf8)) }
    }
}
