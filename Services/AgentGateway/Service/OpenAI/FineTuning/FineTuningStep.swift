internal import Crypto
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell

/// One step of a fine-tuning: a call to another service in its owner's name, and what follows from the answer.
struct FineTuningStep: Sendable {
    let peers: Peers
    let shelf: FileShelf
    /// Signs contributions in the stead of owners, who have shown an API key and no key to sign with.
    let signature: Ed25519PrivateKey
    let now: Int64

    /// It can't go on.
    struct Failure: Error {
        let reason: String
    }

    /// The licence under which people keep rows for themselves.
    private static let licence = "LicenseRef-private"

    /// Takes the job's next step; the stage stays when there is nothing to do yet.
    /// - Returns: what a runner does about it.
    func take(_ job: inout FineTuningJob, price: ModelPrice?) async throws -> FineTuningJob.Activity {
        switch job.stage {
        case .datanet: try await open(&job)
        case .contribution: try await contribute(&job)
        case .upload: try await upload(&job)
        case .screening: try await screen(&job)
        case .admission: try await admit(&job)
        case .snapshot: try await publishSnapshot(&job)
        case .request: try await request(&job)
        case .training: return try await train(&job)
        case .publishing: try await publish(&job, price)
        case .succeeded, .failed, .cancelled: break
        }
        return .waiting
    }

    private func open(_ job: inout FineTuningJob) async throws {
        let datanet = try await peers.call(
            "POST", .datanet, "/v1/datanets",
            json: [
                "domain": "fine-tuning", "media": "text",
                "policy": [
                    "access": "invitation", "licences": [.string(Self.licence)], "treasury_points": 0, "curator_points": 0,
                    "contributor_points": 10_000, "admission": "automatic", "minimum_quality": 0, "panel": 0, "quorum": 0, "voting": "role",
                ],
            ], key: job.id + "-datanet")
        guard let id = datanet["datanet"]?.stringValue else { throw Failure(reason: "no Datanet came back") }
        job.datanet = id
        job.stage = .contribution
        job.note("Datanet \(id) was opened for the training file; nobody else is let in.", at: now)
    }

    private func rows(_ job: FineTuningJob) async throws -> [UInt8] {
        guard let file = try await shelf.file(job.trainingFile, of: job.owner) else {
            throw Failure(reason: "the training file \(job.trainingFile) is gone")
        }
        return try TrainingFile.rows(try await shelf.content(of: file)).rows
    }

    private func contribute(_ job: inout FineTuningJob) async throws {
        let rows = try await rows(job)
        let manifest: JSONValue = [
            "type": "openledger/manifest/v1", "datanet": .string(job.datanet ?? ""), "contributor": .string(job.owner), "kind": "own",
            "signer": .string(DIDKey.text(for: signature.publicKey)), "licence": .string(Self.licence),
            "files": [
                ["name": "rows.jsonl", "format": "jsonl", "bytes": .count(rows.count), "sha256": .string(SHA256.hash(rows).hex)]
            ],
            "columns": ["prompt": "prompt", "completion": "completion"],
        ]
        let signed = try signature.sign(
            ContributionSubmitted.message(
                datanet: job.datanet ?? "", contributor: job.owner, kind: "own", supersedes: nil,
                manifest: SHA256.hash(try JSON.canonical(manifest))))
        let begun = try await peers.call(
            "POST", .ingest, "/v1/contributions", json: ["manifest": manifest, "signature": .string(Base64URL.encode(signed))],
            key: job.id + "-contribution")
        guard let id = begun["contribution"]?.stringValue else { throw Failure(reason: "no contribution came back") }
        job.contribution = id
        job.stage = .upload
    }

    private func upload(_ job: inout FineTuningJob) async throws {
        let place = "/v1/contributions/\(job.contribution ?? "")"
        let rows = try await rows(job)
        let offset = try await peers.call("GET", .ingest, place + "/files/0")["offset"]?.intValue ?? 0
        if offset < rows.count {
            try await peers.send(
                Array(rows[Int(offset)...]), type: "application/octet-stream", method: "PATCH", headers: [("Upload-Offset", "\(offset)")],
                to: .ingest, place + "/files/0")
        }
        _ = try await peers.call("POST", .ingest, place + "/finish", key: job.id + "-finish")
        job.stage = .screening
    }

