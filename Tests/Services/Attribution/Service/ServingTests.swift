import Web
import AttributionDomain
import Blobs
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import JSON
import Money
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing
import Web

@testable import AttributionService

private let ann = AttributionHouse.Item(id: "a", owner: "ann", text: words(0..<60))
private let bob = AttributionHouse.Item(id: "b", owner: "bob", text: words(100..<220))
private let own = "it is said that "

@Suite("Attribution as a service") struct ServingTests {
    @Test func anAnswerIsAttributedByItsSpansAndItsEvidenceGivesTheSameShares() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            try await house.answer("inf_1", own + words(10..<40) + " and " + words(100..<110), prompt: "what is said?")
            try await house.serving { _ in
                let computed = try await house.attribution(of: "inf_1")
                #expect(computed.shares.byOwner == ["ann": 750_000_000, "bob": 250_000_000])
                #expect(!computed.fallback && computed.missing == ["no-rows"] && computed.rules == "attribution/1")
                #expect(computed.methods.map(\.weight) == [1_000_000_000, 0, 0])
                let statement = try await house.statement(computed.evidence)
                #expect(try EvidenceList.entries(statement.shares()) == computed.shares)
                #expect(try statement.methods() == computed.methods)
                let built = try #require(try await house.events(IndexBuilt.self).first)
                #expect(built.items == 2 && built.root == snapshot.root && statement.sources.first?.index == built.manifest)

                let shown = try await house.call("GET", "/v1/attributions/inf_1")
                #expect(shown.status == 200 && shown.json["attribution"]?.stringValue == computed.attribution)
                let spans = try #require(shown.json["spans"]?.arrayValue)
                #expect(spans.map { $0["text"]?.stringValue } == [words(10..<40), words(100..<110)])
                #expect(spans.first?["items"]?.arrayValue?.first?["licence"]?.stringValue == "CC-BY-4.0")
                let position = try #require(shown.json["position"]?.intValue)
                let logged = try await house.log()[Int(position)]
                #expect(try Fact(logged).type == "attribution.computed")
                // Who neither asked nor paid sees no text.
                let other = try await house.call("GET", "/v1/attributions/\(computed.attribution)", as: "eve")
                #expect(other.status == 200 && other.json["answer"] == nil && other.json["spans"]?.arrayValue?.first?["text"] == nil)
                #expect(try await house.call("GET", "/v1/attributions/inf_1", scopes: []).status == 403)
                #expect(try await house.call("GET", "/v1/attributions/nothing").status == 404)
                let evidence = try await house.call("GET", "/v1/attributions/inf_1/evidence")
                #expect(try SHA256.hash(JSON.canonical(evidence.json)) == computed.evidence)
                #expect(try await house.call("GET", "/v1/indexes").json["items"]?.arrayValue?.first?["status"]?.stringValue == "built")
            }
        }
    }

    @Test func everyAnswerIsAttributedOnceAndInOrderWhateverRestartsHappen() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            for number in 0..<20 { try await house.answer("inf_\(number)", words(number..<number + 20)) }
            try await house.serving { _ in _ = try await house.attribution(of: "inf_3") }
            for number in 20..<40 { try await house.answer("inf_\(number)", words(100 + number..<130 + number)) }
            // Two instances at once: both see the same list.
            try await house.serving { _ in
                let second = try await AttributionService.open(house.house.context(.attribution))
                let running = Task { await second.run() }
                _ = try await house.attribution(of: "inf_39")
                running.cancel()
                await running.value
            }
            try await house.serving { _ in
                try await house.answer("inf_40", words(0..<20))
                _ = try await house.attribution(of: "inf_40")
            }
            let done = try await house.events(AttributionComputed.self).map(\.inference)
            #expect(done == (0...40).map { "inf_\($0)" })
            #expect(try await house.events(IndexBuilt.self).count == 1)
        }
    }

    @Test func anAnswerWhoseTextCannotBeHadNowIsWaitedForAndThoseAfterItToo() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            house.standIns.change { $0.isGatewayAway = true }
            try await house.answer("inf_1", words(0..<20))
            try await house.answer("inf_2", words(0..<20))
            try await house.serving { service in
                try await eventually("it asked more than once") { house.standIns.asked > 3 }
                #expect(try await house.events(AttributionComputed.self).isEmpty)
                house.standIns.change { $0.isGatewayAway = false }
                _ = try await house.attribution(of: "inf_2")
            }
            #expect(try await house.events(AttributionComputed.self).map(\.inference) == ["inf_1", "inf_2"])
        }
    }

    @Test func withoutItsTextsAnAnswerIsPaidByTheFallbackAndTheEventSaysWhy() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            house.standIns.change { _ = $0.erased.insert("inf_1") }
            try await house.answer("inf_1", words(0..<20))
            try await house.answer("inf_2", "nothing of it is known", model: "acme/unknown")
            try await house.serving { _ in
                let erased = try await house.attribution(of: "inf_1")
                // 60 tokens of ann's, 120 of bob's.
                #expect(erased.fallback && erased.shares.byOwner == ["ann": 333_333_333, "bob": 666_666_667])
                #expect(erased.missing == ["content-erased", "no-rows"])
                #expect(erased.methods.allSatisfy { $0.weight == 0 && $0.confidence == 0 })
                let unknown = try await house.attribution(of: "inf_2")
                #expect(unknown.fallback && unknown.shares.count == 0 && unknown.missing == ["unknown-model"])
            }
        }
    }

    @Test func belowTheThresholdTheModelsOwnerIsPaidWhereThePolicySaysSo() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot]) {
                $0.fallback = "owner"
                $0.threshold = 500_000_000
            }
            try await house.answer("inf_1", own + words(0..<10) + String(repeating: " other", count: 40))
            try await house.serving { _ in
                let computed = try await house.attribution(of: "inf_1")
                #expect(computed.fallback && computed.shares.count == 0 && computed.methods.first?.confidence != 0)
            }
        }
    }

    @Test func whatWasWithdrawnEarnsUntilThenAndIsTakenOutOfTheIndex() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            try await house.append(
                DatanetCreated(datanet: "dn_1", owner: "olga", domain: "finance", media: "text", policy: openPolicy), by: .datanet)
            house.standIns.change { $0.isGatewayAway = true }
            try await house.answer("inf_1", words(0..<20))
            try await house.append(ContributionWithdrawn(contribution: "c-a", contributor: "ann", items: []), by: .ingest)
            try await house.answer("inf_2", words(0..<20))
            try await house.serving { _ in
                try await eventually("it asked") { house.standIns.asked > 0 }
                house.standIns.change { $0.isGatewayAway = false }
                #expect(try await house.attribution(of: "inf_1").shares.byOwner == ["ann": 1_000_000_000])
                #expect(try await house.attribution(of: "inf_2").shares.byOwner == ["bob": 1_000_000_000])
                // From the withdrawal on it is shown to nobody, whether it is out of the files yet or not.
                func traced(_ path: String) async throws -> JSONValue {
                    try await house.call(
                        "POST", path, as: "olga", scopes: [], json: ["text": .string(words(0..<20)), "datanet": "dn_1"]
                    ).json["span_count"] ?? .null
                }
                for path in ["/v1/attributions:trace", "/v1/attributions/trace"] { #expect(try await traced(path) == 0) }
                try await eventually("the index lists it as taken back, and its files hold nothing of it any more") {
                    let listed = try await house.call("GET", "/v1/indexes/\(snapshot.snapshot)/withdrawn")
                    let items = listed.json["items"]?.arrayValue ?? []
                    return listed.json["count"] == 1 && listed.json["held"] == 0 && items.count == 1 && items.first?["owner"] == "ann"
                        && items.first?["held"] == false
                }
                #expect(try await house.call("GET", "/v1/indexes/sn_none/withdrawn").status == 404)
                try await eventually("nothing of it is in the index") {
                    let traced = try await house.call(
                        "POST", "/v1/attributions/trace", as: "olga", scopes: [],
                        json: ["text": .string(words(0..<20)), "datanet": "dn_1"])
                    return traced.status == 200 && traced.json["span_count"]?.intValue == 0
                }
            }
        }
    }

    @Test(arguments: [Harm.bit, .cut, .gone, .otherVersion])
    func anIndexThatCannotBeReadIsBuiltAgainWithoutASecondEvent(harm: Harm) async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            try await house.serving { _ in
                try await eventually("the index is built") { try await !house.events(IndexBuilt.self).isEmpty }
            }
            let folder = try house.house.context(.attribution).folder + "/indexes"
            let index = folder + "/" + (try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first))
            let segment =
                index + "/" + (try #require(try FileManager.default.contentsOfDirectory(atPath: index).first { $0.hasPrefix("segment") }))
            try harm.do(to: segment, manifest: index + "/manifest.json")
            try await house.answer("inf_1", words(0..<20))
            try await house.serving { _ in
                let computed = try await house.attribution(of: "inf_1")
                #expect(computed.shares.byOwner == ["ann": 1_000_000_000])
            }
            #expect(try await house.events(IndexBuilt.self).count == 1 && house.standIns.exported.count == 2)
        }
    }

    /// What may befall an index.
    enum Harm: Sendable {
        case bit, cut, gone, otherVersion

        func `do`(to segment: String, manifest: String) throws {
            let place = URL(fileURLWithPath: segment)
            var bytes = try Data(contentsOf: place)
            switch self {
            case .bit:
                bytes[bytes.count / 2] ^= 0xFF
                try bytes.write(to: place)
            case .cut: try bytes.prefix(bytes.count / 3).write(to: place)
            case .gone: try FileManager.default.removeItem(at: place)
            case .otherVersion:
                let text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: manifest)), as: UTF8.self)
                try Data(text.replacingOccurrences(of: "\"format\":1", with: "\"format\":9").utf8).write(to: URL(fileURLWithPath: manifest))
            }
        }
    }

    @Test func answersThatAreEmptyBinaryOrTooLongAreAttributedAndTheEventSaysWhatWasNotThere() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            let binary = String(decoding: (0..<4_000).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }, as: UTF8.self) + "\u{0}\u{FFFD}"
            try await house.answer("inf_empty", "")
            try await house.answer("inf_binary", binary)
            try await house.answer("inf_long", String(repeating: "word ", count: 900_000))
            try await house.answer("inf_after", words(0..<20))
            try await house.serving { _ in
                // 60 tokens of ann's, 120 of bob's.
                let codes = ["inf_empty": ["no-rows"], "inf_binary": ["no-rows"], "inf_long": ["no-rows", "text-too-long"]]
                for (inference, missing) in codes {
                    let computed = try await house.attribution(of: inference)
                    #expect(computed.fallback && computed.missing == missing, "\(inference)")
                    #expect(computed.shares.byOwner == ["ann": 333_333_333, "bob": 666_666_667], "\(inference)")
                }
                #expect(try await house.attribution(of: "inf_after").shares.byOwner == ["ann": 1_000_000_000])
            }
        }
    }

    @Test func fromADamagedIndexNothingIsTakenOverIntoALaterOne() async throws {
        try await withAttributionHouse { house in
            let many = (0..<6).map { AttributionHouse.Item(id: "m\($0)", owner: "mo", text: words($0 * 200..<$0 * 200 + 190)) }
            let zoe = AttributionHouse.Item(id: "z", owner: "zoe", text: words(3_000..<3_030))
            try await house.publish(many)
            try await house.serving { _ in
                try await eventually("the first index is built") { try await !house.events(IndexBuilt.self).isEmpty }
            }
            let folder = try house.house.context(.attribution).folder + "/indexes"
            let index = folder + "/" + (try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first))
            let segment =
                index + "/" + (try #require(try FileManager.default.contentsOfDirectory(atPath: index).first { $0.hasPrefix("segment") }))
            try Harm.bit.do(to: segment, manifest: index + "/manifest.json")
            let second = try await house.publish(many + [zoe], number: 2)
            try await house.publishModel([second])
            try await house.answer("inf_1", words(3_000..<3_030) + " and " + words(400..<430))
            let computed = try await house.serving { _ in try await house.attribution(of: "inf_1") }
            #expect(computed.shares.byOwner == ["mo": 500_000_000, "zoe": 500_000_000])
            // The second was built from all texts.
            #expect(house.standIns.exported == ["dn_1/1", "dn_1/2 since 1", "dn_1/2"])
        }
    }

    @Test func whatAClaimedAuthorEarnsIsTheClaimantsAndNobodyIsUnverifiedForIt() async throws {
        try await withAttributionHouse { house in
            let works = ["author_1", "author_2"].enumerated().map { number, author in
                AttributionHouse.Item(id: "w\(number)", owner: author, text: words(1_000 * number..<1_000 * number + 60))
            }
            let snapshot = try await house.publish(works + [bob])
            try await house.publishModel([snapshot]) { ($0.rules, $0.cap) = ("attribution/3", 600_000_000) }
            try await house.publishModel([snapshot], version: 2) { ($0.rules, $0.cap) = ("attribution/2", 600_000_000) }
            try await house.append(KeyRotated(principal: "bob", added: "did:key:z1", verified: "mail"), by: .agentGateway)
            let text = words(0..<40) + " and " + words(1_000..<1_040)
            try await house.answer("inf_1", text)
            for author in ["author_1", "author_2"] {
                try await house.append(
                    ContributorClaimed(claim: "cl_" + author, author: author, principal: "pat", datanet: "dn_1", proof: "mail"), by: .ingest
                )
            }
            try await house.answer("inf_2", text)
            try await house.append(AccountVerified(owner: "pat", claim: "mail"), by: .billing)
            try await house.answer("inf_3", text)
            try await house.answer("inf_4", text, version: 2)
            try await house.serving { _ in
                // Two unknown names are one to the cap; what is above it goes to bob.
                let before = try await house.attribution(of: "inf_1")
                #expect(before.shares.byOwner == ["author_1": 300_000_000, "author_2": 300_000_000, "bob": 400_000_000])
                #expect(try await house.statement(before.evidence).unverified == ["author_1", "author_2"])
                let claimed = try await house.attribution(of: "inf_2")
                #expect(claimed.shares.byOwner == ["author_1": 600_000_000, "bob": 400_000_000])
                #expect(try await house.statement(claimed.evidence).unverified == [])
                #expect(try await house.attribution(of: "inf_3").shares.byOwner == ["bob": 400_000_000, "pat": 600_000_000])
                #expect(try await house.attribution(of: "inf_4").shares.byOwner == before.shares.byOwner)
                // A penalty on one of the names is on all.
                try await house.append(
                    RulingMade(
                        ruling: "ru_1", about: "dispute", subject: try await house.attribution(of: "inf_3").attribution, upheld: true,
                        penalties: [Penalty(principal: "author_2", points: 100)]), by: .datanet)
                try await eventually("it is corrected") { try await !house.events(AttributionCorrected.self).isEmpty }
                #expect(try await house.events(AttributionCorrected.self).first?.shares.byOwner == ["bob": 1_000_000_000])
            }
        }
    }

    @Test func theNamesThatAnImporterBringsAreOnePartyAndAPaddedCopyEarnsNothingByTheRules4() async throws {
        try await withAttributionHouse { house in
            let phrase = words(5_000..<5_012)
            func around(_ number: Int) -> String { words(number..<number + 40) + " " + phrase + " " + words(number + 40..<number + 80) }
            let names = (0..<3).map { AttributionHouse.Item(id: "n\($0)", owner: "author_\($0)", text: around(1_000 * ($0 + 1))) }
            let bobs = AttributionHouse.Item(id: "b", owner: "bob", text: around(100) + " " + words(7_000..<7_060))
            let padded = AttributionHouse.Item(
                id: "p", owner: "eve", text: words(8_000..<8_040) + " " + words(7_000..<7_060) + " " + words(8_040..<8_080))
            for name in names {
                try await house.append(
                    ContributionSubmitted(
                        contribution: name.contribution, datanet: "dn_1", contributor: "ivy", kind: "on-behalf",
                        manifest: SHA256.hash(utf8: "m"), signer: "did:key:z1", signature: "", items: 1, bytes: 1), by: .ingest)
            }
            try await house.append(KeyRotated(principal: "bob", added: "did:key:z2", verified: "mail"), by: .agentGateway)
            let snapshot = try await house.publish([bobs] + names + [padded])
            try await house.publishModel([snapshot]) { $0.rules = "attribution/4" }
            try await house.publishModel([snapshot], version: 2) { $0.rules = "attribution/3" }
            for version in [1, 2] {
                try await house.answer("phrase_\(version)", "it says " + phrase, version: version)
                try await house.answer("copied_\(version)", "it says " + words(7_010..<7_040), version: version)
            }
            try await house.append(KeyRotated(principal: "ivy", added: "did:key:z3", verified: "mail"), by: .agentGateway)
            try await house.answer("phrase_3", "it says " + phrase)
            try await house.serving { _ in
                let now = try await house.attribution(of: "phrase_1")
                #expect(now.shares.byOwner["bob"] == 500_000_000 && now.shares.byOwner.count == 4)
                let statement = try await house.statement(now.evidence)
                #expect(statement.computed?.parties.behind["author_1"] == "ivy" && statement.computed?.parties.behind["ivy"] == "")
                #expect(try await house.attribution(of: "phrase_2").shares.byOwner["bob"] == 250_000_000)
                #expect(try await house.attribution(of: "copied_1").shares.byOwner == ["bob": 1_000_000_000])
                #expect(try await house.attribution(of: "copied_2").shares.byOwner == ["bob": 500_000_000, "eve": 500_000_000])
                // Ivy is verified since: her names are hers, and no longer of the crowd.
                let later = try await house.attribution(of: "phrase_3")
                #expect(later.shares.byOwner["bob"] == 500_000_000)
                #expect(
                    try await house.statement(later.evidence).computed?.parties
                        == Parties(["author_0": "ivy", "author_1": "ivy", "author_2": "ivy"]))
            }
        }
    }

    @Test func aLaterSnapshotIsIndexedByWhatItHasMore() async throws {
        try await withAttributionHouse { house in
            let zoe = AttributionHouse.Item(id: "z", owner: "zoe", text: words(300..<330))
            let copy = AttributionHouse.Item(id: "y", owner: "eve", text: words(100..<220))
            let first = try await house.publish([ann, bob])
            let second = try await house.publish([ann, bob, zoe, copy], number: 2)
            let third = try await house.publish([bob, zoe, copy], number: 3)
            try await house.publishModel([second])
            try await house.publishModel([third], version: 2)
            try await house.answer("inf_1", words(300..<330) + " and " + words(100..<130))
            try await house.answer("inf_2", words(0..<30) + " and " + words(310..<330), version: 2)
            try await house.serving { _ in
                // Eve's copy is bob's, who came first.
                let one = try await house.attribution(of: "inf_1"), other = try await house.attribution(of: "inf_2")
                #expect(one.shares.byOwner == ["bob": 500_000_000, "zoe": 500_000_000])
                #expect(other.shares.byOwner == ["zoe": 1_000_000_000])
            }
            let built = try await house.events(IndexBuilt.self)
            #expect(built.map(\.snapshot) == [first, second, third].map(\.snapshot) && built.map(\.items) == [2, 4, 3])
            // Ann went: who is the first to say something may be another, so that everything is measured anew.
            #expect(house.standIns.exported == ["dn_1/1", "dn_1/2 since 1", "dn_1/3"])
            var measures: [[IndexedItem]] = []
            for event in built {
                measures.append(try EvidenceList<IndexedItem>.decode(try await house.evidence.bytes(try #require(event.measures))))
            }
            #expect(measures[1].map(\.unique) == [60, 120, 30, 0] && measures[1].map(\.head) == [nil, nil, nil, "b"])
            #expect(measures[2].map(\.unique) == [120, 30, 0])
        }
    }

    @Test func aRulingTakesWhoItPenalisedOutOfTheAttribution() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            try await house.answer("inf_1", words(0..<20) + " and " + words(100..<120))
            try await house.serving { _ in
                let computed = try await house.attribution(of: "inf_1")
                for (ruling, penalised) in [("ru_0", "zoe"), ("ru_1", "ann")] {
                    try await house.append(
                        RulingMade(
                            ruling: ruling, about: "dispute", subject: computed.attribution, upheld: true,
                            penalties: [Penalty(principal: penalised, points: 100)]), by: .datanet)
                }
                try await eventually("it is corrected") { try await !house.events(AttributionCorrected.self).isEmpty }
                let corrected = try await house.events(AttributionCorrected.self)
                // The ruling about somebody who had no share changed nothing.
                #expect(corrected.map(\.ruling) == ["ru_1"] && corrected.first?.shares.byOwner == ["bob": 1_000_000_000])
                let shown = try await house.call("GET", "/v1/attributions/inf_1")
                #expect(shown.json["corrections"]?.arrayValue?.count == 1)
                #expect(shown.json["shares"]?.arrayValue?.compactMap { $0["owner"]?.stringValue } == ["bob"])
            }
        }
    }

    @Test func aRulingThatIsThereBeforeTheAttributionIsFollowedOnceThatIs() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            house.standIns.change { $0.isGatewayAway = true }
            try await house.answer("inf_1", words(0..<20) + " and " + words(100..<120))
            try await house.append(
                RulingMade(
                    ruling: "ru_1", about: "dispute", subject: "inf_1", upheld: true, penalties: [Penalty(principal: "ann", points: 100)]),
                by: .datanet)
            try await house.serving { _ in
                try await eventually("it asked") { house.standIns.asked > 0 }
                house.standIns.change { $0.isGatewayAway = false }
                #expect(try await house.attribution(of: "inf_1").shares.byOwner == ["ann": 500_000_000, "bob": 500_000_000])
                try await eventually("it is corrected") { try await !house.events(AttributionCorrected.self).isEmpty }
                #expect(try await house.events(AttributionCorrected.self).first?.shares.byOwner == ["bob": 1_000_000_000])
            }
        }
    }

    @Test func whatToolsAndTheFormOfTheAnswerSayIsNobodysLikeThePrompt() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            let tools: JSONValue = [
                [
                    "type": "function",
                    "function": ["name": "tide", "description": .string(words(0..<20)), "parameters": ["type": "object"]],
                ]
            ]
            let format: JSONValue = ["type": "json_schema", "json_schema": ["name": "x", "description": .string(words(20..<40))]]
            house.standIns.change { $0.asked["inf_1"] = [("tools", tools), ("response_format", format)] }
            let text = words(0..<40) + " and " + words(100..<110)
            try await house.answer("inf_1", text)
            try await house.answer("inf_2", text)
            try await house.serving { _ in
                let said = try await house.attribution(of: "inf_1").shares.byOwner
                #expect(said == ["bob": 1_000_000_000])
                #expect(try await house.attribution(of: "inf_2").shares.byOwner == ["ann": 800_000_000, "bob": 200_000_000])
            }
            let call: JSONValue = [
                [
                    "id": "call_a", "type": "function",
                    "function": ["name": "tide", "arguments": #"{"place":"Brest\nharbour","days":[{"of":"May"}]}"#],
                ]
            ]
            let spoken: JSONValue = [
                ["role": "user", "content": [["type": "text", "text": "Tides?"]]],
                ["role": "assistant", "content": "", "tool_calls": call], ["role": "tool", "tool_call_id": "call_a", "content": "at noon"],
            ]
            let read = AnswerTexts.words(spoken).split(separator: "\n")
            #expect(read.first == "Tides?" && read.last == "at noon" && !read.contains("user") && !read.contains("call_a"))
            #expect(["Brest", "harbour", "May", "tide"].allSatisfy { read.contains(Substring($0)) })
        }
    }

    @Test func textsThatNobodyCanReadToTheEndAreTooLong() async throws {
        try await withAttributionHouse { house in
            house.standIns.change { $0.answers["inf_1"] = ("why?", String(repeating: "because ", count: 1_000)) }
            let service = try await AttributionService.open(house.house.context(.attribution))
            try house.house.mount([house.standIns.mount, service.mount], grants: [AttributionService.grants])
            var texts = AnswerTexts(peers: try house.house.context(.attribution).peers)
            guard case .texts(let found) = try await texts.find("inf_1") else { throw Unexpected() }
            #expect(found.answer.utf8.count == 8_000)
            texts.largest = 7_000
            guard case .tooLong = try await texts.find("inf_1") else { throw Unexpected() }
            guard case .unknown = try await texts.find("inf_2") else { throw Unexpected() }
        }
    }

    private struct Unexpected: Error {}

    @Test func whileTooManyAnswersWaitNoTextIsTracedAndReadinessSaysSo() async throws {
        try await withAttributionHouse(settings: ["OPENLEDGER_ATTRIBUTION_BACKLOG": "3"]) { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            house.standIns.change { $0.isGatewayAway = true }
            for number in 0..<4 { try await house.answer("inf_\(number)", words(0..<20)) }
            try await house.serving { service in
                let body: JSONValue = ["text": "x", "datanet": "dn_1"]
                func trace() async throws -> Int {
                    try await house.call("POST", "/v1/attributions/trace", scopes: ["attributions:trace"], json: body).status
                }
                let check = try #require(service.mount.checks.first { $0.name == "attribution-backlog" })
                try await eventually("it is behind") { await check.state() != .ready }
                #expect(try await trace() == 503)
                house.standIns.change { $0.isGatewayAway = false }
                _ = try await house.attribution(of: "inf_3")
                #expect(try await trace() == 200)
                #expect(await check.state() == .ready)
            }
        }
    }

    @Test func aTextIsTracedForWhoMayReadTheDatanet() async throws {
        try await withAttributionHouse { house in
            try await house.publish([ann, bob])
            try await house.append(
                DatanetCreated(datanet: "dn_1", owner: "olga", domain: "finance", media: "text", policy: openPolicy), by: .datanet)
            try await house.serving { _ in
                try await eventually("the index is built") { try await !house.events(IndexBuilt.self).isEmpty }
                func trace(_ body: JSONValue, as subject: String = "olga", scopes: Set<String> = []) async throws -> (Int, JSONValue) {
                    try await house.call("POST", "/v1/attributions/trace", as: subject, scopes: scopes, json: body)
                }
                let body: JSONValue = ["text": .string(own + words(5..<25)), "datanet": "dn_1"]
                let (status, found) = try await trace(body)
                #expect(status == 200 && found["spans"]?.arrayValue?.first?["text"]?.stringValue == words(5..<25))
                let named = try await house.call("POST", "/v1/attributions:trace", as: "olga", scopes: [], json: body)
                #expect(named.status == 200 && named.json == found)
                #expect(try await trace(body, as: "eve").0 == 403)
                #expect(try await trace(body, as: "eve", scopes: ["attributions:trace"]).0 == 200)
                // Who let themselves in reads as long as that is free; who was let in, always.
                for (principal, actor) in [("gus", "gus"), ("mia", "olga")] {
                    try await house.append(
                        MemberGranted(datanet: "dn_1", principal: principal, role: "consumer"), by: .datanet, actor: actor)
                }
                try await eventually("they are members") { try await trace(body, as: "mia").0 == 200 }
                #expect(try await trace(body, as: "gus").0 == 200)
                var policy = openPolicy
                policy.price = try Amount(5, Asset("USDC/6"))
                try await house.append(DatanetPolicyChanged(datanet: "dn_1", policy: policy), by: .datanet)
                try await eventually("it has a price") { try await trace(body, as: "gus").0 == 403 }
                #expect(try await trace(body, as: "mia").0 == 200)
                try await house.append(
                    MemberGranted(datanet: "dn_1", principal: "gus", role: "consumer"), by: .datanet, actor: "olga")
                try await eventually("he is let in") { try await trace(body, as: "gus").0 == 200 }
                #expect(try await trace(["text": "", "datanet": "dn_1"]).1["span_count"]?.intValue == 0)
                #expect(try await trace(["text": "x", "datanet": "dn_1", "number": 7]).0 == 404)
                #expect(try await trace(["text": 1, "datanet": "dn_1"]).0 == 400)
            }
        }
    }
}

let openPolicy = DatanetPolicy(
    access: "open", licences: ["CC0-1.0"], treasuryPoints: 5_000, curatorPoints: 2_000, contributorPoints: 3_000, admission: "automatic",
    minimumQuality: 0, panel: 3, quorum: 2, voting: "role")
