import Crypto
import DatanetDomain
import EventLog
import Events
import JSON
import LedgerService
import ServiceTestSupport
import TestSupport
import Testing

@Suite struct GovernanceServiceTests {
    @Test func aPanelIsDrawnFromTheLogAndItsVotesDecide() async throws {
        try await withDatanets { house in
            let id = try await house.create(.reviewed)
            for number in 0..<7 {
                _ = try await house.post(
                    "/v1/datanets/\(id)/members", as: "olga", ["principal": .string("v\(number)"), "role": "validator"])
            }
            try await house.screen("co_1", id, [.item("a"), .item("b")])
            let review = try await drawn(house, id, round: 1)
            let name = review["id"]?.stringValue ?? ""
            let draw = try ReviewDrawn(try #require(review["draw"]).object())

            // A stranger with the log alone: the root over all events up to and with review.opened, and the draw from it.
            let events = try await house.house.ledger.client(for: .datanet).read(from: 0, limit: draw.size, wait: nil).events
            #expect(events.count == draw.size && Merkle.root(of: events.map { Merkle.leaf($0.bytes) }) == draw.root)
            #expect(try EventHeader(parsing: try #require(events.last).bytes).type == ReviewOpened.type)
            #expect(PanelDraw.panel(root: draw.root, review: name, candidates: draw.candidates, seats: 3) == draw.panel)

            let path = "/v1/datanets/\(id)/reviews/\(name)"
            // The panel reads what it decides on, each reading an event; nobody else does, and not once it is over.
            let read = try await house.get(path + "/items", as: draw.panel[2])
            let lines = try read.bytes.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
            #expect(lines.map { $0["item"]?.stringValue } == ["a", "b"] && lines[0]["content"]?.stringValue == "words about a")
            let outsider = try #require(draw.candidates.first { !draw.panel.contains($0) })
            for name in [outsider, "olga", "ann"] { #expect(try await house.get(path + "/items", as: name).status == 403) }
            let used = try await house.get("/v1/datanets/\(id)/accesses", as: "olga", after: read).json["items"]?.arrayValue ?? []
            #expect(used.map { $0["principal"]?.stringValue } == [draw.panel[2]] && used.first?["data"]?["review"]?.stringValue == name)
            let vote: JSONValue = ["admit": false, "reason": "it says nothing"]
            #expect(try await house.post(path + "/votes", as: draw.panel[0], vote, key: "first").status == 201)
            #expect(try await house.post(path + "/votes", as: draw.panel[0], vote, key: "first").status == 201)
            #expect(
                try await house.post(path + "/votes", as: draw.panel[0], ["admit": true, "reason": "changed"], key: "first").status == 422)
            #expect(try await house.post(path + "/votes", as: draw.panel[0], vote).rule == "voted-already")
            #expect(try await house.post(path + "/votes", as: "ann", vote).status == 403)
            #expect(try await house.get(path).json["votes"] == nil)
            #expect(try await house.post(path + "/votes", as: draw.panel[1], vote).status == 201)
            #expect(try await house.outcome(of: "co_1", id)["reason"]?.stringValue == "panel")
            let told = try await house.get(path).json["votes"]?.arrayValue ?? []
            #expect(told.map { $0["reason"]?.stringValue } == ["it says nothing", "it says nothing"])
            #expect(try await house.get(path + "/items", as: draw.panel[2]).status == 409)

            // The appeal goes to others, and costs who was wrong.
            let appeal = try await house.post("/v1/datanets/\(id)/contributions/co_1/appeals", as: "ann", ["reason": "read it again"])
            #expect(appeal.status == 201)
            let second = try await drawn(house, id, round: 2)
            let fresh = try ReviewDrawn(try #require(second["draw"]).object())
            #expect(Set(fresh.panel).isDisjoint(with: draw.panel))
            for member in fresh.panel.prefix(2) {
                let answer = try await house.post(
                    "/v1/datanets/\(id)/reviews/\(fresh.review)/votes", as: member, ["admit": true, "reason": "it does"])
                #expect(answer.status == 201)
            }
            try await eventually("the appeal is decided") {
                try await house.get("/v1/rulings").json["items"]?.arrayValue?.count == 1
            }
            let ruling = try RulingMade(
                try #require(try await house.get("/v1/rulings").json["items"]?.arrayValue?.first?["ruling"]).object())
            #expect(ruling.upheld && Set(ruling.penalties.map(\.principal)) == Set(draw.panel.prefix(2)) && ruling.pool == id)
            #expect(try await house.get("/v1/rulings/\(ruling.ruling)").json == ruling.json)
            try await eventually("its items came in") { try await house.get("/v1/datanets/\(id)").json["items"]?.intValue == 2 }
        }
    }

    private func drawn(_ house: DatanetHouse, _ id: String, round: Int64) async throws -> JSONValue {
        var found = JSONValue.null
        for _ in 0..<1 {
            try await eventually("a panel is drawn") {
                let list = try await house.get("/v1/datanets/\(id)/reviews").json["items"]?.arrayValue ?? []
                guard let name = list.first(where: { $0["round"]?.intValue == round })?["id"]?.stringValue else { return false }
                return try await house.get("/v1/datanets/\(id)/reviews/\(name)").json["draw"] != nil
            }
            let list = try await house.get("/v1/datanets/\(id)/reviews").json["items"]?.arrayValue ?? []
            let name = list.first { $0["round"]?.intValue == round }?["id"]?.stringValue ?? ""
            found = try await house.get("/v1/datanets/\(id)/reviews/\(name)").json
        }
        return found
    }

    @Test func rulesChangeByVoteAloneAndLateVotesAreRefused() async throws {
        try await withDatanets { house in
            var policy = DatanetPolicy.usual
            policy.governance = GovernanceTerms(
                votingSeconds: 1, timelockSeconds: 0, quorumPoints: 5_000, reviewSeconds: 100, appealSeconds: 100, penaltyPoints: 0)
            let id = try await house.create(policy)
            _ = try await house.post("/v1/datanets/\(id)/members", as: "olga", ["principal": "carl", "role": "curator"])
            policy.minimumQuality = 100
            let opened = try await house.post("/v1/datanets/\(id)/proposals", as: "carl", ["policy": policy.json])
            #expect(opened.status == 201 && opened["electorate"] == "2")
            let votes = "/v1/proposals/\(opened["proposal"])/votes"
            #expect(try await house.post(votes, as: "mallory", ["in_favour": true]).status == 403)
            #expect(try await house.post(votes, as: "olga", ["in_favour": true]).status == 201)
            #expect(try await house.post(votes, as: "olga", ["in_favour": false]).rule == "voted-already")
            try await eventually("the rules have changed") {
                try await house.get("/v1/datanets/\(id)").json["policy"]?["minimum_quality"]?.intValue == 100
            }
            #expect(try await house.post(votes, as: "carl", ["in_favour": false]).rule == "voting-is-over")
            let told = try await house.get("/v1/proposals/\(opened["proposal"])").json
            #expect(told["closed"]?["outcome"]?.stringValue == "passed" && told["enacted"]?.boolValue == true)
            let bad = try await house.post(
                "/v1/datanets/\(id)/proposals", as: "olga", ["policy": ["access": "open"]])
            #expect(bad.status == 400)
        }
    }

    @Test func badRequestsGetAnAnswerThatSaysWhatIsWrong() async throws {
        try await withDatanets { house in
            let id = try await house.create()
            #expect(try await house.post("/v1/datanets/\(id)/snapshots", as: "olga", [:]).rule == "nothing-to-publish")
            #expect(try await house.post("/v1/datanets/dn_none/snapshots", as: "olga", [:]).status == 404)
            #expect(try await house.get("/v1/datanets/dn_none").status == 404)
            #expect(try await house.get("/v1/datanets/\(id)/snapshots/1").status == 404)
            #expect(try await house.get("/v1/datanets/\(id)/snapshots/0").status == 400)
            #expect(try await house.get("/v1/snapshots/sn_none/manifest").status == 404)
            let body: JSONValue = ["domain": "defi", "media": "text", "policy": DatanetPolicy.usual.json]
            #expect(try await house.call("POST", "/v1/datanets", as: "olga", body, scopes: ["datanets:read"]).status == 403)
            #expect(try await house.call("POST", "/v1/datanets", as: nil, body).status == 401)
            #expect(try await house.post("/v1/datanets", as: "olga", ["domain": "defi", "media": "text"]).status == 400)
            #expect(
                try await house.post("/v1/datanets", as: "olga", ["domain": "De Fi", "media": "text", "policy": DatanetPolicy.usual.json])
                    .rule == "bad-domain")
            #expect(
                try await house.post("/v1/datanets/\(id)/members", as: "mallory", ["principal": "mallory", "role": "owner"]).status == 403)
            let ruling: JSONValue = ["about": "dispute", "subject": "dp_1", "upheld": true]
            #expect(try await house.post("/v1/rulings", as: "olga", ruling).status == 403)
            #expect(try await house.call("POST", "/v1/rulings", as: "judge", ruling, scopes: ["rulings:write"]).status == 201)

            // What names a Datanet that there is not, and what comes from somebody who was put out, is refused on the log.
            _ = try await house.post("/v1/datanets/\(id)/members/revocations", as: "olga", ["principal": "ann", "role": "contributor"])
            try await house.screen("co_1", id, [.item("a")])
            #expect(try await house.outcome(of: "co_1", id)["reason"]?.stringValue == "not-a-member")
            try await house.screen("co_2", "dn_foreign", by: "bob", [.item("b", owner: "bob")])
            #expect(try await house.outcome(of: "co_2", "dn_foreign")["reason"]?.stringValue == "unknown-datanet")
            try await house.screen("co_3", id, by: "bob", [.item("c", owner: "bob", licence: "GPL-3.0-only")])
            #expect(try await house.outcome(of: "co_3", id)["reason"]?.stringValue == "licence-conflict")

            let page = try await house.post(
                "/v1/datanets/\(id)/page", as: "olga", ["name": "DeFi incidents", "summary": "What went wrong."])
            #expect(page.status == 201)
            #expect(try await house.get("/v1/datanets/\(id)").json["page"]?["name"]?.stringValue == "DeFi incidents")
        }
    }
}
