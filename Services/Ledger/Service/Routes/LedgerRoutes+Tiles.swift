internal import EventLog
internal import HTTP
internal import Web

/// The log as C2SP tlog-tiles and checkpoint: open to everybody, since what lies here is meant to be verified by strangers
/// and holds no content and no personal data.
extension LedgerRoutes {
    var tileRoutes: [Route] { [checkpoint, cosigned, verifierKeys, rotations, entries, tile] }

    private var checkpoint: Route {
        Route(
            .get, "/log/checkpoint", operation: "checkpoint", summary: "The newest signed checkpoint (C2SP tlog-checkpoint).",
            access: .public, replies: [.content(200, "A signed note.", type: "text/plain")], problems: Self.readProblems
        ) { [ledger] _ in
            guard let latest = ledger.checkpointer.latest else { throw LogError.notFound("checkpoint yet") }
            return .note(latest.note.encoded)
        }
    }

    private var cosigned: Route {
        Route(
            .get, "/log/v1/cosigned-checkpoint", operation: "cosignedCheckpoint", summary: "The newest checkpoint that a witness cosigned.",
            access: .public, replies: [.content(200, "A signed note.", type: "text/plain")], problems: Self.readProblems
        ) { [ledger] _ in
            guard let cosigned = ledger.checkpointer.cosigned else { throw LogError.notFound("cosigned checkpoint yet") }
            return .note(cosigned.note.encoded)
        }
    }

    private var verifierKeys: Route {
        Route(
            .get, "/log/v1/keys", operation: "verifierKeys", summary: "The log's verifier keys, newest first, one a line.",
            access: .public, replies: [.content(200, "Verifier keys.", type: "text/plain")]
        ) { [ledger] _ in
            .note(ledger.keys.verifiers.map { "\($0)\n" }.joined())
        }
    }

    private var rotations: Route {
        Route(
            .get, "/log/v1/keys/rotations", operation: "keyRotations",
            summary: "Each log key's word for the next, oldest first, one a line: both verifier keys and the first one's signature.",
            access: .public, replies: [.content(200, "Rotations.", type: "text/plain")], problems: Self.readProblems
        ) { [ledger] _ in
            .note(LogRotation.text(try await ledger.rotations()))
        }
    }

    private var tile: Route {
        Route(
            .get, "/log/tile/{level}/{index...}", operation: "tile", summary: "A tile of hashes (C2SP tlog-tiles).", access: .public,
            path: ["level": .integer(0...63)],
            replies: [.content(200, "32 bytes a hash.", type: "application/octet-stream")], problems: Self.readProblems
        ) { [ledger] context in
            let level = try context.path.integer("level", in: 0...63)
            let tile = try Self.tile(level: level, path: context.path["index"], size: ledger.tail.size)
            return .tile(.bytes(try await ledger.reader.hashes(of: tile)), isFull: tile.isFull)
        }
    }

    private var entries: Route {
        Route(
            .get, "/log/tile/entries/{index...}", operation: "entries", summary: "A bundle of events (C2SP tlog-tiles).", access: .public,
            replies: [.content(200, "Each event with its length before it.", type: "application/octet-stream")], problems: Self.readProblems
        ) { [ledger] context in
            let tile = try Self.tile(level: 0, path: context.path["index"], size: ledger.tail.size)
            var next = tile.index << UInt64(Tile.height)
            let end = next + UInt64(tile.width)
            // The first piece before the status: what is missing is told as an error.
            let first = try await ledger.reader.bundlePiece(from: &next, to: end)
            if next == end { return .tile(.bytes(first), isFull: tile.isFull) }
            let rest = next
            return .tile(
                .stream { writer in
                    try await writer.write(first)
                    var next = rest
                    while next < end { try await writer.write(try await ledger.reader.bundlePiece(from: &next, to: end)) }
                }, isFull: tile.isFull)
        }
    }

    /// The tile that a path names, as far as the log reaches. A partial tile stays readable after the tile has grown.
    static func tile(level: Int, path: String, size: UInt64) throws(LogError) -> Tile {
        guard let (index, width) = Tile.parse(indexPath: path.split(separator: "/", omittingEmptySubsequences: false)),
            let grown = Tile.at(level: level, index: index, size: size), width <= grown.width
        else { throw .notFound("tile \(level)/\(path.prefix(64))") }
        return Tile(level: level, index: index, width: width)
    }
}

extension Response {
    fileprivate static func note(_ text: String) -> Response {
        Response(
            headers: ["Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"], body: .bytes(Array(text.utf8)))
    }

    /// A full tile never changes; a partial one is superseded soon.
    fileprivate static func tile(_ body: Body, isFull: Bool) -> Response {
        Response(
            headers: [
                "Content-Type": "application/octet-stream",
                "Cache-Control": isFull ? "public, max-age=31536000, immutable" : "no-store",
            ], body: body)
    }
}
