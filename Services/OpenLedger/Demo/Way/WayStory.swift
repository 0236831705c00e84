import Crypto
import EventLog
import Foundation
import HTTP
import HTTPClient
import JSON
import Money

/// The whole way of the data, through public REST alone, as several people: contributions, Datanets, snapshots, a fine-tuning, answers,
/// attribution, settlement, audit. Every step is checked; what does not happen fails the story.
struct WayStory: Sendable {
    let folder: String
    let client: WayClient
    let log: VerifierKey
    let administrator: String
    let data: [WayData]
    /// How long the model learns.
    let epochs: Int

    func tell() async throws {
        let cast = try await people()
        let datanets = try await bringIn(cast)
        let model = try await learn(cast, datanets)
        let answers = try await ask(cast, model)
        let earned = try await settle(answers)
        try await receipts(answers, earned)
        try await audit()
        try WaySummary(cast: cast, data: data, answers: answers, earned: earned).tell()
    }

    /// Who takes part.
    struct Cast: Sendable {
        let maya: WayPerson
        let app: WayPerson
        let agent: WayPerson
        /// By author's name.
        let authors: [String: WayPerson]

        func name(of principal: String) -> String {
            if let author = authors.first(where: { $0.value.principal == principal }) { return author.key }
            return [maya, app, agent].first { $0.principal == principal }?.name ?? principal
        }
    }

    // MARK: People

    private func people() async throws -> Cast {
        let names = data.flatMap { $0.authors.map(\.name) }
        Terminal.say("\n1. \(names.count + 3) people, apps and agents register, each by a key of their own.")
        let maya = try await WayPerson.arrive("Maya", client)
        let app = try await WayPerson.arrive("the Almanac app", kind: "organisation", client)
        let agent = try await WayPerson.arrive("Almanac's agent", kind: "agent", of: app, client)
        var authors: [String: WayPerson] = [:]
        for name in names where authors[name] == nil { authors[name] = try await WayPerson.arrive(name, client) }
        for person in [maya] + authors.values {
            _ = try await client.call(
                "POST", "/v1/principals/\(person.principal)/claims", as: administrator, json: ["claim": "vouched"])
        }
        Terminal.say("   Maya opens the Datanets; \(authors.count) authors are vouched for, so that what they earn can be paid.")
        return Cast(maya: maya, app: app, agent: agent, authors: authors)
    }

    // MARK: Data

    /// A published Datanet.
    struct Datanet: Sendable {
        let name: String
        let id: String
        let items: Int
        let root: String
    }

