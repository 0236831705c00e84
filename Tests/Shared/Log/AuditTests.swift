import Crypto
import EventLog
import Events
import Foundation
import JSON
import TestSupport
import Testing

@Suite struct AuditTests {
    let folder: TemporaryFolder
    let events: [[UInt8]]
    let seed: UInt64

    init() throws {
        folder = try TemporaryFolder("audit")
        var random = Seed.generator("audit")
        seed = random.seed
        events = try AuditFixture.events(1_500, &random)
        try AuditFixture.write(events, to: folder.path, signer: try AuditFixture.signer(), kept: [1, 256, 300, 1_024])
    }

    /// Where an entry's bytes lie in its bundle.
    func place(of position: Int) throws -> (path: String, range: Range<Int>) {
        let tile = try #require(Tile.at(level: 0, index: UInt64(position / 256), size: UInt64(events.count)))
        let bundle = try AuditFixture.get(folder.path, tile.bundlePath)
        return (tile.bundlePath, try #require(EntryBundle.ranges(of: bundle, count: tile.width))[position % 256])
    }

    @Test func `a sound log is found sound, with its kept checkpoints`() async throws {
        let report = try await AuditFixture.audit(folder.path)
        #expect(report.isGood, "\(report.fault?.description ?? "") seed \(seed)")
        #expect(report.progress.done == 1_500)
        #expect(report.progress.bytes == UInt64(events.reduce(0) { $0 + $1.count }))
        #expect(report.kept == [1, 256, 300, 1_024])
        // Six tiles of events, one of their roots.
        #expect(report.tiles == 7)
    }

    @Test(arguments: [0, 1, 2, 255, 256, 257, 511, 512, 600])
    func `a log of any length is found sound`(count: Int) async throws {
        let other = try TemporaryFolder("audit")
        try AuditFixture.write(Array(events.prefix(count)), to: other.path, signer: try AuditFixture.signer())
        let report = try await AuditFixture.audit(other.path)
        #expect(report.isGood, "\(report.fault?.description ?? "")")
        #expect(report.progress.done == UInt64(count))
    }

    @Test func `a flipped bit anywhere in any event is found at its position`() async throws {
        var random = Seed.generator()
        for _ in 0..<25 {
            let position = Int.random(in: 0..<events.count, using: &random)
            let (path, range) = try place(of: position)
            // The two bytes of length before the event are part of what is stored.
            let byte = Int.random(in: range.lowerBound - 2..<range.upperBound, using: &random)
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            try AuditFixture.alter(folder.path, path) { $0[byte] ^= bit }
            let report = try await AuditFixture.audit(folder.path)
            let fault = try #require(report.fault, "byte \(byte) of position \(position), seed \(random.seed)")
            #expect(fault.position == UInt64(position), "\(fault), seed \(random.seed)")
            #expect(fault.kind == .entry || fault.kind == .missing, "\(fault)")
            try AuditFixture.alter(folder.path, path) { $0[byte] ^= bit }
        }
    }

    @Test func `a flipped bit anywhere in a tile is told from one in an event`() async throws {
        var random = Seed.generator()
        for _ in 0..<15 {
            let position = Int.random(in: 0..<events.count, using: &random)
            let tile = try #require(Tile.at(level: 0, index: UInt64(position / 256), size: UInt64(events.count)))
            let byte = position % 256 * 32 + Int.random(in: 0..<32, using: &random)
            try AuditFixture.alter(folder.path, tile.path) { $0[byte] ^= 4 }
            let fault = try #require(try await AuditFixture.audit(folder.path).fault)
            #expect(fault.kind == .tile && fault.position == UInt64(position), "\(fault), seed \(random.seed)")
            try AuditFixture.alter(folder.path, tile.path) { $0[byte] ^= 4 }
        }
    }

    @Test func `a flipped bit in a higher tile is found`() async throws {
        try AuditFixture.alter(folder.path, "tile/1/000.p/5") { $0[2 * 32] ^= 1 }
        let fault = try #require(try await AuditFixture.audit(folder.path).fault)
        #expect(fault.kind == .tile)
        #expect(fault.position == 512 && fault.below == 768)
        #expect(fault.reason.contains("tile/1/000.p/5"))
    }

    @Test func `a swapped pair is found at the first of the two`() async throws {
        var swapped = events
        swapped.swapAt(400, 430)
        let tile = Tile(level: 0, index: 1)
        try AuditFixture.put(EntryBundle.encode(swapped[256..<512]), folder.path, tile.bundlePath)
        let fault = try #require(try await AuditFixture.audit(folder.path).fault)
        #expect(fault.kind == .entry && fault.position == 400)
        #expect(fault.reason.contains("430"))
    }

    @Test func `a removed tail is found, whether the files or the checkpoint tell`() async throws {
        // The last events are gone from the bundle.
        let (path, range) = try place(of: 1_490)
        let whole = try AuditFixture.get(folder.path, path)
        try AuditFixture.put(Array(whole[..<(range.lowerBound - 2)]), folder.path, path)
        #expect(try await AuditFixture.audit(folder.path).fault.map { [$0.kind == .missing, $0.position == 1_490] } == [true, true])
        try AuditFixture.remove(folder.path, path)
        #expect(try await AuditFixture.audit(folder.path).fault?.position == 1_280)
        // The whole log is an older, shorter one that was honestly signed; a kept checkpoint knows better.
        let shorter = try TemporaryFolder("audit")
        try AuditFixture.write(Array(events.prefix(1_000)), to: shorter.path, signer: try AuditFixture.signer())
        #expect(try await AuditFixture.audit(shorter.path).isGood)
        let fault = try #require(try await AuditFixture.audit(shorter.path, kept: [FolderLogSource(folder.path)]).fault)
        #expect(fault.kind == .shrunk && fault.position == 1_000 && fault.below == 1_024)
    }

    @Test func `bytes behind the last event of a bundle are found`() async throws {
        try AuditFixture.alter(folder.path, "tile/entries/002") { $0 += [0, 1, 65] }
        #expect(try await AuditFixture.audit(folder.path).fault?.position == 768)
    }

    @Test func `missing tiles are named by what they stand for`() async throws {
        try AuditFixture.remove(folder.path, "tile/0/003")
        #expect(try await AuditFixture.audit(folder.path).fault?.kind == .missing)
        #expect(try await AuditFixture.audit(folder.path).fault?.position == 768)
    }

    @Test func `an event and its tile altered together is still found where it is`() async throws {
        let (path, range) = try place(of: 700)
        try AuditFixture.alter(folder.path, path) { $0[range.lowerBound + 40] ^= 1 }
        let altered = Array(try AuditFixture.get(folder.path, path)[range])
        try AuditFixture.alter(folder.path, "tile/0/002") { $0.replaceSubrange(188 * 32..<189 * 32, with: Merkle.leaf(altered).bytes) }
        let fault = try #require(try await AuditFixture.audit(folder.path, entries: .anything).fault)
        // The tile above disagrees with both, and leads to the signed root.
        #expect(fault.kind == .both && fault.position == 512 && fault.below == 768, "\(fault)")
    }

    @Test func `a history rewritten with all its tiles shows at the kept checkpoints`() async throws {
        var rewritten = events
        rewritten[700] = rewritten[701]
        rewritten.swapAt(701, 702)
        let other = try TemporaryFolder("audit")
        try AuditFixture.write(rewritten, to: other.path, signer: try AuditFixture.signer())
        // Everything agrees with the old checkpoint's file but the root.
        try AuditFixture.put(try AuditFixture.get(folder.path, "checkpoint"), other.path, "checkpoint")
        let fault = try #require(try await AuditFixture.audit(other.path, entries: .anything).fault)
        #expect(fault.kind == .root && fault.position == 0 && fault.below == 1_500)
        // Even signed anew by the log's own key it does not continue what was kept: narrowed to between two of them.
        try AuditFixture.write(rewritten, to: other.path, signer: try AuditFixture.signer())
        let history = try #require(try await AuditFixture.audit(other.path, kept: [FolderLogSource(folder.path)], entries: .anything).fault)
        #expect(history.kind == .history && history.position == 300 && history.below == 1_024)
    }

    @Test func `an event that is none of ours is found though every hash agrees`() async throws {
        let bad: [(String, ([UInt8]) -> [UInt8])] = [
            ("not canonical", { [UInt8(ascii: " ")] + $0 }),
            ("no JSON", { _ in [1, 2, 3] }),
            ("empty", { _ in [] }),
            (
                "an id of another place",
                {
                    String(decoding: $0, as: UTF8.self).replacing("hold.", with: "hald.").replacing("deposit.", with: "depozit.").utf8.map {
                        $0
                    }
                }
            ),
        ]
        for (what, change) in bad {
            var altered = events
            altered[777] = change(altered[777])
            let other = try TemporaryFolder("audit")
            try AuditFixture.write(altered, to: other.path, signer: try AuditFixture.signer())
            let fault = try #require(try await AuditFixture.audit(other.path).fault, "\(what)")
            #expect(fault.kind == .event && fault.position == 777, "\(what): \(fault)")
        }
    }

    @Test func `an event left out of the middle of an append is found, across tiles too`() async throws {
        var random = Seed.generator()
        let cause = Cause.command(id: "long", digest: SHA256.hash([]))
        let long = try (0..<600).map { ordinal in
            try Event(
                type: "hold.placed", stream: try #require(StreamName("hold/h")), time: Timestamp(microseconds: 1), actor: "a", cause: cause,
                ordinal: ordinal, correlation: "c", data: [:]
            ).encoded()
        }
        let entries = try AuditFixture.events(100, &random) + long + AuditFixture.events(3, &random)
        let other = try TemporaryFolder("audit")
        try AuditFixture.write(entries, to: other.path, signer: try AuditFixture.signer())
        #expect(try await AuditFixture.audit(other.path).fault == nil)
        for gone in [300, 256, 255, 512] {
            var cut = entries
            cut.remove(at: gone)
            try AuditFixture.write(cut, to: other.path, signer: try AuditFixture.signer())
            let fault = try await AuditFixture.audit(other.path).fault
            #expect(fault?.position == UInt64(gone), "\(gone): \(fault?.description ?? "none")")
        }
    }

    @Test func `two services may use one command id one after the other`() async throws {
        func event(_ type: String, _ ordinal: Int) throws -> [UInt8] {
            try Event(
                type: type, stream: try #require(StreamName("s/1")), time: Timestamp(microseconds: 1), actor: "a",
                cause: .command(id: "same", digest: SHA256.hash([])), ordinal: ordinal, correlation: "c", data: [:]
            ).encoded()
        }
        let sound = try [event("hold.placed", 0), event("hold.placed", 1), event("task.opened", 0), event("task.funded", 1)]
        let other = try TemporaryFolder("audit")
        try AuditFixture.write(sound, to: other.path, signer: try AuditFixture.signer())
        #expect(try await AuditFixture.audit(other.path).fault == nil)
        // The same service twice is a command that was carried out twice.
        try AuditFixture.write(try [event("hold.placed", 0), event("hold.captured", 0)], to: other.path, signer: try AuditFixture.signer())
        #expect(try await AuditFixture.audit(other.path).fault?.position == 1)
    }

    @Test func `a checkpoint by another key, of another log or altered is refused`() async throws {
        #expect(try await AuditFixture.audit(folder.path, key: try AuditFixture.signer(8)).fault?.kind == .checkpoint)
        #expect(
            try await AuditFixture.audit(folder.path, key: try AuditFixture.signer(7, name: "other.example/log")).fault?.kind == .checkpoint
        )
        try AuditFixture.alter(folder.path, "checkpoint") { $0[AuditFixture.origin.utf8.count + 1] = UInt8(ascii: "2") }
        #expect(try await AuditFixture.audit(folder.path).fault?.kind == .checkpoint)
        try AuditFixture.put([0xFF, 0xFE], folder.path, "checkpoint")
        await #expect(throws: LogSourceError.self) { try await AuditFixture.audit(folder.path) }
    }

