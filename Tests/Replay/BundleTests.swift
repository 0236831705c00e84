import Crypto
import DatanetDomain
import Decisions
import EventLog
import Events
import Foundation
import JSON
import Replay
import Synchronization
import TestSupport
import Testing
import Threads

@testable import openledger

/// The whole audit of bundles in folders: exported, altered, resumed; and what its command says.
@Suite struct BundleTests {
    static let origin = "log.example/story"
    let folder: TemporaryFolder
    let signer: NoteSigner
    let story: WholeStory

    init() async throws {
        folder = try TemporaryFolder("bundle")
        signer = try #require(NoteSigner(name: Self.origin, key: try Ed25519PrivateKey(seed: [UInt8](repeating: 5, count: 32))))
        story = try await WholeStory.told()
    }

    // MARK: Making

    private func put(_ bytes: [UInt8], _ path: String) throws {
        let url = URL(fileURLWithPath: folder.path + "/" + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    /// Writes a log with its evidence under a folder.
    private func write(_ name: String, _ events: [[UInt8]], _ evidence: [Digest: [UInt8]], by signer: NoteSigner? = nil) throws {
        var builder = TileBuilder()
        for event in events { builder.append(Merkle.leaf(event)) }
        for tile in builder.takeCompleted() { try put(tile.hashes, "\(name)/\(tile.tile.path)") }
        for (tile, hashes) in builder.partialTiles { try put(hashes, "\(name)/\(tile.path)") }
        for start in stride(from: 0, to: events.count, by: 256) {
            let tile = try #require(Tile.at(level: 0, index: UInt64(start / 256), size: UInt64(events.count)))
            try put(EntryBundle.encode(events[start..<min(start + 256, events.count)]), "\(name)/\(tile.bundlePath)")
        }
        let checkpoint = Checkpoint(origin: Self.origin, size: builder.size, root: builder.root)
        try put(Array(try SignedCheckpoint(signing: checkpoint, by: [signer ?? self.signer]).note.encoded.utf8), "\(name)/checkpoint")
        try put(Array("\(self.signer.verifier)\n".utf8), "\(name)/keys")
        for (digest, bytes) in evidence { try put(bytes, "\(name)/\(EvidencePath.of(digest))") }
    }

    private final class Said: Sendable {
        let text = Lock("")
        var console: Console {
            Console(
                out: { line in self.text.withLock { $0 += line + "\n" } }, err: { line in self.text.withLock { $0 += line + "\n" } },
                redraw: nil)
        }
        var all: String { text.withLock { $0 } }
    }

    private func audit(_ words: String...) async -> (status: Int32, said: String) {
        let said = Said()
        return (await AuditCommand.run(words, console: said.console), said.all)
    }

    private func exported(_ name: String = "bundle") async throws -> String {
        try write("log", story.events, story.evidence)
        let said = Said()
        #expect(await ExportCommand.run([folder.path + "/log", folder.path + "/" + name], console: said.console) == 0, "\(said.all)")
        #expect(said.all.contains("evidence \(story.evidence.count) new documents"), "\(said.all)")
        return folder.path + "/" + name
    }

    // MARK: Good bundles

    @Test func `an exported bundle is enough to decide everything again`() async throws {
        let bundle = try await exported()
        let (status, said) = await audit(bundle, "--key", signer.verifier.description)
        #expect(status == 0 && said.contains("every decision on it is what the rules make"), "\(said)")
        #expect(said.contains("settlements") && said.contains("not checked, and why:"))
        let (_, json) = await audit(bundle, "--json")
        let report = try JSON.parse(json)
        #expect(report["sound"] == true && report["replay"]?["faults"]?.arrayValue?.isEmpty == true)
        #expect(report["replay"]?["services"]?.arrayValue?.count == 8)
        let gaps = (report["replay"]?["services"]?.arrayValue ?? []).flatMap { $0["not_checked"]?.arrayValue ?? [] }
        #expect(gaps.contains { $0["what"] == "content of whole owners that was erased" && $0["count"] == 2 }, "erased content is named")
    }

    @Test func `an export without evidence says so when it is audited, and one that was broken off goes on`() async throws {
        try write("log", story.events, story.evidence)
        let bundle = folder.path + "/bare"
        let said = Said()
        #expect(await ExportCommand.run(["--log-only", folder.path + "/log", bundle], console: said.console) == 0)
        let (status, text) = await audit(bundle)
        #expect(status == 1 && text.contains("is not there"))
        #expect(await audit("--log-only", bundle).status == 0)
        #expect(await audit(bundle, "--evidence", folder.path + "/log").status == 0)
        #expect(await ExportCommand.run([folder.path + "/log", bundle], console: said.console) == 0)
        #expect(await audit(bundle).status == 0)
    }

    @Test func `an audit goes on from where it had come to, and not on another history`() async throws {
        let bundle = try await exported()
        let memory = folder.path + "/memory"
        #expect(await audit(bundle, "--resume", memory).status == 0)
        let (status, said) = await audit(bundle, "--resume", memory)
        #expect(status == 0 && said.contains("by an earlier run"), "\(said)")
        let other = try JSON.canonical([
            "origin": .string(Self.origin), "root": .digest(SHA256.hash(utf8: "other")), "size": 40,
        ])
        try put(other, "memory")
        #expect(await audit(bundle, "--resume", memory).status == 1)
        try put(Array("nonsense".utf8), "memory")
        #expect(await audit(bundle, "--resume", memory).status == 2)
    }

    // MARK: Bad ones

    /// What is done to the files of a good bundle, and what the report has to name.
    static let damages: [(name: String, names: String, damage: @Sendable (String) throws -> Void)] = [
        ("a bit of an event", "position 10", { try flip($0, bundle: 0, entry: 10) }),
        ("two events swapped", "position 20", { try swap($0, 20, 21) }),
        ("events cut off", "THE LOG IS BAD", { try cut($0) }),
        ("a hash of a tile", "tile", { try flipFile($0 + "/" + partialTile($0), at: 40) }),
        ("the checkpoint's root", "checkpoint", { try flipFile($0 + "/checkpoint", at: 30) }),
        ("a document of evidence, altered", "another hash", { try flipFile($0 + "/" + document($0, 3), at: 5) }),
        ("a document of evidence, removed", "is not there", { try FileManager.default.removeItem(atPath: $0 + "/" + document($0, 5)) }),
        (
            "a document in another's place", "another hash",
            { folder in
                let files = documents(folder)
                try Data(contentsOf: URL(fileURLWithPath: folder + "/" + files[1])).write(to: URL(fileURLWithPath: folder + "/" + files[2]))
            }
        ),
    ]

    @Test(arguments: 0..<8) func `damage to the files is found`(number: Int) async throws {
        let bundle = try await exported("bundle-\(number)")
        let (name, names, damage) = Self.damages[number]
        try damage(bundle)
        let (status, said) = await audit(bundle)
        #expect(status == 1 && said.contains("THE LOG IS BAD"), "\(name): \(said)")
        #expect(said.contains(names), "\(name): \(said)")
    }

    /// One of each service's, through the whole command: hashes, signatures and all.
    @Test(arguments: Tampering.all(ofEach: 1)) func `an operator who signs an altered history is found by what the rules make`(
        tampering: Tampering
    ) async throws {
        var log = try TamperedLog(story)
        let place = try tampering.plant(&log)
        let other = try #require(NoteSigner(name: Self.origin, key: try Ed25519PrivateKey(seed: [UInt8](repeating: 6, count: 32))))
        try write("altered", try log.encoded(), log.evidence, by: other)
        let (status, said) = await audit(folder.path + "/altered", "--key", other.verifier.description)
        let named = Set([place, log.decision(of: place)]).map { "position \($0), \(tampering.service.rawValue), \(log.entries[$0].type)" }
        #expect(status == 1 && named.contains { said.contains($0) }, "\(named): \(said)")
        #expect(!said.contains("altered and"), "every hash of it is right")
        #expect(await audit("--log-only", folder.path + "/altered", "--key", other.verifier.description).status == 0)
        // The key that everybody knows did not sign it.
        #expect(await audit(folder.path + "/altered", "--key", signer.verifier.description).status == 1)
    }
}

// MARK: Files

private func partialTile(_ folder: String) throws -> String {
    let path = "tile/0"
    let all = FileManager.default.enumerator(atPath: folder + "/" + path)?.compactMap { $0 as? String } ?? []
    let file = try #require(
        all.first { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: "\(folder)/\(path)/\(name)", isDirectory: &isFolder) && !isFolder.boolValue
        })
    return "\(path)/\(file)"
}

