import AttributionDomain
import AttributionService
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import JSON
import ServiceShell
import ServiceTestSupport
import TestSupport
import Testing

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
                try await eventually("nothing of it is in the index") {
                    let traced = try await house.call(
                        "POST", "/v1/attributions/trace", as: "olga", scopes: [],
                        json: ["text": .string(words(0..<20)), "datanet": "dn_1"])
                    return traced.status == 200 && traced.json["span_count"]?.intValue == 0
                }
            }
        }
    }

    @Test func aDamagedIndexIsBuiltAgainWithoutASecondEvent() async throws {
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
            var bytes = try #require(FileManager.default.contents(atPath: segment))
            bytes[bytes.count / 2] ^= 0xFF
            try bytes.write(to: URL(fileURLWithPath: segment))
            try await house.answer("inf_1", words(0..<20))
            try await house.serving { _ in
                let computed = try await house.attribution(of: "inf_1")
                #expect(computed.shares.byOwner == ["ann": 1_000_000_000])
            }
            #expect(try await house.events(IndexBuilt.self).count == 1 && house.standIns.exported.count == 2)
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
                #expect(try await trace(body, as: "eve").0 == 403)
                #expect(try await trace(body, as: "eve", scopes: ["attributions:trace"]).0 == 200)
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
