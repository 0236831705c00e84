internal import Events
internal import HTTP
internal import HTTPClient
internal import JSON
internal import ServiceShell

/// The texts of a snapshot's items, from datanet, which writes down that they were read.
struct SnapshotContent: Sendable {
    let peers: Peers

    /// The most bytes of one line.
    static let longestLine = 64 << 20
    /// The most bytes of a snapshot's content: it is held in memory while it is indexed.
    static let largest = 1 << 30

    /// The text of each item, in the order of the list; nil for those that were taken back.
    /// - Parameter since: the number of an earlier snapshot whose items are not asked for: the list is without them.
    /// - Throws: `AttributionTrouble` when the lines are not those of the list, or `PeerError`.
    func texts(of published: SnapshotPublished, list: [AdmittedItem], since: Int? = nil, purpose: String) async throws -> [[UInt8]?] {
        let path =
            "/v1/datanets/\(published.datanet)/snapshots/\(published.number)/items?purpose=\(purpose)"
            + (since.map { "&since=\($0)" } ?? "")
        let response = try await peers.open("GET", .datanet, path, limit: 8 << 30)
        guard response.status == 200 else {
            throw PeerError(.datanet, response.status, try await response.body.collect(upTo: 1 << 20))
        }
        var texts: [[UInt8]?] = []
        var total = 0
        var lines = ContentLines(longest: Self.longestLine)
        for try await piece in response.body {
            for line in try Self.lines(Array(piece), &lines) {
                texts.append(try Self.text(line, item: texts.count < list.count ? list[texts.count] : nil))
                total += texts.last??.count ?? 0
                guard total <= Self.largest else {
                    throw AttributionTrouble.tooMuchContent(snapshot: published.snapshot, limit: Self.largest)
                }
            }
        }
        guard lines.isEmpty, texts.count == list.count else {
            throw AttributionTrouble.answer(.datanet, "sent \(texts.count) of the \(list.count) items of \(published.snapshot)")
        }
        return texts
    }

    /// The lines that a piece ends. Told apart in a function that does not wait: the optimiser of Swift 6.3 crashes on a pattern there.
    private static func lines(_ piece: [UInt8], _ lines: inout ContentLines) throws -> [ContentLines.Line] {
        var found: [ContentLines.Line] = []
        do { try lines.add(piece) { found.append($0) } } catch is ContentLines.TooLong {
            throw AttributionTrouble.answer(.datanet, "sent a line that is too long")
        }
        return found
    }

    /// The texts that are there, by item.
    static func byItem(_ list: [AdmittedItem], _ texts: [[UInt8]?]) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for (item, text) in zip(list, texts) { found[item.item] = text }
        return found
    }

    private static func text(_ line: ContentLines.Line, item: AdmittedItem?) throws -> [UInt8]? {
        let bytes =
            switch line {
            case .whole(let bytes), .media(let bytes): bytes
            }
        let fields = try JSON.parse(bytes, limits: JSONLimits(bytes: longestLine, items: longestLine)).object()
        guard let item, try fields.id("item") == item.item else {
            throw AttributionTrouble.answer(.datanet, "sent an item that is not the next of the list")
        }
        if case .media = line { return [] }
        guard let content = fields.optionalField("content") else { return nil }
        return Array(text(of: content.value).utf8)
    }

    /// A content as one text: the text, or prompt and completion, or all texts of the object in their order. Images and recordings have none.
    static func text(of content: JSONValue) -> String {
        if case .object(let object) = content, object.members.count == 2, object["media_type"] != nil, object["base64"] != nil { return "" }
        if let prompt = content["prompt"]?.stringValue, let completion = content["completion"]?.stringValue {
            return prompt + "\n" + completion
        }
        switch content {
        case .string(let text): return text
        case .array(let list): return list.map(text(of:)).filter { !$0.isEmpty }.joined(separator: "\n")
        case .object(let object):
            if let text = object["text"]?.stringValue { return text }
            return object.members.map { text(of: $0.value) }.filter { !$0.isEmpty }.joined(separator: "\n")
        default: return ""
        }
    }
}
