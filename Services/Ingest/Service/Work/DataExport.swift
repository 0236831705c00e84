internal import Blobs
internal import Crypto
internal import Decisions
internal import EventLog
internal import Events
internal import HTTP
internal import IngestDomain
internal import JSON
internal import ServiceShell

/// Writes all that the house holds of one principal, a line for each thing. What other services hold is asked of them with the principal's own
/// credential, so that nothing comes out that they could not read one by one.
struct DataExport {
    let core: IngestCore
    let subject: String
    let token: String

    /// The format's name and version.
    static let type = "openledger/data-export/v1"
    /// Texts are smaller by far; images and recordings go out as they are read.
    private static let largestText = 16 << 20
    private static let accountKinds = ["payer", "contributor", "curator", "validator", "model-owner", "compute"]

    private struct Counts {
        var contributions = 0
        var items = 0
        var inferences = 0
        var events = 0
    }

    func write(to writer: BodyWriter) async throws {
        var counts = Counts()
        try await line(
            ["kind": "export", "type": .string(Self.type), "of": .string(subject), "time": .string(core.clock().description)], to: writer)
        try await ask(.agentGateway, "/v1/principals/\(subject)", as: "principal", to: writer)
        for kind in Self.accountKinds { try await ask(.billing, "/v1/accounts/\(kind):\(subject)", as: "account", to: writer) }
        try await contributions(&counts, to: writer)
        try await events(&counts, to: writer)
        try await line(
            [
                "kind": "end", "contributions": .count(counts.contributions), "items": .count(counts.items),
                "inferences": .count(counts.inferences), "events": .count(counts.events),
            ], to: writer)
    }

    private func line(_ value: JSONValue, to writer: BodyWriter) async throws { try await writer.write(JSON.write(value) + [0x0A]) }

    /// What another service holds; nothing where it has nothing, and a line that says so where it cannot be asked.
    private func ask(_ service: Service, _ path: String, as kind: String, to writer: BodyWriter) async throws {
        do {
            let found = try await core.peers.using { _ in token }.call("GET", service, path)
            try await line(["kind": .string(kind), "path": .string(path), kind: found], to: writer)
        } catch let error as PeerError where error.status == 404 || error.status == 410 {
            return
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            try await line(["kind": "missing", "path": .string(path), "why": .string("\(error)")], to: writer)
        }
    }

    // MARK: Contributions

    private func contributions(_ counts: inout Counts, to writer: BodyWriter) async throws {
        let found = try await core.maker.query { state in
            let own = (state.byContributor[subject] ?? []).compactMap { state.contributions[$0] }
            let others = state.contributions.values.filter { $0.submitted.kind == "on-behalf" && $0.submitted.contributor != subject }
            let authors = Set(state.claimedBy.filter { $0.value == subject }.keys)
            return (own, others.sorted { $0.submitted.contribution < $1.submitted.contribution }, authors.union([subject]))
        }
        for contribution in found.0 {
            try await line(["kind": "contribution", "contribution": IngestRoutes.json(contribution)], to: writer)
            counts.contributions += 1
            for item in try await core.items(of: contribution) { try await write(item, contribution, &counts, to: writer) }
        }
        // Others may have brought work of theirs, naming them as its author.
        for contribution in found.1 {
            for item in try await core.items(of: contribution) where found.2.contains(item.owner) {
                try await write(item, contribution, &counts, to: writer)
            }
        }
        for draft in try await core.drafts.drafts(of: subject) {
            let manifest = (try? JSON.parse(draft.bytes)) ?? .null
            try await line(["kind": "draft", "contribution": .string(draft.contribution), "manifest": manifest], to: writer)
        }
    }

    private func write(
        _ item: ScreenedItem, _ contribution: ContributionState, _ counts: inout Counts, to writer: BodyWriter
    ) async throws {
        var object: JSONObject = [
            "kind": "item", "contribution": .string(contribution.submitted.contribution), "item": item.json,
        ]
        counts.items += 1
        guard !contribution.erased.contains(item.item) else {
            object["erased"] = .bool(true)
            return try await line(.object(object), to: writer)
        }
        let media = try await core.maker.query { $0.datanets[contribution.submitted.datanet]?.media }
        var large: BlobBytes?
        do {
            let content = try await core.content.content(owner: item.owner, commitment: item.commitment)
            if media == "text" || ItemPlaces.isNote(item) {
                object["content"] = try JSON.parse(
                    try await content.collect(upTo: Self.largestText), limits: JSONLimits(bytes: Self.largestText))
            } else {
                large = content
            }
        } catch let error as BlobError {
            Self.note(error, &object)
        }
        if let large { return try await line(object, base64: large, to: writer) }
        try await line(.object(object), to: writer)
    }

    private static func note(_ error: BlobError, _ object: inout JSONObject) {
        switch error {
        case .erased, .notFound, .noKey: object["erased"] = .bool(true)
        default: object["missing"] = .string("\(error)")
        }
    }

    /// A line with content that may be larger than what is kept in memory.
    private func line(_ object: JSONObject, base64 content: BlobBytes, to writer: BodyWriter) async throws {
        try await writer.write(JSON.write(.object(object)).dropLast() + Array(#","content_base64":""#.utf8))
        var base64 = Base64Stream()
        for try await piece in content { try await writer.write(base64.add(piece)) }
        try await writer.write(base64.finish() + Array("\"}\n".utf8))
    }

    // MARK: Events

    /// Every event that names them, and what was asked and answered in those of answers.
    private func events(_ counts: inout Counts, to writer: BodyWriter) async throws {
        let name = JSON.write(.string(subject))
        let account = [UInt8(ascii: ":")] + name.dropFirst()
        var next: UInt64 = 0
        let end = try await core.log.read(from: 0, limit: 1, wait: nil).size
        while next < end {
            try Task.checkCancellation()
            let batch = try await core.log.read(from: next, limit: 512, wait: nil)
            guard let last = batch.events.last else { break }
            for event in batch.events where Self.contains(event.bytes, name) || Self.contains(event.bytes, account) {
                let value = try JSON.parse(event.bytes)
                try await line(["kind": "event", "position": .count(Int(event.position)), "event": value], to: writer)
                counts.events += 1
                guard value["type"]?.stringValue == InferenceCompleted.type, let id = value["data"]?["inference"]?.stringValue else {
                    continue
                }
                try await ask(.agentGateway, "/v1/inferences/\(id)/content", as: "inference", to: writer)
                counts.inferences += 1
            }
            next = last.position + 1
        }
    }

    /// Whether the bytes have the needle in them.
    static func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool {
        guard let first = needle.first, bytes.count >= needle.count else { return false }
        var at = 0
        let lastStart = bytes.count - needle.count
        while at <= lastStart {
            guard let found = bytes[at...lastStart].firstIndex(of: first) else { return false }
            if bytes[found..<found + needle.count].elementsEqual(needle) { return true }
            at = found + 1
        }
        return false
    }
}