    private func bringIn(_ cast: Cast) async throws -> [Datanet] {
        Terminal.say("\n2. \(data.count) Datanets. Authors sign what they bring; public rules screen every row.")
        var datanets: [Datanet] = []
        for (index, source) in data.enumerated() {
            let domain = source.name.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            let created = try await client.call(
                "POST", "/v1/datanets", as: cast.maya.token,
                json: [
                    "domain": .string(domain), "media": "text",
                    "policy": [
                        "access": "open", "licences": ["CC-BY-4.0", "CC0-1.0", "MIT", "Apache-2.0"], "treasury_points": 1_000,
                        "curator_points": 0,
                        "contributor_points": 9_000, "admission": "automatic", "minimum_quality": 100, "panel": 0, "quorum": 0,
                        "voting": "role",
                    ],
                ])
            guard let id = created["datanet"]?.stringValue else { throw CommandError("no Datanet came back") }
            var accepted = 0
            var rejected: [String] = []
            for (place, author) in source.authors.enumerated() {
                guard let person = cast.authors[author.name] else { continue }
                // The first author of the first Datanet slips in rows that must not pass.
                let planted = index == 0 && place == 0 ? Self.planted(after: author.rows) : []
                let settled = try await contribute(author.rows + planted, to: id, by: person)
                accepted += settled.accepted
                rejected += settled.reasons
            }
            if index == 0, rejected.isEmpty { throw CommandError("the planted rows passed the screening") }
            _ = try await client.wait(
                for: "the items' admission", "/v1/datanets/\(id)", as: cast.maya.token,
                until: { Self.figure("items", in: $0) ?? 0 >= accepted })
            let snapshot = try await client.call("POST", "/v1/datanets/\(id)/snapshots", as: cast.maya.token, json: .object(JSONObject()))
            guard let root = snapshot["root"]?.stringValue, let items = snapshot["items"]?.intValue else {
                throw CommandError("no snapshot came back")
            }
            let turned = rejected.isEmpty ? "" : "; \(rejected.count) refused (\(Set(rejected).sorted().joined(separator: ", ")))"
            Terminal.say(
                "   \(source.name): \(items) items of \(source.authors.count) authors\(turned). Snapshot 1, root \(root.prefix(19))…")
            datanets.append(Datanet(name: source.name, id: id, items: Int(items), root: root))
        }
        return datanets
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

    private func contribute(_ rows: [JSONValue], to datanet: String, by person: WayPerson) async throws -> (
        accepted: Int, reasons: [String]
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
        let signature = try person.key.sign(JSON.canonical(manifest))
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
        var reasons: [String] = []
        if settled["rejected"]?.intValue ?? 0 > 0 {
            let items = try await client.call("GET", "/v1/contributions/\(id)/items?limit=500", as: person.token)
            for item in items["items"]?.arrayValue ?? [] where item["verdict"]?.stringValue == "rejected" {
                reasons.append(item["reasons"]?.arrayValue?.first?.stringValue ?? "?")
            }
        }
        return (Int(accepted), reasons)
    }

    /// A figure wherever it stands in a Datanet's page.
    static func figure(_ name: String, in page: JSONValue) -> Int? {
        if let found = page[name]?.intValue { return Int(found) }
        for member in page.objectValue?.members ?? [] {
            if let found = figure(name, in: member.value) { return found }
        }
        return nil
    }

    // MARK: Model

    private func learn(_ cast: Cast, _ datanets: [Datanet]) async throws -> String {
        let taught = datanets
        let looked = datanets.last?.id ?? ""
        Terminal.say("\n3. A fine-tuning on the snapshots of \(taught.map(\.name).joined(separator: " and ")).")
        let base = try await client.wait(
            for: "the base model", "/v1/base-models", as: cast.maya.token, until: { $0["items"]?.arrayValue?.isEmpty == false })
        guard let name = base["items"]?.arrayValue?.first?["model"]?.stringValue else { throw CommandError("there is no base model") }
        let order: JSONValue = [
            "base": .string(name),
            "snapshots": .array(taught.map { ["datanet": .string($0.id), "number": 1] }),
            "settings": [
                "epochs": .int(Int64(epochs)), "learning_rate": 4_000, "rank": 16, "alpha": 32, "batch": 4, "holdout": 0, "passages": true,
                "maximum_tokens": 512,
            ],
        ]
        let quote = try await client.call("POST", "/v1/training-jobs/quote", as: cast.maya.token, json: order)
        let fee = try Self.amount(quote["fee"])
        _ = try await deposit(fee, for: cast.maya)
        let requested = try await client.call("POST", "/v1/training-jobs", as: cast.maya.token, json: order)
        guard let job = requested["job"]?.stringValue else { throw CommandError("no job came back") }
        Terminal.say("   \(DemoText.number(Int(quote["tokens"]?.intValue ?? 0))) tokens on \(name), for \(fee).")
        let meter = WayMeter()
        let done = try await client.wait(for: "the fine-tuning", limit: .seconds(900), "/v1/training-jobs/\(job)", as: cast.maya.token) {
            answer in
            meter.show(answer["progress"])
            return ["succeeded", "failed", "cancelled"].contains(answer["status"]?.stringValue)
        }
        meter.end()
        guard done["status"]?.stringValue == "succeeded" else {
            throw CommandError("the fine-tuning failed: \(done["reason"]?.stringValue ?? "no reason given")")
        }
        Terminal.say("   Loss \(meter.first) → \(meter.last). Adapter \((done["adapter"]?.stringValue ?? "").prefix(19))…")
        let free: JSONValue = ["asset": "USDC/6", "amount": "0"]
        let published = try await client.call(
            "POST", "/v1/adapters", as: cast.maya.token,
            json: [
                "model": "maya/almanac", "base": .string(name), "job": .string(job), "retrieval": [.string(looked)],
                "price": [
                    "request": ["asset": "USDC/6", "amount": "20000"], "input": free, "output": ["asset": "USDC/6", "amount": "100000000"],
                ],
                "split": ["owner": 2_000, "datanets": 1_000, "contributors": 6_000, "validators": 0, "compute": 1_000],
                "attribution": [
                    "rules": "attribution/1", "spans": 4_000, "influence": 3_000, "retrieval": 3_000, "threshold": 50_000_000,
                    "cap": 1_000_000_000, "fallback": "tokens", "minimum_span": 8,
                ],
            ])
        guard published["version"]?.intValue == 1 else { throw CommandError("the model was not published") }
        Terminal.say("   Published as maya/almanac: 60 % of each net fee goes to contributors; \(datanets.last?.name ?? "") is looked up.")
        return "maya/almanac"
    }

    static func amount(_ json: JSONValue?) throws -> Amount { try Amount(json: JSONField(json ?? .null)) }

    private func deposit(_ amount: Amount, for person: WayPerson) async throws -> JSONValue {
        let account = "payer:" + person.principal
        _ = try await client.call(
            "POST", "/v1/accounts", as: person.token, json: ["account": .string(account), "asset": .string(amount.asset.text)])
        return try await client.call(
            "POST", "/v1/accounts/\(account)/deposits", as: administrator,
            json: ["amount": amount.json, "rail": "sandbox", "reference": .string("demo-\(person.principal)")])
    }

    // MARK: Answers

    /// An answer and what it cost.
    struct Answer: Sendable {
        let asker: String
        let question: String
        let text: String
        let inference: String
        let fee: Amount
    }

    private func ask(_ cast: Cast, _ model: String) async throws -> [Answer] {
        Terminal.say("\n4. The app and its agent ask, through OpenAI's own interface; each answer has its price.")
        _ = try await deposit(Amount(50_000_000, try Asset("USDC/6")), for: cast.app)
        let key = try await client.call("POST", "/v1/keys", as: cast.app.token, json: ["scopes": ["inferences:write", "inferences:read"]])
        guard let secret = key["secret"]?.stringValue else { throw CommandError("no API key came back") }
        var answers: [Answer] = []
        for (index, question) in data.flatMap({ $0.questions.prefix(2) }).enumerated() {
            let isAgent = index % 2 == 1
            let reply = try await client.call(
                "POST", "/v1/chat/completions", as: isAgent ? cast.agent.token : secret,
                json: [
                    "model": .string(model), "messages": [["role": "user", "content": .string(question)]], "temperature": 0,
                    "max_tokens": 96,
                ])
            guard let text = reply["choices"]?.arrayValue?.first?["message"]?["content"]?.stringValue,
                let inference = reply["openledger"]?["inference"]?.stringValue
            else { throw CommandError("no answer came back") }
            let fee = try Self.amount(reply["openledger"]?["fee"])
            answers.append(
                Answer(asker: isAgent ? cast.agent.name : cast.app.name, question: question, text: text, inference: inference, fee: fee))
            Terminal.say("   \(isAgent ? "agent" : "app  ") \(fee)  \(question)")
            Terminal.say("         → \(text.split(separator: "\n").joined(separator: " ").prefix(140))")
        }
        return answers
    }

    // MARK: Money

    /// What became of an answer's fee.
    struct Earned: Sendable {
        let attribution: JSONValue
        let settlement: JSONValue
    }

    private func settle(_ answers: [Answer]) async throws -> [String: Earned] {
        Terminal.say("\n5. Each answer is attributed, and its fee shared out by the model's published policy.")
        var earned: [String: Earned] = [:]
        var moved: Set<String> = []
        for answer in answers {
            let attribution = try await client.wait(
                for: "the attribution of \(answer.inference)", "/v1/attributions/\(answer.inference)", as: administrator,
                until: { $0["attribution"] != nil })
            let settlement = try await settlement(of: answer.inference)
            earned[answer.inference] = Earned(attribution: attribution, settlement: settlement)
            for method in attribution["methods"]?.arrayValue ?? [] where method["weight"]?.intValue ?? 0 > 0 {
                if let name = method["method"]?.stringValue { moved.insert(name) }
            }
        }
        for method in ["spans", "influence", "retrieval"] where !moved.contains(method) {
            let told = earned.values.map { String(decoding: JSON.write($0.attribution["methods"] ?? .null), as: UTF8.self) }
            let missing = earned.values.flatMap { $0.attribution["missing"]?.arrayValue ?? [] }.compactMap(\.stringValue)
            let passages = earned.values.flatMap { $0.attribution["passages"]?.arrayValue ?? [] }
            throw CommandError(
                "\(method) moved no money in any answer (missing: \(missing); passages: \(String(decoding: JSON.write(.array(passages)), as: UTF8.self)); methods: \(told.joined(separator: " ")))"
            )
        }
        Terminal.say("   \(answers.count) attributions, \(answers.count) settlements; spans, influence and retrieval each moved money.")
        return earned
    }

    /// The settlement as it stands on the log, where anyone can read it.
    private func settlement(of inference: String) async throws -> JSONValue {
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline {
            let batch = try await client.call("GET", "/log/v1/events?from=0&limit=500", as: administrator)
            let found = (batch["events"]?.arrayValue ?? []).compactMap { $0["event"] }.first {
                $0["type"]?.stringValue == "settlement.posted" && $0["data"]?["reference"]?.stringValue == inference
            }
            if let data = found?["data"] { return data }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw CommandError("the fee of \(inference) was not settled")
    }

    // MARK: Audit

    private func audit() async throws {
        Terminal.say("\n6. A stranger copies the log and audits it, trusting nothing but its key:")
        let trust = try LogTrust(keys: [log])
        _ = try await LogExport(HTTPLogSource(transport: client.transport, url: client.url + "/log"), to: folder + "/bundle", trust: trust)
            .run()
        let report = try await LogAudit(FolderLogSource(folder + "/bundle"), trust: trust).run()
        if let fault = report.fault { throw CommandError("the audit failed: \(fault)") }
        Terminal.say(
            "   \(DemoText.number(Int(report.progress.done))) events: every entry, every tile, the root, the signature. audit: green")
    }
}
