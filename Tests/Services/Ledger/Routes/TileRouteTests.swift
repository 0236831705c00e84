import Crypto
import EventLog
import Events
import HTTP
import JSON
import LedgerService
import TestSupport
import Testing

/// Tiles as a stranger reads them: over HTTP, without a token.
private struct PublishedTiles: TileSource {
    let api: LedgerAPI
    func hashes(of tile: Tile) async throws -> [UInt8] {
        let answer = try await api.get("/log/" + tile.path)
        guard answer.status == 200 else { throw TileError(tile: tile, reason: "answered \(answer.status)") }
        return answer.bytes
    }
}

@Suite struct TileRouteTests {
    /// Appends so many events, some at a time.
    private func fill(_ api: LedgerAPI, _ count: Int, from start: Int = 0) async throws -> [[UInt8]] {
        let billing = try api.client(.billing)
        var events: [[UInt8]] = []
        while events.count < count {
            let next = try Sample.command(
                "fill\(start + events.count)", streams: (0..<min(200, count - events.count)).map { "account/\($0 % 7)" })
            _ = try await billing.append(AppendRequest(events: next))
            events += next
        }
        return events
    }

    @Test(arguments: Door.allCases)
    func `a stranger proves every event, and that the log only grew`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            var earlier: SignedCheckpoint?
            var events: [[UInt8]] = []
            for count in [1, 254, 1, 344] {
                let more = try await fill(api, count, from: events.count)
                events += more
                let signed = try await api.checkpoint()
                let checkpoint = signed.checkpoint
                #expect(checkpoint.origin == "test.example/log")
                #expect(checkpoint.size == UInt64(events.count))
                #expect(checkpoint.root == Merkle.root(of: events.map { Merkle.leaf($0) }))
                var tree = TileTree(source: PublishedTiles(api: api), size: checkpoint.size)
                for position in stride(from: 0, to: events.count, by: 37) {
                    let proof = try await tree.inclusionProof(of: UInt64(position))
                    try proof.verify(leaf: Merkle.leaf(events[position]), root: checkpoint.root)
                }
                if let earlier {
                    let proof = try await tree.consistencyProof(from: earlier.checkpoint.size)
                    try proof.verify(oldRoot: earlier.checkpoint.root, newRoot: checkpoint.root)
                }
                earlier = signed
                let bundle = try #require(Tile.at(level: 0, index: UInt64(events.count - 1) / 256, size: checkpoint.size))
                let answer = try await api.get("/log/" + bundle.bundlePath)
                #expect(answer.bytes == EntryBundle.encode(events.suffix(bundle.width)))
            }
        }
    }

    @Test(arguments: Door.allCases)
    func `a bundle of large events comes whole, though in pieces`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let billing = try api.client(.billing)
            var events: [[UInt8]] = []
            for command in 0..<4 {
                let text = JSONValue.string(String(repeating: "x", count: 50_000 + command))
                let next = try Sample.command("large\(command)", streams: (0..<10).map { "account/\($0)" }, data: ["text": text])
                _ = try await billing.append(AppendRequest(events: next))
                events += next
            }
            let answer = try await api.get("/log/tile/entries/000.p/40")
            #expect(answer.status == 200 && answer.bytes == EntryBundle.encode(events))
        }
    }

    @Test(arguments: Door.allCases)
    func `a full tile may be kept for ever, a partial one may not, and both stay`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            _ = try await fill(api, 300)
            for (path, isFull) in [
                ("tile/0/000", true), ("tile/0/000.p/1", false), ("tile/0/000.p/255", false), ("tile/0/001.p/44", false),
                ("tile/0/001.p/7", false), ("tile/1/000.p/1", false), ("tile/entries/000", true), ("tile/entries/001.p/44", false),
                ("tile/entries/000.p/3", false),
            ] {
                let answer = try await api.get("/log/" + path)
                #expect(answer.status == 200, "\(path)")
                #expect(answer.headers["Content-Type"] == "application/octet-stream")
                #expect(answer.headers["Cache-Control"] == (isFull ? "public, max-age=31536000, immutable" : "no-store"), "\(path)")
            }
            let leaves = try await api.get("/log/tile/0/000").bytes
            #expect(leaves.count == 8_192)
            #expect(try await api.get("/log/tile/0/000.p/5").bytes == Array(leaves.prefix(5 * 32)))
            let root = Merkle.root(of: try stride(from: 0, to: 8_192, by: 32).map { try #require(Digest(leaves[$0..<$0 + 32])) })
            #expect(try await api.get("/log/tile/1/000.p/1").bytes == root.bytes)
            for path in ["checkpoint", "v1/keys", "v1/proofs/inclusion?position=0"] {
                let answer = try await api.get("/log/" + path)
                #expect(answer.status == 200 && answer.headers["Cache-Control"] != "public, max-age=31536000, immutable", "\(path)")
            }
        }
    }

    @Test(arguments: Door.allCases)
    func `a tile that the log does not reach, or that is not written so, is 404`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            #expect(try await api.get("/log/tile/0/000.p/1").status == 404)
            _ = try await fill(api, 258)
            for path in [
                "0/001", "0/001.p/3", "0/002", "0/002.p/1", "1/000", "1/000.p/2", "1/001.p/1", "2/000.p/1", "7/000.p/1", "8/000.p/1",
                "63/000.p/1",
                "0/0", "0/0000", "0/x000/000", "0/000.p/0", "0/000.p/256", "0/000.p/01", "0/000.p/-1", "0/000.p/", "0/000.p", "0/000/",
                "0/x000",
                "0/-01", "0/00a", "0/000.q/1", "0/000.p/1/2",
                // 2^56 and more, whose first leaf's position overflows.
                "0/x072/x057/x594/x037/x927/936", "0/x072/x057/x594/x037/x927/936.p/1", "0/x999/x999/x999/x999/x999/999.p/1",
                "0/x001/x000/x000/x000/x000/x000/000", "1/x072/x057/x594/x037/x927/936.p/1",
            ] {
                for prefix in ["/log/tile/", "/log/tile/entries/"] {
                    let place = prefix == "/log/tile/" ? path : String(path.drop { $0 != "/" }.dropFirst())
                    let reaches = ["001.p/1", "000", "000.p/1", "000.p/2"].contains(place)
                    if prefix != "/log/tile/", reaches { continue }
                    let answer = try await api.get(prefix + place)
                    #expect(answer.status == 404 || (answer.status == 400 && place.hasSuffix("/")), "\(prefix + place): \(answer.status)")
                }
            }
            for level in ["64", "-1", "x", "00"] {
                #expect([400, 404].contains(try await api.get("/log/tile/\(level)/000").status), "\(level)")
            }
        }
    }

    @Test(arguments: Door.allCases)
    func `a proof file verifies with nothing but the key`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let events = try await fill(api, 300)
            _ = try await api.checkpoint()
            let keys = try await api.get("/log/v1/keys").text.split(separator: "\n").map { try VerifierKey(vkey: String($0)) }
            #expect(keys == api.ledger.verifierKeys)
            for position in [0, 1, 255, 256, 299] {
                let answer = try await api.get("/log/v1/events/\(position)/proof")
                #expect(answer.headers["Content-Disposition"] == "attachment; filename=\"\(position).tlog-proof\"")
                let proof = try TlogProof(parsing: answer.text)
                #expect(proof.extra == events[position] && proof.index == UInt64(position))
                #expect(try proof.verify(keys: keys).checkpoint.size == 300)
                #expect(throws: ProofError.self) { try proof.verify(entry: events[(position + 1) % 300], keys: keys) }
                let stranger = try #require(
                    VerifierKey(name: "test.example/log", publicKey: try Ed25519PrivateKey.generate().publicKey.rawBytes))
                #expect(throws: NoteError.self) { try proof.verify(keys: [stranger]) }
            }
            for path in ["events/300/proof", "events/999999999999/proof"] { #expect(try await api.get("/log/v1/" + path).status == 404) }
        }
    }

    @Test(arguments: Door.allCases)
    func `inclusion and consistency are proved between any two sizes`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let events = try await fill(api, 270)
            let checkpoint = try await api.checkpoint().checkpoint
            let leaves = events.map { Merkle.leaf($0) }
            func digests(_ value: JSONValue?) throws -> [Digest] {
                try #require(value?.arrayValue).map { try #require(Digest(prefixed: $0.stringValue ?? "")) }
            }
            var random = Seed.generator()
            for _ in 0..<25 {
                let size = Int.random(in: 1...270, using: &random), position = Int.random(in: 0..<size, using: &random)
                let answer = try await api.get("/log/v1/proofs/inclusion?position=\(position)&size=\(size)")
                let root = Merkle.root(of: Array(leaves.prefix(size)))
                #expect(answer.json["root"]?.stringValue == root.prefixed)
                try InclusionProof(index: UInt64(position), size: UInt64(size), hashes: try digests(answer.json["hashes"]))
                    .verify(leaf: leaves[position], root: root)
                let from = Int.random(in: 0...size, using: &random)
                let grown = try await api.get("/log/v1/proofs/consistency?from=\(from)&to=\(size)")
                try ConsistencyProof(oldSize: UInt64(from), newSize: UInt64(size), hashes: try digests(grown.json["hashes"]))
                    .verify(oldRoot: Merkle.root(of: Array(leaves.prefix(from))), newRoot: root)
            }
            let newest = try await api.get("/log/v1/proofs/inclusion?position=269")
            #expect(newest.json["root"]?.stringValue == checkpoint.root.prefixed && newest.json["size"] == 270)
            for path in [
                "inclusion?position=270", "inclusion?position=5&size=5", "inclusion?position=0&size=271", "inclusion?position=0&size=0",
                "consistency?from=271", "consistency?from=6&to=5", "consistency?from=0&to=271",
            ] { #expect(try await api.get("/log/v1/proofs/" + path).status == 404, "\(path)") }
            for path in ["inclusion", "inclusion?position=-1", "inclusion?position=0&size=x", "consistency", "consistency?to=3"] {
                #expect(try await api.get("/log/v1/proofs/" + path).status == 400, "\(path)")
            }
        }
    }

    @Test(arguments: Door.allCases)
    func `the state of the log is told, and whether it is ready`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            _ = try await fill(api, 3)
            _ = try await api.checkpoint()
            let status = try await api.get("/log/v1/status", token: try api.token(.datanet)).json
            #expect(
                status["origin"] == "test.example/log" && status["size"] == 3 && status["leading"] == true && status["checkpoint_size"] == 3
            )
            #expect(status["keys"]?.arrayValue?.map(\.stringValue) == api.ledger.verifierKeys.map(\.description))
            #expect(try await api.get("/healthz").status == 200)
            #expect(try await api.get("/readyz").status == 200)
            #expect(try await api.get("/log/v1/cosigned-checkpoint").status == 404)
        }
    }

    @Test func `an append comes under a signed checkpoint by itself`() async throws {
        try await withLedgerAPI(.inProcess) { api in
            _ = try await fill(api, 1)
            for index in 0..<5 {
                let appended = try await api.client(.billing).append(try Sample.append("late\(index)"))
                try await eventually(every: .milliseconds(5)) {
                    try SignedCheckpoint(unverified: try await api.get("/log/checkpoint").text).checkpoint.size >= appended.end
                }
            }
        }
    }
}
