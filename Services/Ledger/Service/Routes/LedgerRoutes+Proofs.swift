internal import Crypto
internal import EventLog
internal import HTTP
internal import JSON
internal import Web

/// Proofs under signed checkpoints, for whoever does not read tiles.
extension LedgerRoutes {
    var proofRoutes: [Route] { [proofFile, inclusion, consistency] }

    private var proofFile: Route {
        Route(
            .get, "/log/v1/events/{position}/proof", operation: "proofFile",
            summary: "A file that proves one event without any server (C2SP tlog-proof).", access: .public,
            path: ["position": .count], replies: [.content(200, "The file.", type: "text/plain")], problems: Self.readProblems
        ) { [ledger] context in
            let position = UInt64(try context.path.integer("position"))
            guard let signed = ledger.checkpointer.latest, position < signed.checkpoint.size,
                let event = try await ledger.reader.event(at: position)
            else { throw LogError.notFound("position \(position) under a signed checkpoint") }
            var tree = TileTree(source: ledger.reader, size: signed.checkpoint.size)
            let proof = try await tree.inclusionProof(of: position)
            let file = TlogProof(extra: event.bytes, index: position, hashes: proof.hashes, checkpoint: signed.note.encoded)
            return Response(
                headers: [
                    "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store",
                    "Content-Disposition": "attachment; filename=\"\(position).tlog-proof\"",
                ], body: .bytes(Array(file.encoded.utf8)))
        }
    }

    private var inclusion: Route {
        Route(
            .get, "/log/v1/proofs/inclusion", operation: "inclusionProof",
            summary: "The hashes from a leaf to the root of a tree of some size (RFC 6962).", access: .public,
            query: [
                QueryParameter("position", .count, "The leaf.", required: true),
                QueryParameter("size", .count, "The tree's size; that of the newest checkpoint when left out."),
            ],
            replies: [
                .json(
                    200, "The proof.",
                    .object(
                        .required("hashes", .list(.text(.sha256), atMost: 64)), .required("position", .count),
                        .required("root", .text(.sha256)),
                        .required("size", .count)))
            ], problems: Self.readProblems
        ) { [ledger] context in
            let size = try await Self.size(context.query.integer("size"), ledger)
            let position = UInt64(context.query.integer("position") ?? 0)
            guard position < size else { throw LogError.notFound("position \(position) in a tree of \(size)") }
            var tree = TileTree(source: ledger.reader, size: size)
            let proof = try await tree.inclusionProof(of: position)
            return .json([
                "hashes": .array(proof.hashes.map { .string($0.prefixed) }), "position": .int(Int64(position)),
                "root": .string(try await tree.root().prefixed), "size": .int(Int64(size)),
            ])
        }
    }

    private var consistency: Route {
        Route(
            .get, "/log/v1/proofs/consistency", operation: "consistencyProof",
            summary: "The hashes that show a tree to be the beginning of another (RFC 6962).", access: .public,
            query: [
                QueryParameter("from", .count, "The earlier size.", required: true),
                QueryParameter("to", .count, "The later size; that of the newest checkpoint when left out."),
            ],
            replies: [
                .json(
                    200, "The proof.",
                    .object(
                        .required("from", .count), .required("hashes", .list(.text(.sha256), atMost: 64)), .required("to", .count)))
            ], problems: Self.readProblems
        ) { [ledger] context in
            let size = try await Self.size(context.query.integer("to"), ledger)
            let from = UInt64(context.query.integer("from") ?? 0)
            guard from <= size else { throw LogError.notFound("tree of \(from) in one of \(size)") }
            var tree = TileTree(source: ledger.reader, size: size)
            let proof = try await tree.consistencyProof(from: from)
            return .json([
                "from": .int(Int64(from)), "hashes": .array(proof.hashes.map { .string($0.prefixed) }), "to": .int(Int64(size)),
            ])
        }
    }

    private static func size(_ asked: Int?, _ ledger: Ledger) async throws -> UInt64 {
        guard let signed = ledger.checkpointer.latest else { throw LogError.notFound("checkpoint yet") }
        guard let asked else { return signed.checkpoint.size }
        guard asked <= ledger.tail.size else { throw LogError.notFound("tree of \(asked) yet") }
        return UInt64(asked)
    }
}
