import Crypto
import Engine
import Events
import HTTPClient
import JSON
import ServiceShell
import Testing

@testable import RunnerService

/// What an artefact of attribution rows says of itself.
@Suite struct RowTableTests {
    private let example = TrainingExample(tokens: [1, 2])

    private func rows(_ count: Int) -> [JobRows.Row] {
        (0..<count).map {
            JobRows.Row(item: "it_0190a3b4c5d6e7f8_\($0)", owner: "principal-\($0 % 7)", datanet: "dn_0190a3b4c5d6", example: example)
        }
    }

    private func table(_ rows: [JobRows.Row], change: (inout [[(String, JSONValue)]]) -> Void = { _ in }) throws -> RowTable {
        var entries: [[(String, JSONValue)]] = rows.map {
            [("datanet", .string($0.datanet)), ("item", .string($0.item)), ("owner", .string($0.owner))]
        }
        entries += (0..<32).map { [("item", .string(AttributionRows.canary($0)))] }
        for place in entries.indices { entries[place] += [("length", 10), ("offset", .count(place * 10))] }
        change(&entries)
        let bytes = JSON.write([
            "checkpoints": 2, "factors": .string(SHA256.hash(utf8: "f").prefixed),
            "rows": .array(entries.map { .object(JSONObject($0)) }),
        ])
        return try RowTable(bytes, rowBytes: entries.count * 10)
    }

    @Test func aSnapshotOfTwentyThousandRowsIsReadAndHeldAgainstThem() throws {
        let rows = rows(20_000), table = try table(rows)
        #expect(table.points == 2 && table.entries.count == 20_032 && table.entries.last?.place == 200_310..<200_320)
        try table.require(rows)
    }

    @Test func rowsThatNobodyLearnedFromAreRefused() throws {
        let rows = rows(3)
        try table(rows).require(rows)
        let mine: [(String, JSONValue)] = [("item", .string(rows[0].item))]
        let changes: [(inout [[(String, JSONValue)]]) -> Void] = [
            // One more, under the name of an item, and in place of a canary.
            { $0.append(mine + [("length", 10), ("offset", .count($0.count * 10))]) },
            { $0[34] = mine + [("length", 10), ("offset", 340)] },
            { $0.swapAt(5, 6) }, { $0.removeLast() }, { $0[1][2].1 = "another" }, { $0[1][0].1 = "dn_2" },
            // A canary that is somebody's, and bytes that two rows share.
            { $0[10].append(("owner", "another")) }, { $0[4][2].1 = 30 },
        ]
        for change in changes { #expect(throws: (any Error).self) { try table(rows, change: change).require(rows) } }
    }

    @Test func whatLiesInTheLookerSaysNothingOfTheWork() {
        let own: [any Error] = [
            EngineError.outOfMemory(needed: 2, limit: 1, what: "rows"), EngineError.unavailable("x"), EngineError.file("x"),
            EngineError.cancelled, RunnerError.tooLarge(needed: 2, limit: 1, fits: []), RunnerError.lost, RunnerError.noRows,
            CancellationError(),
            FormatError(.system, file: "f", "can't be read"), FormatError(.tooLarge, file: "f", "is large"),
            HTTPClientError.transport(code: 0, text: "cut off", sent: true), PeerError(.training, 413, []),
        ]
        for error in own { #expect(!JobFault.isOfTheWork(error), "\(error)") }
        #expect(throws: JSONError.self) { try JSON.parse(Array("[1,2]".utf8), limits: JSONLimits(bytes: 2)) }
        do { _ = try JSON.parse(Array("[1,2]".utf8), limits: JSONLimits(bytes: 2)) } catch { #expect(!JobFault.isOfTheWork(error)) }
        do { _ = try JSON.parse(Array("[1,".utf8)) } catch { #expect(JobFault.isOfTheWork(error)) }
        #expect(JobFault.isOfTheWork(EngineError.badWeights("x")) && JobFault.isOfTheWork(FormatError(.malformed, file: "f", "is torn")))
    }

    @Test func factorsAreCutAndJoined() throws {
        let bytes = (0..<25).map { UInt8($0) }
        let pieces = FactorFiles.pieces(bytes, largest: 10)
        #expect(pieces.map(\.0) == ["factors.safetensors", "factors-1.safetensors", "factors-2.safetensors"])
        #expect(pieces.flatMap(\.1) == bytes && FactorFiles.pieces([]).count == 1)
    }
}
