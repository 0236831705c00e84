internal import Events
internal import HTTPClient
internal import JSON
internal import ServiceShell

/// What an item says, as models read it and as it is embedded.
struct PassageTexts: Sendable {
    let peers: Peers

    /// Most bytes of one passage.
    static let largest = 1_200

    /// The beginning of an item's text.
    /// - Throws: `PeerError` when ingest does not hand it out.
    func text(contribution: String, item: String, timeout: Duration) async throws -> String {
        let content = try await peers.call("GET", .ingest, "/v1/contributions/\(contribution)/items/\(item)/content", timeout: timeout)
        return Self.cut(Self.words(content))
    }

    /// An item's text: a text, or a prompt with its completion.
    static func words(_ content: JSONValue) -> String {
        if let text = content.stringValue ?? content["text"]?.stringValue { return text }
        return [content["prompt"]?.stringValue, content["completion"]?.stringValue].compactMap { $0 }.joined(separator: "\n")
    }

    /// The first bytes, ending at a character.
    static func cut(_ text: String, to largest: Int = largest) -> String {
        guard text.utf8.count > largest else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: largest)
        while end > text.startIndex, String.Index(end, within: text) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
