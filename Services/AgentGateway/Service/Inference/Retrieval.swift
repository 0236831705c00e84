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

        /// What the log says of it: whether the answer names it by its id.
        func retrieved(in answer: String) -> RetrievedPassage {
            RetrievedPassage(
                datanet: datanet, item: item, owner: owner, offset: 0, length: text.utf8.count,
                cited: answer.utf8.count > 0 && answer.contains(item))
        }
    }

    /// Most passages of an answer, and most bytes of one.
    static let count = 3
    static let largest = 1_200

    /// What the Datanets have on the last thing that the user said. A Datanet that does not answer leaves the answer without its passages.
    func passages(for request: ChatRequest, from datanets: [String], logger: Logger) async throws -> [Passage] {
        guard !datanets.isEmpty, let question = request.messages.last(where: { $0.role == "user" || $0.role == "prompt" })?.content else {
            return []
        }
        var found: [Passage] = []
        let query = String(question.prefix(400))
        for datanet in datanets {
            do {
                let answer = try await peers.call(
                    "POST", .datanet, "/v1/datanets/\(datanet)/retrieve", json: ["query": .string(query), "limit": .int(Int64(Self.count))])
                for hit in try answer.object().array("items") {
                    let hit = try hit.object()
                    found.append(
                        Passage(
                            datanet: datanet, item: try hit.id("item"), owner: try hit.id("owner"),
                            text: Self.cut(try hit.string("text", bytes: 0...1 << 20))))
                }
            } catch { logger.warning("a Datanet gave no passages", ["datanet": .string(datanet), "error": .string("\(error)")]) }
        }
        return Array(found.prefix(Self.count))
    }

    /// The first bytes, ending at a character.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > largest else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: largest)
        while end > text.startIndex, String.Index(end, within: text) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
