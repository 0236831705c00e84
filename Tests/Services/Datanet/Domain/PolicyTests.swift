import DatanetDomain
import Events
import Money
import Testing

@Suite struct PolicyTests {
    @Test func aPolicyOutsideTheLimitsIsRefusedWithTheRule() throws {
        let changes: [(String, (inout DatanetPolicy) throws -> Void)] = [
            ("access", { $0.access = "closed" }), ("admission", { $0.admission = "lottery" }), ("voting", { $0.voting = "money" }),
            ("licences", { $0.licences = [] }), ("one SPDX licence", { $0.licences = ["MIT OR GPL-2.0-only"] }),
            ("one SPDX licence", { $0.licences = [""] }), ("'Freeware' is not on the SPDX licence list", { $0.licences = ["Freeware"] }),
            ("make 10000", { $0.treasuryPoints = 1_001 }),
            (
                "make 10000",
                {
                    $0.treasuryPoints = -1_000; $0.curatorPoints = 3_000
                }
            ),
            (
                "at least 5000",
                {
                    $0.treasuryPoints = 5_001; $0.curatorPoints = 0; $0.contributorPoints = 4_999
                }
            ),
            ("price", { $0.price = Amount(-1, try Asset("USDC/6")) }), ("stake", { $0.stake = Amount(0, try Asset("USDC/6")) }),
            ("voting by stake", { $0.voting = "stake" }), ("quality", { $0.minimumQuality = 1_001 }),
            (
                "seats",
                {
                    $0.admission = "review"; $0.panel = 0
                }
            ),
            (
                "quorum",
                {
                    $0.admission = "review"; $0.panel = 4; $0.quorum = 2
                }
            ),
            (
                "quorum",
                {
                    $0.admission = "review"; $0.panel = 3; $0.quorum = 4
                }
            ), ("seconds", { $0.governance?.votingSeconds = 0 }),
            ("points", { $0.governance?.quorumPoints = 10_001 }),
        ]
        try PolicyRules.check(.usual)
        try PolicyRules.check(.reviewed)
        for (words, change) in changes {
            var policy = DatanetPolicy.usual
            try change(&policy)
            let error = #expect(throws: DatanetRefusal.self) { try PolicyRules.check(policy) }
            #expect(error?.detail.contains(words) == true, "\(words): \(error?.detail ?? "")")
        }
    }

    @Test func rolesAreGivenByWhoMayGiveThem() throws {
        var play = Rehearsal()
        let id = try play.create()
        // In an open Datanet people come by themselves, but not as officers.
        try play.join(id, "ann", .contributor, by: "ann")
        #expect(refusal { try play.join(id, "ann", .curator, by: "ann") } == "not-allowed")
        #expect(refusal { try play.join(id, "ann", .contributor) } == "has-role")
        try play.join(id, "carl", .curator)
        try play.join(id, "dora", .consumer, by: "carl")
        #expect(refusal { try play.join(id, "vera", .validator, by: "carl") } == "not-allowed")
        #expect(refusal { try play.join("dn_none", "vera", .validator) } == "unknown-datanet")
        #expect(refusal { try play.act("olga") { try MembershipRules.revoke($0, id, from: "olga", role: "owner", $1) } } == "last-owner")
        #expect(refusal { try play.act("olga") { try MembershipRules.grant($0, id, to: "x", role: "king", $1) } } == "unknown-role")
        #expect(refusal { try play.act("olga") { try MembershipRules.grant($0, id, to: "a b", role: "owner", $1) } } == "bad-principal")
    }

    @Test func whoIsPutOutCanNotContributeUntilTheRoleIsGivenAgain() throws {
        var play = Rehearsal()
        let id = try play.create()
        try play.act("olga") { try MembershipRules.revoke($0, id, from: "ann", role: "contributor", $1) }
        try play.screen("co_1", id, [.item("a")])
        #expect(try play.settle("co_1").payload(AdmissionRefused.self).reason == "not-a-member")
        #expect(refusal { try play.join(id, "ann", .contributor, by: "ann") } == "not-allowed")
        try play.join(id, "ann", .contributor)
        try play.screen("co_2", id, [.item("b")])
        #expect(try play.settle("co_2").payload(AdmissionGranted.self).items.count == 1)
        // Who leaves may come back.
        try play.act("ann") { try MembershipRules.revoke($0, id, from: "ann", role: "contributor", $1) }
        try play.screen("co_3", id, [.item("c")])
        #expect(try play.settle("co_3").payload(AdmissionGranted.self).items.count == 1)
    }
}
