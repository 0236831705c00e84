import Crypto
import EventLog
import Events
import JSON
import Postgres
import TestSupport
import Testing

/// The whole log, read and judged from outside: by what callers were told, by the hashes, and by what was signed.
struct LogCheck {
    let events: [LoggedEvent]
    let headers: [EventHeader]
    /// By command: where its events stand.
    let positions: [String: [UInt64]]

    /// Reads a log to its end and checks all that must hold of any log.
    init(_ ledger: LedgerProcess) async throws {
        let client = ledger.client()
        var events: [LoggedEvent] = []
        let size = try await ledger.status().size
        while events.count < Int(size) {
            let batch = try await client.read(from: UInt64(events.count), limit: 4_096, wait: nil)
            try #require(!batch.events.isEmpty, "the log of \(size) ends at \(events.count)")
            events += batch.events
        }
        self.events = events
        headers = try events.map { try EventHeader(parsing: $0.bytes) }
        var positions: [String: [UInt64]] = [:]
        var versions: [StreamName: UInt64] = [:]
        var ids: Set<EventID> = []
        for (index, (event, header)) in zip(events, headers).enumerated() {
            #expect(event.position == UInt64(index), "positions are dense")
            #expect(event.version == versions[header.stream, default: 0], "versions of \(header.stream) are dense")
            versions[header.stream, default: 0] += 1
            #expect(ids.insert(header.id).inserted, "event \(header.id) is there once")
            positions[header.cause.id, default: []].append(event.position)
        }
        self.positions = positions
    }

    /// Everything that callers were told is so, and nothing is there that nobody asked for.
    func expect(_ loads: Load..., sourceLocation: SourceLocation = #_sourceLocation) {
        var acknowledged: [String: Appended] = [:]
        var abandoned: Set<String> = []
        for load in loads {
            acknowledged.merge(load.acknowledged) { first, _ in first }
            abandoned.formUnion(load.abandoned)
        }
        var wrong: [String] = []
        for (command, appended) in acknowledged {
            let expected = appended.entries.indices.map { appended.position + UInt64($0) }
            guard positions[command] == expected else {
                wrong.append("\(command) was told \(expected) and stands at \(positions[command] ?? [])")
                continue
            }
            for (offset, entry) in appended.entries.enumerated() {
                let place = Int(appended.position) + offset
                if headers[place].id != entry.id || headers[place].stream != entry.stream || events[place].version != entry.version {
                    wrong.append("\(command) was told \(entry), and \(place) has \(headers[place].id)")
                }
            }
        }
        #expect(wrong.isEmpty, "acknowledged events are there, once, where it was said: \(wrong.prefix(5))", sourceLocation: sourceLocation)
        let unknown = positions.keys.filter { acknowledged[$0] == nil && !abandoned.contains($0) && !$0.hasPrefix("other-") }
        #expect(unknown.isEmpty, "nobody asked for \(unknown.prefix(5))", sourceLocation: sourceLocation)
    }

    /// Every checkpoint ever kept is signed and is of this log at its size; the newest is served and covers all; tiles
    /// and a proof lead to the same root.
    func expectTree(_ ledger: LedgerProcess) async throws {
        let house = ledger.house
        // The next checkpoint may be as much as a second away; much more is a checkpointer that is stuck.
        try await eventually("a checkpoint over \(events.count) events", timeout: .seconds(10)) {
            let answer = try await ledger.ask("GET", "/log/checkpoint", token: "")
            return try SignedCheckpoint(parsing: answer.text, keys: [house.verifier]).checkpoint.size == UInt64(events.count)
        }
        var range = CompactRange()
        var roots = [range.root]
        for event in events {
            range.append(Merkle.leaf(event.bytes))
            roots.append(range.root)
        }
        let served = try await ledger.ask("GET", "/log/checkpoint", token: "").text
        #expect(try SignedCheckpoint(parsing: served, keys: [house.verifier]).checkpoint.root == range.root)

        let kept = try await house.withOwner { owner in
            try await owner.execute("select number, size, note from ledger.checkpoints order by number").map { row in
                (number: try row.int(0), size: try row.int(1), note: try row.text(2))
            }
        }
        var last = 0
        for (index, row) in kept.enumerated() {
            let checkpoint = try SignedCheckpoint(parsing: row.note, keys: [house.verifier]).checkpoint
            #expect(row.number == Int64(index + 1), "checkpoints are numbered without a gap")
            #expect(checkpoint.size == UInt64(row.size) && Int(row.size) >= last, "checkpoints never shrink")
            try #require(checkpoint.size < UInt64(roots.count), "checkpoint \(row.number) is over events that are gone")
            #expect(checkpoint.root == roots[Int(checkpoint.size)], "checkpoint \(row.number) is of this log")
            last = Int(row.size)
        }

        // The tiles as a stranger reads them.
        var leaves: [UInt8] = []
        for index in stride(from: 0, to: events.count, by: Tile.fullWidth) {
            let tile = try #require(Tile.at(level: 0, index: UInt64(index / Tile.fullWidth), size: UInt64(events.count)))
            let answer = try await ledger.ask("GET", "/log/" + tile.path, token: "")
            #expect(answer.status == 200)
            leaves += answer.bytes
        }
        #expect(leaves == events.flatMap { Merkle.leaf($0.bytes).bytes }, "level 0 has every leaf")
        let source = ServedTiles(ledger: ledger)
        var tree = TileTree(source: source, size: UInt64(events.count))
        #expect(try await tree.root() == range.root, "the tiles lead to the root")
        if let middle = kept.dropLast().last(where: { $0.size > 0 && $0.size < events.count }) {
            let proof = try await tree.consistencyProof(from: UInt64(middle.size))
            try proof.verify(oldRoot: roots[Int(middle.size)], newRoot: range.root)
        }
    }

    /// The terms of all leaders: each with a higher number than the one before, and later. A server that crashed may leave numbers out.
    static func expectTerms(_ house: House) async throws -> [(term: Int64, holder: String)] {
        let terms = try await house.withOwner { owner in
            try await owner.execute("select term, holder, started from ledger.terms order by term").map { row in
                (term: try row.int(0), holder: try row.text(1), started: try row.timestamp(2))
            }
        }
        for (index, row) in terms.enumerated() {
            if index > 0 { #expect(row.term > terms[index - 1].term && row.started > terms[index - 1].started) }
        }
        return terms.map { ($0.term, $0.holder) }
    }
}

/// Tiles by HTTP.
struct ServedTiles: TileSource {
    let ledger: LedgerProcess

    func hashes(of tile: Tile) async throws -> [UInt8] {
        let answer = try await ledger.ask("GET", "/log/" + tile.path, token: "")
        guard answer.status == 200 else { throw Unfit("\(tile.path): \(answer)") }
        return answer.bytes
    }
}
