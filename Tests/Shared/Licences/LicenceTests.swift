import Licences
import Testing

@Suite struct LicenceTests {
    @Test(arguments: [
        ("mit", "MIT"), ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"),
        ("(MIT OR apache-2.0) AND CC-BY-4.0", "(MIT OR Apache-2.0) AND CC-BY-4.0"),
        ("MIT OR Apache-2.0 AND CC0-1.0", "MIT OR Apache-2.0 AND CC0-1.0"),
        ("((MIT))", "MIT"), ("Apache-2.0+", "Apache-2.0+"),
    ])
    func expressionsAreReadAndSpeltAsTheListDoes(text: String, expected: String) throws {
        let expression = try LicenceExpression(text)
        #expect(expression.description == expected)
        #expect(try LicenceExpression(expected) == expression)
    }

    @Test(arguments: [
        "", "(", "MIT OR", "AND MIT", "MIT MIT", "(MIT", "MIT)", "MIT WITH", "MIT WITH MIT", "WITH", String(repeating: "(", count: 300),
    ])
    func whatIsNoExpressionIsRefused(text: String) { #expect(throws: LicenceError.self) { try LicenceExpression(text) } }

    @Test func anUnknownLicenceIsNamed() {
        #expect(throws: LicenceError.unknown("Proprietary")) { try LicenceExpression("MIT OR Proprietary") }
    }

    @Test func conflictsFollowTheExpression() throws {
        let policy = LicencePolicy(["CC-BY-4.0", "CC0-1.0"])
        for (text, isTaken) in [
            ("CC-BY-4.0", true), ("MIT", false), ("MIT OR CC0-1.0", true), ("MIT AND CC0-1.0", false), ("CC-BY-4.0 AND CC0-1.0", true),
            ("CC-BY-NC-4.0", false), ("cc-by-4.0", true), ("CC-BY-4.0 AND (MIT OR CC0-1.0)", true), ("CC0-1.0+", true),
        ] { #expect(policy.takes(try LicenceExpression(text)) == isTaken, "\(text)") }
    }

    /// An exception allows more; without it a licence is another one.
    @Test(arguments: [
        ("GPL-2.0-only", "GPL-2.0-only WITH Classpath-exception-2.0", true),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", false),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0", true),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Font-exception-2.0", false),
    ])
    func anExceptionBelongsToItsLicence(taken: String, offered: String, isTaken: Bool) throws {
        #expect(LicencePolicy([taken]).takes(try LicenceExpression(offered)) == isTaken)
    }

    @Test func withoutAPolicyOnlyFreeLicencesAreTaken() throws {
        let policy = LicencePolicy([])
        #expect(policy.takes(try LicenceExpression("Apache-2.0")))
        #expect(!policy.takes(try LicenceExpression("CC-BY-NC-4.0")))
        #expect(!policy.takes(try LicenceExpression("CC-BY-ND-4.0")))
        #expect(policy.takes(try LicenceExpression("CC-BY-NC-4.0 OR MIT")))
    }

    @Test func aLicenceOfOnesOwnIsTakenByWhoNamesItAlone() throws {
        let own = try LicenceExpression("LicenseRef-private")
        #expect("\(own)" == "LicenseRef-private")
        #expect(LicencePolicy(["LicenseRef-private"]).takes(own))
        for other in [["CC-BY-4.0"], ["LicenseRef-other"], []] { #expect(!LicencePolicy(other).takes(own), "\(other)") }
        for bad in ["LicenseRef-", "licenseref-private", "LicenseRef-a b", "LicenseRef-é", "LicenseRef-a/b", "LicenseRef_private"] {
            #expect(throws: LicenceError.self, "\(bad)") { try LicenceExpression(bad) }
        }
    }
}
