import Decisions
import Events
import JSON
import Replay
import ServiceTestSupport
import Testing

@Suite struct DifferenceTests {
    @Test func `the first difference is named by its place`() {
        let rule: JSONValue = ["a": 1, "list": [["units": "40"], ["units": "2"]]]
        #expect(Difference.first(expected: rule, found: rule) == nil)
        #expect(
            Difference.first(expected: rule, found: ["a": 1, "list": [["units": "41"], ["units": "2"]]])
                == "/list/0/units is \"41\", and the rules make \"40\"")
        #expect(
            Difference.first(expected: rule, found: ["a": 1, "list": [["units": "40"]]]) == "/list has 1 entries, and the rules make 2")
        #expect(
            Difference.first(expected: rule, found: ["a": 1])
                == "/list is left out, and the rules make [{\"units\":\"40\"},{\"units\":\"2\"}]")
        #expect(Difference.first(expected: ["a": 1], found: ["a": 1, "b": 2]) == "/b is 2, and the rules leave it out")
    }
}
