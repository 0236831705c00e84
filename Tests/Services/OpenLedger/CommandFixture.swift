import Crypto
import EventLog
import Events
import Foundation
import JSON
import Synchronization
import TestSupport
import Testing
import Threads

@testable import openledger

/// What a command wrote, line by line.
final class Written: Sendable {
    private let lines = Lock<(out: [String], err: [String])>(([], []))

    var console: Console {
        Console(
            out: { line in self.lines.withLock { $0.out.append(line) } }, err: { line in self.lines.withLock { $0.err.append(line) } },
            redraw: nil)
    }
    var out: String { lines.withLock { $0.out.joined(separator: "\n") } }
    var err: String { lines.withLock { $0.err.joined(separator: "\n") } }
}

/// A log of events in a folder.
struct CommandLog {
    static let origin = "log.example/commands"
    let folder: TemporaryFolder
    let signer: NoteSigner
    let events: [[UInt8]]

    init(_ count: Int = 600) throws {
        folder = try TemporaryFolder("commands")
        signer = try #require(NoteSigner(name: Self.origin, key: try Ed25519PrivateKey(seed: [UInt8](repeating: 11, count: 32))))
        events = try (0..<1_000).map { number in
            try Event(
                type: "hold.placed", stream: try #require(StreamName("account/\(number % 7)")),
                time: Timestamp(microseconds: Int64(number)),
                actor: "alice", cause: .command(id: "c\(number)", digest: SHA256.hash([])), ordinal: 0, correlation: "t",
                data: ["number": .int(Int64(number))]
            ).encoded()
        }
        try write(count)
    }

    /// The log as it stands after so many events, possibly of another history.
    func write(_ count: Int, of other: [[UInt8]]? = nil) throws {
        let entries = Array((other ?? events).prefix(count))
        var builder = TileBuilder()
        for entry in entries { builder.append(Merkle.leaf(entry)) }
        for tile in builder.takeCompleted() { try put(tile.hashes, tile.tile.path) }
        for (tile, hashes) in builder.partialTiles { try put(hashes, tile.path) }
        for start in stride(from: 0, to: count, by: 256) {
            let tile = try #require(Tile.at(level: 0, index: UInt64(start / 256), size: UInt64(count)))
            try put(EntryBundle.encode(entries[start..<min(start + 256, count)]), tile.bundlePath)
        }
        try put(Array(try note(count, of: other).utf8), "checkpoint")
        try put(Array("\(signer.verifier)\n".utf8), "keys")
    }

    func note(_ count: Int, of other: [[UInt8]]? = nil, by key: NoteSigner? = nil, origin: String = origin) throws -> String {
        let root = Merkle.root(of: (other ?? events).prefix(count).map { Merkle.leaf($0) })
        let checkpoint = Checkpoint(origin: origin, size: UInt64(count), root: root)
        return try SignedCheckpoint(signing: checkpoint, by: [key ?? signer]).note.encoded
    }

    func put(_ bytes: [UInt8], _ path: String) throws {
        let url = folder.url.appendingPathComponent(path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    /// A proof file of an event.
    func proof(_ position: Int, of count: Int = 600, extra: Bool = true) async throws -> String {
        var tree = TileTree(source: FolderLogSource(folder.path), size: UInt64(count))
        let hashes = try await tree.inclusionProof(of: UInt64(position)).hashes
        return TlogProof(extra: extra ? events[position] : nil, index: UInt64(position), hashes: hashes, checkpoint: try note(count))
            .encoded
    }
}
