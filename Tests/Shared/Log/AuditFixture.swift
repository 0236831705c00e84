import Crypto
import EventLog
import Events
import Foundation
import JSON
import TestSupport
import Testing

/// Logs to audit: made in memory, written as bundles, then altered.
enum AuditFixture {
    static let origin = "log.example/audited"

    static func signer(_ seed: UInt8 = 7, name: String = origin, type: NoteSignatureType = .ed25519) throws -> NoteSigner {
        try #require(NoteSigner(name: name, type: type, key: try Ed25519PrivateKey(seed: Array(repeating: seed, count: 32))))
    }

    /// Events of appends with one to six events each, by commands and as reactions, with texts of all kinds.
    static func events(_ count: Int, _ random: inout SeededGenerator) throws -> [[UInt8]] {
        var events: [[UInt8]] = []
        var lastID: EventID?
        var append = 0
        while events.count < count {
            append += 1
            let cause: Cause =
                if let lastID, random.chance(0.3) { .event(id: lastID) } else {
                    .command(id: "command-\(append)", digest: SHA256.hash(utf8: "body \(append)"))
                }
            let type = ["hold.placed", "hold.captured", "deposit.received"].randomElement(using: &random) ?? "hold.placed"
            for ordinal in 0..<min(Int.random(in: 1...6, using: &random), count - events.count) {
                let event = Event(
                    type: type, stream: try #require(StreamName("account/a\(append % 17)")),
                    time: Timestamp(microseconds: 1_763_700_000_000_000 + Int64(append) * 1_000),
                    actor: append % 5 == 0 ? "bob \"B\"" : "alice",
                    cause: cause, ordinal: ordinal, correlation: "0af7651916cd43dd8448eb211c80319c",
                    data: [
                        "amount": .string("\(append)"), "note": .string(String(repeating: "é\\,}\"", count: append % 9)),
                        "parts": .array((0..<append % 4).map { ["n": .int(Int64($0))] }),
                    ])
                events.append(try event.encoded())
                lastID = event.id
            }
        }
        return events
    }

    /// Writes a whole bundle.
    /// - Parameter kept: sizes at which checkpoints are kept beside the final one.
    static func write(
        _ entries: [[UInt8]], to folder: String, signer: NoteSigner, kept: [Int] = [], cosigners: [NoteSigner] = [], pinned: Bool = true
    ) throws {
        var builder = TileBuilder()
        func note() throws -> String {
            let checkpoint = Checkpoint(origin: origin, size: builder.size, root: builder.root)
            var signed = try SignedCheckpoint(signing: checkpoint, by: [signer])
            for cosigner in cosigners { signed.add(try cosigner.sign(signed.note.text, time: 1_763_700_000)) }
            return signed.note.encoded
        }
        for (position, entry) in entries.enumerated() {
            builder.append(Merkle.leaf(entry))
            if kept.contains(position + 1) { try put(Array(try note().utf8), folder, "checkpoints/\(position + 1)") }
        }
        for tile in builder.takeCompleted() { try put(tile.hashes, folder, tile.tile.path) }
        for (tile, hashes) in builder.partialTiles { try put(hashes, folder, tile.path) }
        for start in stride(from: 0, to: entries.count, by: 256) {
            let tile = try #require(Tile.at(level: 0, index: UInt64(start / 256), size: UInt64(entries.count)))
            try put(EntryBundle.encode(entries[start..<min(start + 256, entries.count)]), folder, tile.bundlePath)
        }
        try put(Array(try note().utf8), folder, "checkpoint")
        if pinned { try put(Array("\(signer.verifier)\n".utf8), folder, "keys") }
    }

    static func put(_ bytes: [UInt8], _ folder: String, _ path: String) throws {
        let url = URL(fileURLWithPath: folder + "/" + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    static func get(_ folder: String, _ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + path)))
    }

    /// Alters a file in place.
    static func alter(_ folder: String, _ path: String, _ change: (inout [UInt8]) throws -> Void) throws {
        var bytes = try get(folder, path)
        try change(&bytes)
        try put(bytes, folder, path)
    }

    static func remove(_ folder: String, _ path: String) throws { try FileManager.default.removeItem(atPath: folder + "/" + path) }

    static func audit(_ folder: String, key: NoteSigner? = nil, kept: [any LogSource] = [], entries: EntryRule = .events) async throws
        -> AuditReport
    {
        let trust = try LogTrust(keys: [try (key ?? signer()).verifier])
        return try await LogAudit(FolderLogSource(folder), trust: trust, entries: entries, kept: kept).run()
    }
}