    @Test func `a kept checkpoint that nobody signed is said to be one`() async throws {
        try AuditFixture.alter(folder.path, "checkpoints/300") { $0[AuditFixture.origin.utf8.count + 8] ^= 1 }
        #expect(try await AuditFixture.audit(folder.path).fault?.kind == .keptCheckpoint)
    }

    @Test func `a folder that is no log is said to be none`() async throws {
        let empty = try TemporaryFolder("audit")
        await #expect(throws: LogSourceError.missing(path: "checkpoint", source: empty.path)) { try await AuditFixture.audit(empty.path) }
        await #expect(throws: LogSourceError.self) { try await AuditFixture.audit(empty.path + "/nowhere") }
    }

    @Test func `hostile sizes and lengths do no harm`() async throws {
        let signer = try AuditFixture.signer()
        for size in [UInt64.max, 1 << 62, 1 << 40] {
            let huge = try SignedCheckpoint(signing: Checkpoint(origin: AuditFixture.origin, size: size, root: .zero), by: [signer])
            try AuditFixture.put(Array(huge.note.encoded.utf8), folder.path, "checkpoint")
            let fault = try #require(try await AuditFixture.audit(folder.path).fault)
            #expect(fault.kind == .missing && fault.position == 1_280, "\(fault)")
        }
        try AuditFixture.put([UInt8](repeating: 0, count: 9_000), folder.path, "tile/0/000")
        await #expect(throws: LogSourceError.self) { try await AuditFixture.audit(folder.path) }
    }

    @Test func `progress is told and ends at the whole`() async throws {
        let seen = SeenProgress()
        let trust = try LogTrust(keys: [try AuditFixture.signer().verifier])
        _ = try await LogAudit(FolderLogSource(folder.path), trust: trust).run { seen.add($0.done) }
        #expect(seen.all.last == 1_500)
        #expect(seen.all == seen.all.sorted())
    }
}

/// Collects what a callback is told.
final class SeenProgress: @unchecked Sendable {
    // Guarded by the lock.
    private let lock = NSLock()
    private var values: [UInt64] = []
    func add(_ value: UInt64) { lock.withLock { values.append(value) } }
    var all: [UInt64] { lock.withLock { values } }
}
