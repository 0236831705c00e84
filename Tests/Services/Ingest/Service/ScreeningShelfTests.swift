import Crypto
import IngestDomain
import Testing

@testable import IngestService

@Suite struct ScreeningShelfTests {
    private static func session(_ items: String...) -> ScreeningSession {
        var session = ScreeningSession()
        for item in items {
            session.restore(item, fingerprint: SHA256.hash(utf8: item), shingles: Shingles([]), bands: [], cluster: item)
        }
        return session
    }

    private static func knows(_ session: ScreeningSession?, _ item: String) -> Bool {
        var session = session
        return session?.judgeMedia("new", SHA256.hash(utf8: item)).cluster == item
    }

    @Test func whatIsErasedWhileASessionIsAwayIsForgottenWhenItComesBack() {
        var shelf = ScreeningShelf()
        #expect(shelf.take("dn") == nil)
        shelf.forget("dn", items: ["a"])
        shelf.put("dn", Self.session("a", "b"))
        let back = shelf.take("dn")
        #expect(!Self.knows(back, "a") && Self.knows(back, "b"))
        shelf.forget("dn")
        shelf.put("dn", back)
        #expect(shelf.take("dn") == nil, "all of it was forgotten")
        shelf.put("dn", Self.session("c"))
        shelf.forget("dn", items: ["c"])
        #expect(!Self.knows(shelf.take("dn"), "c"))
    }

    @Test func oneThatKnowsWhatNeverCameToTheLogIsNotKept() {
        var shelf = ScreeningShelf()
        _ = shelf.take("dn")
        shelf.put("dn", nil)
        #expect(shelf.take("dn") == nil)
    }

    @Test func manyDatanetsHaveTheirPlace() {
        var shelf = ScreeningShelf()
        for number in 0..<100 {
            _ = shelf.take("dn\(number)")
            shelf.put("dn\(number)", Self.session("item\(number)"))
        }
        for number in 0..<100 { #expect(Self.knows(shelf.take("dn\(number)"), "item\(number)")) }
    }
}
