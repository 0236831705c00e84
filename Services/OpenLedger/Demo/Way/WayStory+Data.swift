import Crypto
import Events
import Foundation
import HTTP
import JSON

/// Bringing data in: Datanets, signed contributions, screening, snapshots.
extension WayStory {
    /// A published Datanet.
    struct Datanet: Sendable {
        let name: String
        let id: String
        let items: Int
        let root: String
        /// The id of its first snapshot.
        let snapshot: String
        /// Each contribution and who brought it.
        let contributions: [(id: String, author: String)]
    }

    func bringIn(_ cast: Cast) async throws -> [Datanet] {
        Terminal.say("\n2. \(data.count) Datanets. Authors sign what they bring; public rules screen every row.")
        var datanets: [Datanet] = []
        for (index, source) in data.enumerated() {
            // The last one lets people decide what comes in.
            let isReviewed = index == data.count - 1
            let domain = source.name.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            let created = try await client.call(
                "POST", "/v1/datanets", as: cast.maya.token,
                json: [
                    "domain": .string(domain), "media": "text",
                    "policy": .object(Self.policy(isReviewed: isReviewed)),
                ])
            guard let id = created["datanet"]?.stringValue else { throw CommandError("no Datanet came back") }
            if isReviewed { try await seatValidators(cast, in: id) }
            var contributions: [(id: String, author: String)] = []
            var accepted = 0
            var rejected: [String] = []
            for (place, author) in source.authors.enumerated() {
                guard let person = cast.authors[author.name] else { continue }
                // The first author of the first Datanet slips in rows that must not pass.
                let planted = index == 0 && place == 0 ? Self.planted(after: author.rows) : []
                let settled = try await contribute(author.rows + planted, to: id, by: person)
                if isReviewed {
                    try await review(settled.id, of: person, in: id, cast, isRefusedFirst: contributions.isEmpty)
                }
                contributions.append((settled.id, author.name))
                accepted += settled.accepted
                rejected += settled.rejected.map(\.reason)
                try Self.checkPlanted(index == 0 && place == 0 ? author.rows.count : nil, settled.rejected)
            }
            _ = try await client.wait(
                for: "the items' admission", "/v1/datanets/\(id)", as: cast.maya.token,
                until: { Self.figure("items", in: $0) ?? 0 >= accepted })
            let snapshot = try await client.call("POST", "/v1/datanets/\(id)/snapshots", as: cast.maya.token, json: .object(JSONObject()))
            guard let root = snapshot["root"]?.stringValue, let items = snapshot["items"]?.intValue,
                let name = snapshot["snapshot"]?.stringValue
            else {
                throw CommandError("no snapshot came back")
            }
            let turned = rejected.isEmpty ? "" : "; \(rejected.count) refused (\(Set(rejected).sorted().joined(separator: ", ")))"
            Terminal.say(
                "   \(source.name): \(items) items of \(source.authors.count) authors\(turned). Snapshot 1, root \(root.prefix(19))…")
            datanets.append(
                Datanet(name: source.name, id: id, items: Int(items), root: root, snapshot: name, contributions: contributions))
        }
        return datanets
    }

    /// The rules that a Datanet of the story is opened with.
    private static func policy(isReviewed: Bool) -> JSONObject {
        var policy: JSONObject = [
            "access": "open", "licences": ["CC-BY-4.0", "CC0-1.0", "MIT", "Apache-2.0"], "treasury_points": 1_000, "curator_points": 0,
            "contributor_points": 9_000, "admission": "automatic", "minimum_quality": 100, "panel": 0, "quorum": 0, "voting": "role",
        ]
        if isReviewed {
            policy["admission"] = "review"
            policy["panel"] = 1
            policy["quorum"] = 1
            policy["stake"] = ["asset": "USDC/6", "amount": "5000000"]
            // Whose vote an appeal turns over loses all of it.
            policy["governance"] = [
                "voting_seconds": 604_800, "timelock_seconds": 86_400, "quorum_points": 2_000, "review_seconds": 259_200,
                "appeal_seconds": 1_209_600, "penalty_points": 10_000,
            ]
        }
        return policy
    }

