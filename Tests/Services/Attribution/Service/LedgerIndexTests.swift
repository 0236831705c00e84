import AttributionDomain
import CorpusIndex
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
import Web

@testable import AttributionService

private let ann = AttributionHouse.Item(id: "a", owner: "ann", text: words(0..<60))
private let bob = AttributionHouse.Item(id: "b", owner: "bob", text: words(100..<220))
/// Has ten words that stand amid longer ones of ann's.
private let zoe = AttributionHouse.Item(id: "z", owner: "zoe", text: words(500..<520) + " " + words(10..<20) + " " + words(520..<540))

@Suite("Indexes as the ledger has them") struct LedgerIndexTests {
    @Test func whatAnAnswerPaysDoesNotHangOnWhenTheIndexIsCleaned() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob, zoe])
            try await house.publishModel([snapshot])
            let text = words(0..<30) + " and " + words(100..<110)
            house.standIns.change { $0.failing = ["inf_0"] }
            try await house.answer("inf_0", text)
            try await house.append(ContributionWithdrawn(contribution: "c-a", contributor: "ann", items: []), by: .ingest)
            // It is passed over once another answer can be attributed.
            try await house.answer("inf_1", text)
            try await house.serving { _ in
                // The words are still in the index; ann's longer run covers zoe's no more.
                let before = try await house.attribution(of: "inf_1")
                #expect(before.shares.byOwner == ["bob": 500_000_000, "zoe": 500_000_000])
                let folder = try folders(house)[0]
                let whole = try Data(contentsOf: URL(fileURLWithPath: folder + "/manifest.json"))
                // Whatever would be cleaned now is, between one index and the next.
                for datanet in ["dn_2", "dn_3"] {
                    let other = try await house.publish(
                        [AttributionHouse.Item(id: "i" + datanet, owner: "oz", text: words(900..<930))], datanet: datanet)
                    try await eventually("it is indexed") {
                        try await house.events(IndexBuilt.self).contains { $0.snapshot == other.snapshot }
                    }
                }
                house.standIns.change { $0.failing = [] }
                #expect(try await house.attribution(of: "inf_0").shares.byOwner == ["ann": 750_000_000, "bob": 250_000_000])
                try await eventually("nothing of ann's is in the index") {
                    try Data(contentsOf: URL(fileURLWithPath: folder + "/manifest.json")) != whole
                        && FileManager.default.fileExists(atPath: folder + "/thinned.json")
                }
                try await house.answer("inf_2", text)
                let after = try await house.attribution(of: "inf_2")
                #expect(after.shares == before.shares && after.methods == before.methods)
                let (one, other) = (try await house.statement(before.evidence), try await house.statement(after.evidence))
                #expect(one.computed == other.computed && one.datanets == other.datanets)
            }
            // What was thinned out here is taken as it is by the next one who opens it.
            try await house.answer("inf_3", text)
            let exports = house.standIns.exported.count
            try await house.serving { _ in
                let said = try await house.attribution(of: "inf_3").shares.byOwner
                #expect(said == ["bob": 500_000_000, "zoe": 500_000_000])
            }
            #expect(house.standIns.exported.count == exports)
        }
    }

    @Test func anIndexThatIsNotTheLedgersIsBuiltAgainAsItWas() async throws {
        try await withAttributionHouse { house in
            let many = (0..<6).map { AttributionHouse.Item(id: "m\($0)", owner: "mo", text: words($0 * 200 + 1_000..<$0 * 200 + 1_190)) }
            try await house.publish(many)
            let second = try await house.publish(many + [ann, bob], number: 2)
            try await house.publishModel([second])
            try await house.serving { _ in
                try await eventually("both are indexed") { try await house.events(IndexBuilt.self).count == 2 }
            }
            let built = try #require(try await house.events(IndexBuilt.self).last)
            let folder = try #require(try folders(house).first { try CorpusIndex(directory: $0).digest == built.manifest })
            // Another index of the same root, which is whole in itself: ann's words are bob's.
            try CorpusIndexBuilder(directory: folder).build(
                root: second.root, items: [CorpusItem(id: "b", text: Array(words(0..<60).utf8))])
            func digest() throws -> Digest { try CorpusIndex(directory: folder).digest }
            #expect(try digest() != built.manifest)
            try await house.answer("inf_1", words(0..<20))
            try await house.serving { _ in
                let said = try await house.attribution(of: "inf_1").shares.byOwner
                #expect(said == ["ann": 1_000_000_000])
            }
            // From all texts, and the files are those of the one that went on from the first.
            #expect(try digest() == built.manifest)
            #expect(house.standIns.exported == ["dn_1/1", "dn_1/2 since 1", "dn_1/2"])

            // A note that says it is the own one does not help what was never in it.
            try CorpusIndexBuilder(directory: folder).build(
                root: second.root, items: [CorpusItem(id: "b", text: Array(words(0..<60).utf8))])
            try ThinnedNote(built: built.manifest, now: CorpusIndex(directory: folder).digest).write(to: folder)
            try await house.answer("inf_2", words(0..<20))
            try await house.serving { _ in
                let said = try await house.attribution(of: "inf_2").shares.byOwner
                #expect(said == ["ann": 1_000_000_000])
            }
            #expect(try digest() == built.manifest)
        }
    }

    @Test func whereTheContentIsNotWhatWasIndexedNothingIsAttributedByIt() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            try await house.serving { _ in
                try await eventually("it is indexed") { try await !house.events(IndexBuilt.self).isEmpty }
            }
            let exports = house.standIns.change { $0.exports["dn_1/1"] ?? [] }
            let others = exports.map { $0.replacingOccurrences(of: words(0..<60), with: words(300..<360)) }
            #expect(others != exports)
            house.standIns.change { $0.exports["dn_1/1"] = others }
            try FileManager.default.removeItem(atPath: try folders(house)[0])
            try await house.answer("inf_1", words(0..<20))
            try await house.serving { service in
                let check = try #require(service.mount.checks.first { $0.name == "attribution" })
                try await eventually("it says so") {
                    if case .notReady(let why) = await check.state() { why.contains("do not make the index") } else { false }
                }
                #expect(try await house.events(AttributionComputed.self).isEmpty)
                house.standIns.change { $0.exports["dn_1/1"] = exports }
                #expect(try await house.attribution(of: "inf_1").shares.byOwner == ["ann": 1_000_000_000])
            }
        }
    }

    @Test func whatIsLostWithTheFilesAndTakenBackSinceIsSaidToBeGone() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishModel([snapshot])
            try await house.serving { _ in
                try await eventually("it is indexed") { try await !house.events(IndexBuilt.self).isEmpty }
            }
            try FileManager.default.removeItem(atPath: try folders(house)[0])
            try await house.answer("inf_1", words(0..<20) + " and " + words(100..<110))
            // Datanet gives it no more, and the log does not say why yet.
            house.standIns.change {
                $0.exports["dn_1/1"] = $0.exports["dn_1/1"]?.map { line in
                    line.contains(words(0..<60)) ? line.replacingOccurrences(of: "\"" + words(0..<60) + "\"", with: "null") : line
                }
            }
            try await house.serving { service in
                let check = try #require(service.mount.checks.first { $0.name == "attribution" })
                try await eventually("it waits") {
                    if case .notReady(let why) = await check.state() { why.contains("no longer gives a of") } else { false }
                }
                #expect(try await house.events(AttributionComputed.self).isEmpty)
                try await house.append(ContributionWithdrawn(contribution: "c-a", contributor: "ann", items: []), by: .ingest)
                let computed = try await house.attribution(of: "inf_1")
                #expect(computed.missing == ["items-gone", "no-rows"] && computed.shares.byOwner == ["bob": 1_000_000_000])
                try await house.answer("inf_2", words(0..<20) + " and " + words(100..<110))
                #expect(try await house.attribution(of: "inf_2").missing == ["no-rows"])
            }
        }
    }

    private func folders(_ house: AttributionHouse) throws -> [String] {
        let folder = try house.house.context(.attribution).folder + "/indexes"
        return try FileManager.default.contentsOfDirectory(atPath: folder).map { folder + "/" + $0 }
            .filter { FileManager.default.fileExists(atPath: $0 + "/manifest.json") }.sorted()
    }
}
