import HTTP
import JSON

extension WayStory {
    /// What the law asks for, made from the same log: what the model learned from, for everybody, and all that is held of an author, for them.
    func papers(_ cast: Cast, _ model: String, _ datanets: [Datanet]) async throws {
        let summary = try await client.call("GET", "/v1/adapters/\(model)/training-summary", as: nil)
        let sources = summary["sources"]?["other"]?.arrayValue ?? []
        let tokens = (summary["general"]?["modalities"]?.arrayValue ?? []).compactMap { $0["tokens"]?.intValue }.reduce(0, +)
        let licences = try await client.call("GET", "/v1/adapters/\(model)/licences", as: nil)
        let items = (licences["licences"]?.arrayValue ?? []).compactMap { $0["items"]?.intValue }.reduce(0, +)
        guard sources.count == datanets.count, tokens > 0, items == datanets.reduce(0, { $0 + Int64($1.items) }) else {
            throw CommandError("the training summary or the licence report is not of what the model learned from")
        }
        guard let author = cast.authors.min(by: { $0.key < $1.key })?.value else { return }
        let export = try await client.send(
            "GET", "/v1/contributors/\(author.principal)/export", as: author.token, bytes: nil, type: "application/json")
        let lines = try export.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
        guard lines.last?["kind"]?.stringValue == "end",
            lines.contains(where: { $0["kind"]?.stringValue == "item" && $0["content"] != nil }),
            !lines.contains(where: { $0["kind"]?.stringValue == "missing" })
        else { throw CommandError("the export of \(author.name) is not whole") }
        Terminal.say(
            "   The training summary names \(sources.count) sources and \(DemoText.number(Int(tokens))) tokens; \(author.name) takes out \(lines.count) records."
        )
    }
}
