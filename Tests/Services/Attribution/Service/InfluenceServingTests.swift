import AttributionDomain
import Crypto
import Events
import JSON
import Money
import Testing
import TestSupport

@testable import AttributionService
@testable import CorpusIndex

private let ann = AttributionHouse.Item(id: "a", owner: "ann", text: words(0..<60))
private let bob = AttributionHouse.Item(id: "b", owner: "bob", text: words(100..<160))

@Suite("Influence and retrieval as a service") struct InfluenceServingTests {
    private func row(_ role: UInt8, _ first: [Int8], _ second: [Int8]) -> RowBytes {
        RowBytes(role: role, scales: [0.5, 0.25], values: [first, second])
    }

    @Test func influenceIsComputedFromTheRowsThatRunnersWrote() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            // Against the answer's row (127, 0 | 127) ann's make 3 and bob's 1 of its positive influence.
            try await house.publishRows([("a", row(1, [96, 127], [0])), ("b", row(1, [32, 127], [0])), ("b", row(1, [0, 0], [0]))])
            try await house.publishModel([snapshot], job: "job_1")
            let answer = house.standIns.put(artefact: row(2, [127, 0], [127]).bytes)
            var strange = row(2, [127, 0], [127])
            strange.factors = SHA256.hash(utf8: "others")
            try await house.answer("inf_1", "in its own words", row: answer)
            try await house.answer("inf_2", "in its own words", row: house.standIns.put(artefact: strange.bytes))
            try await house.answer("inf_3", "in its own words", row: SHA256.hash(utf8: "never uploaded"))
            try await house.answer("inf_4", "in its own words")
            try await house.answer("inf_5", "in its own words", row: house.standIns.put(artefact: [1, 2, 3]))
            try await house.serving { _ in
                let first = try await house.attribution(of: "inf_1")
                #expect(first.missing == [] && !first.fallback)
                let shares = first.shares.byOwner
                #expect(abs((shares["ann"] ?? 0) - 750_000_000) < 3_000_000 && shares.values.reduce(0, +) == 1_000_000_000)
                #expect(first.methods.map(\.weight) == [0, 1_000_000_000, 0])
                let shown = try await house.call("GET", "/v1/attributions/inf_1").json
                let sums = shown["influence"]?["checkpoints"]?.arrayValue?.first?["owners"]?.arrayValue
                #expect(sums?.map { $0["owner"]?.stringValue } == ["ann", "bob"] && sums?.last?["rows"] == 2)
                #expect(shown["sources"]?.arrayValue?.first?["index"]?.stringValue?.hasPrefix("sha256:") == true)
                for (inference, code) in [
                    ("inf_2", "row-of-other-factors"), ("inf_3", "no-row"), ("inf_4", "no-row"), ("inf_5", "bad-rows"),
                ] {
                    let other = try await house.attribution(of: inference)
                    #expect(other.missing == [code] && other.fallback)
                    #expect(other.shares.byOwner == ["ann": 500_000_000, "bob": 500_000_000])
                }
            }
        }
    }

    @Test func checkpointsThatDisagreeLowerTheConfidence() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            // At the first checkpoint ann's has 3 parts and bob's 1, at the second each as much.
            func both(_ role: UInt8, _ first: [Int8], _ second: [Int8]) -> RowBytes {
                RowBytes(role: role, scales: [0.5, 0.5], values: [first, second])
            }
            let rows = [("a", both(1, [96, 127, 0], [64, 0, 127])), ("b", both(1, [32, 127, 0], [64, 0, 127]))]
            try await house.publishRows(rows, checkpoints: 2)
            try await house.publishModel([snapshot], job: "job_1")
            let same = house.standIns.put(artefact: both(2, [127, 0, 0], [127, 0, 0]).bytes)
            let other = house.standIns.put(artefact: both(2, [127, 0, 0], [0, 0, 0]).bytes)
            try await house.answer("inf_1", "in its own words", row: same)
            try await house.answer("inf_2", "in its own words", row: other)
            try await house.answer("inf_3", "in its own words", row: house.standIns.put(artefact: row(2, [127], [127, 1]).bytes))
            try await house.serving { _ in
                let computed = try await house.attribution(of: "inf_1")
                let influence = try #require(try await house.statement(computed.evidence).computed?.influence)
                #expect(influence.checkpoints.count == 2 && Set(influence.checkpoints.map(\.rows)).count == 1)
                #expect(abs((computed.shares.byOwner["ann"] ?? 0) - 625_000_000) < 3_000_000)
                // Three quarters and a quarter at one, a half each at the other: they agree on three quarters.
                #expect(abs((computed.methods.dropFirst().first?.confidence ?? 0) - 750_000_000) < 6_000_000)
                // Of a checkpoint that says nothing nobody can say that it agrees.
                #expect(try await house.attribution(of: "inf_2").methods.dropFirst().first?.confidence == 0)
                #expect(try await house.attribution(of: "inf_3").missing == ["row-of-other-factors"])
            }
        }
    }

    @Test func rowsThatDifferBetweenTheirCheckpointsAreNone() throws {
        let scratch = ScratchFolder()
        _ = try CorpusIndexBuilder(directory: scratch.path)
        func write(_ lengths: [Int], checkpoints: Int) throws -> [Range<Int>] {
            let row = RowBytes(role: 1, scales: lengths.map { _ in 1 }, values: lengths.map { [Int8](repeating: 1, count: $0) })
            let path = scratch.path + "/rows"
            try RowConversion.write(
                [("a", try EngineRow(row.bytes[...]))], role: .training, factors: row.factors, checkpoints: checkpoints, to: path)
            return RowConversion.checkpoints(of: try InfluenceRows(path: path).tensors)
        }
        #expect(try write([2, 3, 4], checkpoints: 1) == [0..<3])
        #expect(try write([2, 3, 2, 3], checkpoints: 2) == [0..<2, 2..<4])
        #expect(try write([Int](repeating: 1, count: 9_000), checkpoints: 3).count == 3)
        for (lengths, count) in [([2, 3, 2], 2), ([2, 3, 3, 2], 2), ([2], 2)] {
            #expect(throws: InfluenceRowError.self) { try write(lengths, checkpoints: count) }
        }
    }

    @Test func whatCanariesEarnIsTakenOffByTheRulesThatKnowThem() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            // Against the answer's row ann's has 3 parts, bob's 1, and the canary as much as bob's.
            try await house.publishRows(
                [("a", row(1, [96, 127], [0])), ("b", row(1, [32, 127], [0])), ("canary/0/0", row(1, [32, 127], [0]))])
            try await house.publishModel([snapshot], job: "job_1") { $0.rules = "attribution/2" }
            try await house.publishModel([snapshot], job: "job_1", version: 2)
            let answer = house.standIns.put(artefact: row(2, [127, 0], [127]).bytes)
            try await house.answer("inf_1", "in its own words", row: answer)
            try await house.answer("inf_2", "in its own words", row: answer, version: 2)
            try await house.serving { _ in
                let new = try await house.attribution(of: "inf_1")
                #expect(new.rules == "attribution/2" && new.shares.byOwner == ["ann": 1_000_000_000] && new.missing == [])
                let old = try await house.attribution(of: "inf_2")
                #expect(old.rules == "attribution/1" && abs((old.shares.byOwner["bob"] ?? 0) - 250_000_000) < 3_000_000)
                for computed in [new, old] {
                    let statement = try await house.statement(computed.evidence)
                    #expect(try EvidenceList.entries(statement.shares()) == computed.shares)
                    #expect(statement.computed?.influence?.checkpoints.first?.canaries.count == (computed.rules == "attribution/2" ? 1 : 0))
                }
            }
        }
    }

    @Test func aBadArtefactOfRowsLeavesInfluenceOut() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            let good = row(1, [96, 0], [0])
            var odd = row(1, [1, 2], [3])
            odd.values = [[1, 2, 3], [4]]
            // Finite, and 127 times it is not.
            var huge = good
            huge.scales[0] = .greatestFiniteMagnitude
            try await house.publishRows([("a", good), ("b", odd)], job: "job_1")
            try await house.publishRows([("a", good), ("b", huge)], job: "job_2")
            try await house.publishRows([("a", good)], table: Array("{\"rows\":[".utf8), job: "job_3")
            try await house.publishRows([("a", good)], table: Array("{\"rows\":[]}".utf8), job: "job_4")
            let answer = row(2, [1, 1], [1])
            var far = row(2, [127, 1], [1])
            far.scales[0] = .greatestFiniteMagnitude
            for (version, job) in ["job_1", "job_2", "job_3", "job_4"].enumerated() {
                try await house.publishModel([snapshot], job: job, version: version + 1)
                try await house.answer(
                    "inf_\(job)", words(0..<20), row: house.standIns.put(artefact: answer.bytes), version: version + 1)
            }
            try await house.publishRows([("a", good)], job: "job_5")
            try await house.publishModel([snapshot], job: "job_5", version: 5)
            try await house.answer("inf_job_5", words(0..<20), row: house.standIns.put(artefact: far.bytes), version: 5)
            try await house.serving { _ in
                for number in 1...5 {
                    let computed = try await house.attribution(of: "inf_job_\(number)")
                    #expect(computed.missing == ["bad-rows"] && computed.shares.byOwner == ["ann": 1_000_000_000], "job_\(number)")
                }
            }
        }
    }

    @Test func ofAnArtefactOnlyTheRowsAreFetched() async throws {
        try await withAttributionHouse { house in
            let snapshot = try await house.publish([ann, bob])
            try await house.publishRows(
                [("a", row(1, [96, 0], [0]))], others: ["adapter.safetensors": [UInt8](repeating: 7, count: 4_000)])
            try await house.publishModel([snapshot], job: "job_1")
            try await house.answer("inf_1", "in its own words", row: house.standIns.put(artefact: row(2, [1, 1], [1]).bytes))
            let computed = try await house.serving { _ in try await house.attribution(of: "inf_1") }
            #expect(computed.missing == [])
        }
    }

    @Test func passagesEarnByWhatTheAnswerUsedOfThemInTheLatestSnapshot() async throws {
        try await withAttributionHouse { house in
            let learned = try await house.publish([ann])
            try await house.publish([bob], datanet: "dn_2")
            try await house.publishModel([learned], retrieval: ["dn_2"]) {
                ($0.spans, $0.influence, $0.retrieval) = (0, 0, 10_000)
            }
            func passage(_ item: String, _ owner: String, cited: Bool) -> Events.RetrievedPassage {
                Events.RetrievedPassage(
                    datanet: "dn_2", item: item, owner: owner, offset: 0, length: words(100..<140).utf8.count, cited: cited)
            }
            try await house.answer("inf_1", words(110..<130), passages: [passage("b", "bob", cited: true)])
            // Beyond what was put before the model, not cited, and an item that is nowhere.
            try await house.answer("inf_2", words(145..<160), passages: [passage("b", "bob", cited: true)])
            try await house.answer("inf_3", words(110..<130), passages: [passage("b", "bob", cited: false)])
            try await house.answer("inf_4", words(110..<130), passages: [passage("z", "zoe", cited: true)])
            try await house.serving { _ in
                let used = try await house.attribution(of: "inf_1")
                #expect(used.shares == .entries([AttributionShare(owner: "bob", datanet: "dn_2", share: 1_000_000_000)]))
                #expect(used.methods.map(\.weight) == [0, 0, 1_000_000_000])
                for inference in ["inf_2", "inf_3", "inf_4"] {
                    let fallback = try await house.attribution(of: inference)
                    // Who the model learned from is paid, not who was merely fetched.
                    #expect(fallback.fallback && fallback.shares.byOwner == ["ann": 1_000_000_000])
                }
                #expect(try await house.attribution(of: "inf_4").missing == ["passage-gone"])
            }
            // One export to index each snapshot, and one for the passages of all answers.
            #expect(house.standIns.exported.sorted() == ["dn_1/1", "dn_2/1", "dn_2/1"])
        }
    }

    @Test func convertedRowsScoreAsTheirNumbersDo() throws {
        var random = Seed.generator()
        let scratch = ScratchFolder()
        _ = try CorpusIndexBuilder(directory: scratch.path)
        for round in 0..<20 {
            // More tensor rows than a file has tensors in some rounds.
            let count = round % 5 == 0 ? 5_000 : Int.random(in: 1...40, using: &random)
            let lengths = (0..<count).map { _ in Int.random(in: 1...12, using: &random) }
            func made(_ role: UInt8) -> RowBytes {
                RowBytes(
                    role: role, scales: lengths.map { _ in Float.random(in: 0.001...1, using: &random) },
                    values: lengths.map { length in (0..<length).map { _ in Int8.random(in: -127...127, using: &random) } })
            }
            let training = (0..<6).map { (item: "i\($0)", row: made(1)) }
            let answer = made(2)
            let path = scratch.path + "/rows-\(round)"
            try RowConversion.write(
                training.map { ($0.item, try EngineRow($0.row.bytes[...])) }, role: .training, factors: answer.factors, to: path)
            try RowConversion.write([("answer", try EngineRow(answer.bytes[...]))], role: .answer, factors: answer.factors, to: path + "q")
            let scores = try InfluenceRows(path: path).scores(for: InfluenceRows(path: path + "q"))
            // Neighbours share a scale where there are more tensor rows than a file takes.
            let share = max(1, (count + 4_095) / 4_096)
            let groups = stride(from: 0, to: count, by: share).map { $0..<min($0 + share, count) }
            func numbers(_ row: RowBytes) -> [[Double]] {
                groups.map { $0.flatMap { tensor in row.values[tensor].map { Double(row.scales[tensor]) * Double($0) } } }
            }
            let answers = numbers(answer)
            for (number, entry) in training.enumerated() {
                var (expected, tolerance) = (0.0, 0.01)
                for (own, other) in zip(numbers(entry.row), answers) {
                    // A number is off by half of a 127th of its group's largest, at most.
                    let (a, b) = ((own.map(abs).max() ?? 0) / 254, (other.map(abs).max() ?? 0) / 254)
                    for (x, y) in zip(own, other) {
                        expected += x * y
                        tolerance += abs(x) * b + abs(y) * a + a * b
                    }
                }
                let found = Double(scores.scores[number]) * Double(sign: .plus, exponent: scores.exponent, significand: 1)
                #expect(abs(found - expected) <= tolerance * 1.0001, "seed \(random.seed)")
            }
            #expect(scores.items == training.map(\.item))
        }
    }

    @Test func bytesThatAreNoRowAreRefused() {
        let good = row(1, [1, 2], [3]).bytes
        #expect((try? EngineRow(good[...])) != nil)
        for length in 0..<good.count { #expect(throws: InfluenceRowError.self) { try EngineRow(good[..<length]) } }
        for (place, value) in [(0, 0), (4, 2), (5, 9), (42, 9), (53, 0x7F)] as [(Int, UInt8)] {
            var bad = good
            bad[place] = value
            if place == 53 { bad[52] = 0xC0 }
            #expect(throws: InfluenceRowError.self, "byte \(place)") { try EngineRow(bad[...]) }
        }
    }
}
