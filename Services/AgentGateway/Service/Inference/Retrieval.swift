internal import AgentGatewayDomain
internal import Events
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import Web

/// Passages for an answer, from the Datanets that its model was published with.
struct Retrieval: Sendable {
    let peers: Peers

    /// A passage and where it is from.
    struct Passage: Sendable {
        let datanet: String
        let item: String
        let owner: String
        let text: String

        /// What the log says of it: whether the answer cites it.
        func retrieved(in answer: String) -> RetrievedPassage {
            RetrievedPassage(
                datanet: datanet, item: item, owner: owner, offset: 0, length: text.utf8.count,
                cited: answer.contains(item) || Citation.isQuoted(text, in: answer))
        }
    }

    /// Most passages of an answer, and most bytes of one.
    static let count = 3
    static let largest = 1_200

    /// What the Datanets have on the last thing that the user said, in their latest snapshots: what came since, nobody could be credited with. A Datanet that does not answer leaves the answer without its passages.
    func passages(for request: ChatRequest, from datanets: [String], logger: Logger) async throws -> [Passage] {
        guard !datanets.isEmpty, let question = request.messages.last(where: { $0.role == "user" || $0.role == "prompt" })?.content else {
            return []
        }
        guard let query = Self.query(question) else { return [] }
        var found: [Passage] = []
        for datanet in datanets {
            do {
                let answer = try await peers.call(
                    "GET", .datanet, "/v1/datanets/\(datanet)/search?of=snapshot&limit=\(Self.count)&q=\(query)")
                for hit in try answer.object().array("items") {
                    let hit = try hit.object()
                    let (contribution, item) = (try hit.id("contribution"), try hit.id("item"))
                    let content = try await peers.call("GET", .ingest, "/v1/contributions/\(contribution)/items/\(item)/content")
                    found.append(Passage(datanet: datanet, item: item, owner: try hit.id("owner"), text: Self.cut(Self.words(content))))
                }
            } catch { logger.warning("a Datanet gave no passages", ["datanet": .string(datanet), "error": .string("\(error)")]) }
        }
        return Array(found.prefix(Self.count))
    }

    /// The question's telling words, any of which may stand in a passage; as a query's value. Nil when it has none.
    static func query(_ question: String) -> String? {
        var words: [String] = []
        var length = 0
        for word in question.prefix(1_000).lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
            // A search takes 400 characters at most.
            if word.count >= 4, length + word.count + 4 <= 400, !words.contains(String(word)) {
                words.append(String(word))
                length += word.count + 4
            }
            if words.count == 12 { break }
        }
        guard !words.isEmpty else { return nil }
        let text = words.joined(separator: " or ")
        let unreserved = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~".utf8)
        return text.utf8.reduce(into: "") { encoded, byte in
            if unreserved.contains(byte) {
                encoded.append(Character(UnicodeScalar(byte)))
            } else {
                encoded += "%" + String(byte >> 4, radix: 16, uppercase: true) + String(byte & 15, radix: 16, uppercase: true)
            }
        }
    }

    /// An item's text: a text, or a prompt with its completion.
    static func words(_ content: JSONValue) -> String {
        if let text = content.stringValue ?? content["text"]?.stringValue { return text }
        return [content["prompt"]?.stringValue, content["completion"]?.stringValue].compactMap { $0 }.joined(separator: "\n")
    }

    /// The first bytes, ending at a character.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > largest else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: largest)
        while end > text.startIndex, String.Index(end, within: text) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