    private func screen(_ job: inout FineTuningJob) async throws {
        let place = "/v1/contributions/\(job.contribution ?? "")"
        let settled = try await peers.call("GET", .ingest, place)
        if settled["state"]?.stringValue == "failed" {
            throw Failure(reason: "the training file could not be read: \(settled["problem"]?.stringValue ?? "no reason given")")
        }
        guard settled["rules"] != nil, let accepted = settled["accepted"]?.intValue else { return }
        let rejected = settled["rejected"]?.intValue ?? 0
        if rejected > 0 {
            let items = try await peers.call("GET", .ingest, place + "/items?limit=500")["items"]?.arrayValue ?? []
            let reasons = items.filter { $0["verdict"]?.stringValue == "rejected" }.compactMap {
                $0["reasons"]?.arrayValue?.first?.stringValue
            }
            job.note(
                "\(rejected) examples were refused by the screening: \(Set(reasons).sorted().joined(separator: ", ")).", level: "warn",
                at: now)
        }
        guard accepted > 0 else { throw Failure(reason: "no example passed the screening") }
        job.accepted = Int(accepted)
        job.stage = .admission
    }

    private func admit(_ job: inout FineTuningJob) async throws {
        let page = try await peers.call("GET", .datanet, "/v1/datanets/\(job.datanet ?? "")")
        if let items = page["items"]?.intValue, items >= job.accepted ?? 0 { job.stage = .snapshot }
    }

    private func publishSnapshot(_ job: inout FineTuningJob) async throws {
        let snapshot = try await peers.call(
            "POST", .datanet, "/v1/datanets/\(job.datanet ?? "")/snapshots", json: .object(JSONObject()), key: job.id + "-snapshot")
        guard let number = snapshot["number"]?.intValue else { throw Failure(reason: "no snapshot came back") }
        job.snapshot = Int(number)
        job.stage = .request
        job.note("Snapshot \(number) of \(job.datanet ?? "") has \(job.accepted ?? 0) examples.", at: now)
    }

    private func request(_ job: inout FineTuningJob) async throws {
        let asked = try await peers.call(
            "POST", .training, "/v1/training-jobs",
            json: [
                "base": .string(job.base), "settings": job.settings,
                "snapshots": [["datanet": .string(job.datanet ?? ""), "number": .count(job.snapshot ?? 1)]],
            ], key: job.id + "-job")
        guard let id = asked["job"]?.stringValue else { throw Failure(reason: "no job came back") }
        job.job = id
        job.stage = .training
        job.note("Training job \(id) is in the queue.", at: now)
    }

    private func train(_ job: inout FineTuningJob) async throws -> FineTuningJob.Activity {
        let state = try await peers.call("GET", .training, "/v1/training-jobs/\(job.job ?? "")")
        job.note(progress: state["progress"], at: now)
        let status = state["status"]?.stringValue
        switch status {
        case "succeeded":
            job.tokens = state["tokens"]?.intValue.map { Int($0) }
            job.stage = .publishing
            job.note("The adapter is there: \(state["adapter"]?.stringValue ?? "").", at: now)
        case "failed": throw Failure(reason: "the training failed: \(state["reason"]?.stringValue ?? "no reason given")")
        case "cancelled":
            job.end(.cancelled, at: now)
            job.note("The training was cancelled.", at: now)
        default: break
        }
        return FineTuningJob.Activity(status: status)
    }

    private func publish(_ job: inout FineTuningJob, _ price: ModelPrice?) async throws {
        let asset = try Asset("USDC/6")
        let price = price ?? ModelPrice(request: .zero(asset), input: .zero(asset), output: .zero(asset))
        let number = String(job.id.suffix(12))
        let name = "ft-\(SHA256.hash(utf8: job.owner).hex.prefix(12))/\(job.suffix.map { $0 + "-" } ?? "")\(number)"
        _ = try await peers.call(
            "POST", .training, "/v1/adapters",
            json: [
                "model": .string(name), "base": .string(job.base), "job": .string(job.job ?? ""), "price": price.json, "private": true,
                "split": ["owner": 0, "datanets": 0, "contributors": 9_000, "validators": 0, "compute": 1_000],
            ], key: job.id + "-publish")
        job.model = name
        job.end(.succeeded, at: now)
        job.note("The model \(name) can be asked by its owner.", at: now)
    }
}
