internal import Crypto
internal import EventLog
internal import HTTP
internal import Web

/// What a mirror serves: the same paths as the log itself, with its own cosignature under the checkpoint, and a witness's
/// `add-checkpoint` (C2SP tlog-tiles, tlog-witness). Open to everybody: a copy is there to be compared.
struct MirrorRoutes: Sendable {
    let mirror: LogMirror

    /// The routes, below `/log`.
    var mount: Mount {
        Mount(
            "mirror", routes: [checkpoint, keys, rotations, cosigned, tile, entries, addCheckpoint],
            checks: [ReadinessCheck("copy") { [mirror] in mirror.checkpoint == nil ? .notReady("no checkpoint copied yet") : .ready }])
    }

    private var checkpoint: Route {
        Route(
            .get, "/log/checkpoint", operation: "checkpoint", summary: "The checkpoint that this copy has reached, cosigned.",
            access: .public, replies: [.content(200, "A signed note.", type: "text/plain")], problems: [.notFound]
        ) { [mirror] _ in
            guard let signed = mirror.checkpoint else { throw Problem(.notFound, "nothing has been copied yet") }
            return Self.text(signed.note.encoded)
        }
    }

    private var keys: Route {
        Route(
            .get, "/log/v1/keys", operation: "verifierKeys", summary: "The verifier keys of the log, one a line.", access: .public,
            replies: [.content(200, "Verifier keys.", type: "text/plain")]
        ) { [mirror] _ in
            Self.text(mirror.logKeys.map { "\($0)\n" }.joined())
        }
    }

    private var rotations: Route {
        Route(
            .get, "/log/v1/keys/rotations", operation: "keyRotations",
            summary: "Each log key's word for the next, oldest first, one a line.", access: .public,
            replies: [.content(200, "Rotations.", type: "text/plain")]
        ) { [mirror] _ in
            Self.text(LogRotation.text(mirror.logRotations))
        }
    }

    /// The monitoring page of a witness: by the SHA-256 of the log's origin.
    private var cosigned: Route {
        Route(
            .get, "/log/{origin}/checkpoint", operation: "witnessedCheckpoint", summary: "The largest checkpoint this witness cosigned.",
            access: .public, replies: [.content(200, "A signed note.", type: "text/plain")], problems: [.notFound]
        ) { [mirror] context in
            guard let signed = await mirror.cosigned, SHA256.hash(utf8: signed.checkpoint.origin).hex == context.path["origin"] else {
                throw Problem(.notFound, "no checkpoint of a log with this hash of its origin was cosigned")
            }
            return Self.text(signed.note.encoded)
        }
    }

    private var tile: Route {
        Route(
            .get, "/log/tile/{level}/{index...}", operation: "tile", summary: "A tile of hashes (C2SP tlog-tiles).", access: .public,
            path: ["level": .integer(0...63)], replies: [.content(200, "32 bytes a hash.", type: "application/octet-stream")],
            problems: [.notFound]
        ) { [mirror] context in
            let level = try context.path.integer("level", in: 0...63)
            return try await Self.answer(context.path["index"], level, mirror) { try await mirror.source.hashes(of: $0) }
        }
    }

    private var entries: Route {
        Route(
            .get, "/log/tile/entries/{index...}", operation: "entries", summary: "A bundle of events (C2SP tlog-tiles).", access: .public,
            replies: [.content(200, "Each event with its length before it.", type: "application/octet-stream")], problems: [.notFound]
        ) { [mirror] context in
            try await Self.answer(context.path["index"], 0, mirror) { try await mirror.source.bundle(of: $0) }
        }
    }

    private var addCheckpoint: Route {
        Route(
            .post, "/log/add-checkpoint", operation: "addCheckpoint",
            summary: "Takes a checkpoint with the proof from the last one and answers with a cosignature (C2SP tlog-witness).",
            access: .public,
            body: .bytes(["*/*"], limit: SignedNote.maximumBytes),
            replies: [
                .content(200, "Cosignature lines.", type: "text/plain"),
                .content(409, "The size this witness knows.", type: "text/x.tlog.size"),
            ],
            problems: [.notFound, .forbidden, .unprocessable]
        ) { [mirror] context in
            do {
                return Self.text(try await mirror.submit(context.bytes).line + "\n")
            } catch let refusal as WitnessState.Refusal {
                switch refusal {
                case .stale(let size):
                    return Response(status: 409, headers: ["Content-Type": "text/x.tlog.size"], body: .bytes(Array("\(size)\n".utf8)))
                case .malformed(let reason): throw Problem(.badBody, reason)
                case .unknownOrigin: throw Problem(.notFound, "this witness does not watch that log")
                case .badSignature: throw Problem(.forbidden, "the checkpoint is not signed by the log's key as this witness knows it")
                case .badProof(let reason): throw Problem(.unprocessable, reason)
                }
            }
        }
    }

    /// Serves what the published checkpoint speaks of, and nothing beyond it.
    private static func answer(
        _ path: String, _ level: Int, _ mirror: LogMirror, _ read: (Tile) async throws -> [UInt8]
    ) async throws -> Response {
        guard let size = mirror.checkpoint?.checkpoint.size,
            let (index, width) = Tile.parse(indexPath: path.split(separator: "/", omittingEmptySubsequences: false)),
            let grown = Tile.at(level: level, index: index, size: size), width <= grown.width
        else { throw Problem(.notFound, "the copy has no such tile") }
        let tile = Tile(level: level, index: index, width: width)
        return Response(
            headers: [
                "Content-Type": "application/octet-stream",
                "Cache-Control": tile.isFull ? "public, max-age=31536000, immutable" : "no-store",
            ], body: .bytes(try await read(tile)))
    }

    private static func text(_ text: String) -> Response {
        Response(headers: ["Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"], body: .bytes(Array(text.utf8)))
    }
}