private func documents(_ folder: String) -> [String] {
    (FileManager.default.enumerator(atPath: folder + "/evidence")?.compactMap { $0 as? String } ?? [])
        .filter { $0.count > 60 }.sorted().map { "evidence/" + $0 }
}

private func document(_ folder: String, _ number: Int) -> String { documents(folder)[number] }

private func flipFile(_ path: String, at offset: Int) throws {
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    bytes[offset] ^= 1
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}

private func bundleFile(_ folder: String) throws -> String {
    let base = folder + "/tile/entries"
    let full = base + "/000"
    if FileManager.default.fileExists(atPath: full) { return full }
    let width = try #require(try FileManager.default.contentsOfDirectory(atPath: base + "/000.p").first)
    return base + "/000.p/" + width
}

private func rewriteEntries(_ folder: String, _ change: (inout [[UInt8]]) -> Void) throws {
    let path = try bundleFile(folder)
    let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    var entries: [[UInt8]] = []
    var at = 0
    while at + 2 <= bytes.count {
        let count = Int(bytes[at]) << 8 + Int(bytes[at + 1])
        entries.append(Array(bytes[at + 2..<at + 2 + count]))
        at += 2 + count
    }
    change(&entries)
    try Data(EntryBundle.encode(entries[...])).write(to: URL(fileURLWithPath: path))
}

private func flip(_ folder: String, bundle: Int, entry: Int) throws { try rewriteEntries(folder) { $0[entry][30] ^= 1 } }
private func swap(_ folder: String, _ one: Int, _ two: Int) throws { try rewriteEntries(folder) { $0.swapAt(one, two) } }
private func cut(_ folder: String) throws { try rewriteEntries(folder) { $0.removeLast(3) } }
