internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import HTTPClient
internal import Identity
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Web

/// Content, for who may have it.
extension DatanetRoutes {
    var exportRoutes: [Route] { [export] }

    /// Items asked of ingest at a time.
    private static let window = 8

    private var export: Route {
        Route(
            .get, "/v1/datanets/{id}/snapshots/{number}/items", operation: "exportSnapshot",
            summary:
                "The items with their content, one JSON object a line, in canonical order. Every export is an event on the log; under a grant with a price it costs that, once a day for a snapshot.",
            access: .authenticated,
            query: [
                QueryParameter("purpose", .oneOf("read", "train", "retrieve"), "What for; a grant must be for the same.", required: true),
                QueryParameter("since", .integer(1...1_000_000_000), "An earlier snapshot's number: only what that one did not have."),
            ],
            replies: [.content(200, "JSON lines.", type: "application/jsonl")], problems: Self.problems + [SnapshotSale.noMoney]
        ) { context in
            let caller = try context.caller
            let isService = caller.kind == .service
            if isService, !caller.has("datanets:content") { throw Problem(.forbidden, "the service lacks the scope datanets:content") }
            let snapshot = try await found(context)
            let purpose = context.query.string("purpose") ?? "read"
            // Who asks for the head alone gets no content, and pays nothing.
            if context.request.method == "HEAD" { return Response(headers: ["Content-Type": "application/jsonl"]) }
            var items = try await tree(snapshot).items
            if let since = context.query.integer("since") {
                let known = Set(try await tree(try await found(of: context.path["id"], number: Int(since))).items.map(\.item))
                items.removeAll { known.contains($0.item) }
            }
            let asked = items
            let present = try await core.maker.query { state in asked.filter { !state.isDropped($0) } }
            let count = present.count
            let id = snapshot.published.snapshot
            // The event stands on the log before the first byte goes out; an export that is asked for again is another one.
            let command = "openledger/datanet/access/\(Hex.encode(Random.bytes(16)))"
            _ = try await SnapshotSale(
                core: core, snapshot: snapshot.published, reader: caller.subject, purpose: purpose, items: count
            )
            .decide(isFree: isService) { sale in
                try await core.maker.decide(
                    .command(id: command, digest: SHA256.hash(utf8: command)), actor: caller.subject,
                    correlation: context.trace.traceID,
                    rule {
                        try AccessRules.use($0, snapshot: id, purpose: purpose, items: count, isService: isService, sale: sale, $1)
                    })
            }
            let headers: Headers = ["Content-Type": "application/jsonl", "Cache-Control": "no-store"]
            let media = try await core.maker.query { try $0.datanet(snapshot.published.datanet).media }
            return contents(of: asked, present: Set(present.map(\.item)), media: media, headers)
        }.writing()
    }

    /// A reply of items with their content, a line each.
    /// - Parameter present: those whose content is there; the others' lines say that they were taken back.
    func contents(of items: [AdmittedItem], present: Set<String>, media: String, _ headers: Headers) -> Response {
        Response(
            headers: headers,
            body: .stream { writer in
                if media == "text" {
                    try await stream(items, present, to: writer)
                } else {
                    for item in items { try await streamMedia(item, isPresent: present.contains(item.item), to: writer) }
                }
            })
    }

    /// Writes the line of an image or a recording, which may be larger than what is kept in memory: its bytes go out as they come in.
    private func streamMedia(_ item: AdmittedItem, isPresent: Bool, to writer: BodyWriter) async throws {
        let isDropped = try await core.maker.query { $0.isDropped(item) }
        let content = ItemContent(peers: core.peers)
        guard isPresent, !isDropped, let media = try await content.media(contribution: item.contribution, item: item.item) else {
            return try await writer.write(Self.line(item, nil))
        }
        let start = JSON.write(["content": [ItemContent.typeName: .string(media.type), ItemContent.bytesName: ""]])
        // Up to the quote that begins the bytes; the rest closes it again.
        try await writer.write(JSON.write(item.json).dropLast() + [UInt8(ascii: ",")] + start.dropFirst().dropLast(3))
        var base64 = Base64Stream()
        for try await piece in media.body { try await writer.write(base64.add(piece)) }
        try await writer.write(base64.finish() + start.suffix(3) + [0x0A])
    }

    /// Writes the lines in order, a few items ahead of the reader. Items taken back since the snapshot have a line that says so.
    private func stream(_ items: [AdmittedItem], _ present: Set<String>, to writer: BodyWriter) async throws {
        let content = ItemContent(peers: core.peers)
        var start = 0
        while start < items.count {
            let part = items[start..<min(items.count, start + Self.window)]
            let lines = try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
                for (index, item) in part.enumerated() {
                    group.addTask { [core] in
                        // Looked at once more: an erasure in the middle of an export holds from its next item on.
                        let isDropped = try await core.maker.query { $0.isDropped(item) }
                        guard present.contains(item.item), !isDropped else { return (index, Self.line(item, nil)) }
                        return (index, Self.line(item, try await content.content(contribution: item.contribution, item: item.item)))
                    }
                }
                var lines = Array(repeating: [UInt8](), count: part.count)
                for try await (index, line) in group { lines[index] = line }
                return lines
            }
            try await writer.write(Array(lines.joined()))
            start += Self.window
        }
    }

    private static func line(_ item: AdmittedItem, _ content: JSONValue?) -> [UInt8] {
        var object = item.json.objectValue ?? JSONObject()
        object["content"] = content ?? .null
        object["withdrawn"] = content == nil ? .bool(true) : nil
        return JSON.write(.object(object)) + [0x0A]
    }
}
