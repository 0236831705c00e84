internal import Blobs
internal import Decisions
internal import Events
internal import HTTP
internal import Identity
internal import IngestDomain
internal import IngestParsing
internal import JSON
internal import Web

/// Why an item has the verdict that it has, so that what was refused can be corrected.
extension IngestRoutes {
    var verdictRoutes: [Route] { [verdict] }

    private static let reason: Schema = .openObject(
        .required("code", .text), .required("effect", .oneOf("refuses", "notes")), .required("meaning", .text))

    private var verdict: Route {
        Route(
            .get, "/v1/contributions/{contribution}/items/{item}/verdict", operation: "explainVerdict",
            summary:
                "Why an item was taken or refused: each reason in words, the parts of its quality, and where secrets and personal data stand.",
            access: .authenticated, path: ["contribution": Self.id, "item": Self.id],
            replies: [
                .json(
                    200,
                    "The verdict. Places are bytes of prompt, completion and text, those that there are, joined by line breaks; or of the field named.",
                    .openObject(
                        .required("item", Self.id), .required("verdict", .oneOf("accepted", "rejected")),
                        .required("rules", .text, "The version of the rules that judged it."),
                        .optional("file", .count, "The file of the manifest, from 0."), .optional("row", .count, "The row in it, from 1."),
                        .required("reasons", .list(Self.reason, atMost: ReasonCode.allCases.count)), .required("quality", .count),
                        .optional("parts", .openObject(), "Of the quality; as the rules of today count them."),
                        .optional(
                            "findings", .list(.openObject(.required("code", .text), .required("start", .count), .required("end", .count)))),
                        .optional("refused", .openObject(), "What was wrong with a row that could not be read.")))
            ], problems: Self.problems
        ) { [self] context in
            let found = try await item(context)
            guard let screened = found.contribution.screened, let parts = ItemID.parts(found.id) else {
                throw IngestRefusal.noItem(found.id)
            }
            let judged = try await core.items(of: found.contribution)[parts.number - 1]
            var object: JSONObject = [
                "item": .string(judged.item), "verdict": .string(judged.verdict), "rules": .string(screened.rules),
                "reasons": .array(judged.reasons.map(Self.explained)), "quality": .count(judged.quality),
                "cluster": .string(judged.cluster),
            ]
            if let old = judged.supersedes { object["supersedes"] = .string(old) }
            if let file = judged.file { object["file"] = .count(file) }
            if let row = judged.row { object["row"] = .count(row) }
            if found.isText {
                let bytes = try await readable(found) {
                    try await core.content.content(owner: found.place.owner, commitment: found.place.commitment, upTo: 16 << 20)
                }
                if found.place.isNote {
                    object["refused"] = try JSON.parse(bytes)["refused"]
                } else {
                    try await explain(try ItemContent(bytes), judged.licence, &object)
                }
            }
            return .json(.object(object), headers: ["Cache-Control": "no-store"])
        }
    }

    /// Looks at the content once more: the log has what it came to, and nothing that tells of what stands there.
    private func explain(_ content: ItemContent, _ licence: String, _ object: inout JSONObject) async throws {
        let inspector = Inspector(policy: ScreeningPolicy(), scanner: core.scanner)
        guard let inspection = try await inspector.inspect([.content(content)], licence: licence).first.flatMap({ $0 }) else { return }
        object["parts"] = inspection.quality.json
        object["findings"] = .array(
            inspection.findings.map {
                .members([
                    "code": .string($0.code.rawValue), "start": .count($0.range.lowerBound), "end": .count($0.range.upperBound),
                    "field": $0.field.map { .string($0) },
                ])
            })
    }

    private static func explained(_ code: String) -> JSONValue {
        guard let reason = ReasonCode(rawValue: code) else { return ["code": .string(code), "effect": "refuses", "meaning": ""] }
        return ["code": .string(code), "effect": reason.isRefusal ? "refuses" : "notes", "meaning": .string(reason.meaning)]
    }
}