    /// A copy of a row, a row with a secret, and a row under a licence that the Datanet does not take.
    private static func planted(after rows: [JSONValue]) -> [JSONValue] {
        guard let first = rows.first else { return [] }
        return [
            first,
            [
                "prompt": "How do I reach the club's wallet?", "licence": "CC-BY-4.0",
                "completion":
                    "Write to treasurer.of.the.club@example.org, or use the key sk-live-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a.",
            ],
            [
                "prompt": "Who wrote the club's handbook?", "licence": "LicenseRef-All-Rights-Reserved",
                "completion": "The handbook was written by the founding members and may not be copied without their leave in writing.",
            ],
        ]
    }

    /// What they are to be refused for, in their order.
    private static let plantedReasons = ["duplicate.exact", "secret.api-key", "licence.conflict"]

    /// The planted rows, which stand behind so many others, are refused, each for its own reason.
    private static func checkPlanted(_ others: Int?, _ rejected: [Rejected]) throws {
        guard let others else { return }
        for (place, reason) in plantedReasons.enumerated() {
            let row = others + place + 1
            guard let found = rejected.first(where: { $0.row == row }) else {
                throw CommandError("row \(row), planted to be refused for \(reason), passed the screening")
            }
            guard found.reasons.contains(reason) else {
                throw CommandError(
                    "row \(row), planted to be refused for \(reason), was refused for \(found.reasons.joined(separator: ", "))")
            }
        }
    }

    /// A row that did not pass the screening.
    struct Rejected: Sendable {
        /// From 1, in the order of the upload.
        let row: Int
        let reasons: [String]

        var reason: String { reasons.first ?? "no reason given" }
    }

    func contribute(_ rows: [JSONValue], to datanet: String, by person: WayPerson) async throws -> (
        id: String, accepted: Int, rejected: [Rejected]
    ) {
        var file: [UInt8] = []
        for row in rows { file += JSON.write(row) + [0x0A] }
        let manifest: JSONValue = [
            "type": "openledger/manifest/v1", "datanet": .string(datanet), "contributor": .string(person.principal), "kind": "own",
            "signer": .string(person.did), "licence": "CC-BY-4.0",
            "files": [
                ["name": "rows.jsonl", "format": "jsonl", "bytes": .int(Int64(file.count)), "sha256": .string(SHA256.hash(file).hex)]
            ],
            "columns": ["prompt": "prompt", "completion": "completion", "licence": "licence"],
        ]
        let signature = try person.key.sign(
            ContributionSubmitted.message(
                datanet: datanet, contributor: person.principal, kind: "own", supersedes: nil,
                manifest: SHA256.hash(try JSON.canonical(manifest))))
        let begun = try await client.call(
            "POST", "/v1/contributions", as: person.token,
            json: ["manifest": manifest, "signature": .string(Base64URL.encode(signature))])
        guard let id = begun["contribution"]?.stringValue else { throw CommandError("no contribution came back") }
        _ = try await client.send(
            "PATCH", "/v1/contributions/\(id)/files/0", as: person.token, bytes: file, type: "application/octet-stream",
            headers: ["Upload-Offset": "0"])
        _ = try await client.call("POST", "/v1/contributions/\(id)/finish", as: person.token)
        let settled = try await client.wait(
            for: "the screening of \(person.name)'s rows", "/v1/contributions/\(id)", as: person.token,
            until: { $0["rules"] != nil || $0["state"]?.stringValue == "failed" })
        guard let accepted = settled["accepted"]?.intValue else {
            throw CommandError("the contribution of \(person.name) failed: \(String(decoding: JSON.write(settled), as: UTF8.self))")
        }
        var rejected: [Rejected] = []
        if settled["rejected"]?.intValue ?? 0 > 0 {
            let items = try await client.call("GET", "/v1/contributions/\(id)/items?limit=500", as: person.token)
            for item in items["items"]?.arrayValue ?? [] where item["verdict"]?.stringValue == "rejected" {
                let row = item["item"]?.stringValue?.split(separator: ".").last.flatMap { Int($0) } ?? 0
                rejected.append(Rejected(row: row, reasons: (item["reasons"]?.arrayValue ?? []).compactMap(\.stringValue)))
            }
        }
        return (id, Int(accepted), rejected)
    }

    /// A figure wherever it stands in a Datanet's page.
    static func figure(_ name: String, in page: JSONValue) -> Int? {
        if let found = page[name]?.intValue { return Int(found) }
        for member in page.objectValue?.members ?? [] {
            if let found = figure(name, in: member.value) { return found }
        }
        return nil
    }
}
