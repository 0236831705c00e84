import Crypto
import DatanetDomain
import Engine
import EventLog
import Events
import Foundation
import HTTP
import HTTPServer
import JSON
import Money
import RunnerService
import TestSupport
import Testing

@testable import openledger

/// `openledger audit --retrain` on a log in a folder, with the model that ships.
@Suite struct RetrainAuditTests {
    let folder: TemporaryFolder
    let written = Written()
    let settings: JSONValue = [
        "epochs": 2, "learning_rate": 4_000, "batch": 2, "rank": 2, "seed": 5, "alpha": 4, "targets": ["q_proj", "v_proj"], "warmup": 0,
        "holdout": 0, "maximum_tokens": 64, "checkpoint_every": 50, "passages": false,
    ]
    let record: JSONValue = ["engine": "openledger-engine/1", "kernel_level": "avx2", "threads": 1, "steps": 4, "final_loss_micros": 1]
    let items: [AdmittedItem]
    let snapshot: SnapshotPublished

    init() throws {
        folder = try TemporaryFolder("retrain")
        let all = (0..<4).map { number in
            AdmittedItem(
                item: "it_\(number)", contribution: "ct_1", owner: "carl", commitment: SHA256.hash(utf8: "\(number)"), tokens: 10,
                licence: "CC0-1.0", language: "en", cluster: "it_\(number)")
        }
        let tree = try SnapshotTree(all)
        items = tree.items
        let list = SHA256.hash(try tree.list())
        snapshot = SnapshotPublished(
            datanet: "dn_1", snapshot: "sn_1", number: 1, root: tree.root, manifest: list, items: 4, tokens: 40, owners: 1, list: list)
        try FileManager.default.createDirectory(atPath: folder.path("rows"), withIntermediateDirectories: true)
        try writeMaterial()
    }

    private func row(_ item: AdmittedItem) -> JSONObject {
        var object = item.json.objectValue ?? JSONObject()
        object["content"] = ["prompt": .string("What is \(item.item)?"), "completion": "A part of the pool."]
        return object
    }

    private func writeMaterial(record: JSONValue? = nil, _ change: (inout [JSONObject]) -> Void = { _ in }) throws {
        var rows = items.map(row)
        change(&rows)
        let lines = rows.map { String(decoding: JSON.write(.object($0)), as: UTF8.self) + "\n" }
        try folder.write(lines.joined(), to: "rows/sn_1.jsonl")
        try folder.write(String(decoding: JSON.write(settings), as: UTF8.self), to: "rows/settings.json")
        try folder.write(String(decoding: JSON.write(record ?? self.record), as: UTF8.self), to: "rows/record.json")
    }

    private var reference: SnapshotReference { SnapshotReference(datanet: "dn_1", snapshot: "sn_1", number: 1, root: snapshot.root) }

    /// A log that tells of the job, with this adapter.
    private func writeLog(adapter: Digest, base: Digest, rows: Digest? = nil, record: JSONValue? = nil) throws {
        let fee = Amount(1, try Asset("USDC/6"))
        let facts: [(any EventData, String)] = [
            (BaseModelRegistered(model: "b", owner: "runner", artefact: base, licence: "MIT", parameters: 1), "base-model/b"),
            (snapshot, "snapshot/sn_1"),
            (
                JobRequested(
                    job: "j", owner: "ann", base: "b", snapshots: [reference], settings: SHA256.hash(try JSON.canonical(settings)), fee: fee
                ),
                "job/j"
            ),
            (JobStarted(job: "j", runner: "runner", attempt: 1), "job/j"),
            (
                JobCompleted(
                    job: "j", owner: "ann", base: "b", snapshots: [reference], adapter: adapter, rows: rows, shares: .entries([]),
                    tokens: 1, fee: fee,
                    runner: "runner", record: SHA256.hash(try JSON.canonical(record ?? self.record))), "job/j"
            ),
        ]
        let entries = try facts.enumerated().map { number, fact in
            try Event(
                type: type(of: fact.0).type, stream: try #require(StreamName(fact.1)), time: Timestamp(microseconds: Int64(number)),
                actor: "ann", cause: .command(id: "c\(number)", digest: SHA256.hash([])), ordinal: 0, correlation: "t", data: fact.0.json
            ).encoded()
        }
        let signer = try #require(
            NoteSigner(name: "log.example/retrain", key: try Ed25519PrivateKey(seed: [UInt8](repeating: 3, count: 32))))
        var builder = TileBuilder()
        for entry in entries { builder.append(Merkle.leaf(entry)) }
        for (tile, hashes) in builder.partialTiles { try put(hashes, tile.path) }
        let tile = try #require(Tile.at(level: 0, index: 0, size: UInt64(entries.count)))
        try put(EntryBundle.encode(entries), tile.bundlePath)
        let checkpoint = Checkpoint(
            origin: "log.example/retrain", size: UInt64(entries.count), root: Merkle.root(of: entries.map { Merkle.leaf($0) }))
        try put(Array(try SignedCheckpoint(signing: checkpoint, by: [signer]).note.encoded.utf8), "checkpoint")
        try put(Array("\(signer.verifier)\n".utf8), "keys")
    }

    private func put(_ bytes: [UInt8], _ path: String) throws {
        let url = folder.url.appendingPathComponent("log").appendingPathComponent(path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    private func audit(_ written: Written, _ more: [String] = [], job: String = "j") async -> Int32 {
        let words = [folder.path("log"), "--retrain", job, "--rows", folder.path("rows")] + more
        return await AuditCommand.run(words, console: written.console)
    }

    @Test func `the adapter that the rows make is accepted, another is not, and altered or missing rows are named`() async throws {
        let base = try BaseModels.artefact(of: try #require(BaseModels.shipped()))
        let order = Retraining.Job(id: "j", base: "b", baseArtefact: base, snapshots: [reference], settings: settings, record: record)
        let made = try await Retraining(order).run(rows: [items.map { .object(row($0)) }], attribution: false)
        #expect(made.steps == 4 && made.rows == 4)
        try writeLog(adapter: made.adapter, base: base)
        #expect(await audit(written) == 0, "\(written.err)")
        #expect(written.out.contains("The adapter is what these rows make.") && written.out.contains(made.adapter.prefixed))
        let machine = Written()
        #expect(await audit(machine, ["--json"]) == 0)
        #expect(try JSON.parse(machine.out)["same"] == true)

        // Rows that nobody made decide whom the adapter's answers pay: they are held against what comes out, unless that is left out.
        try writeLog(adapter: made.adapter, base: base, rows: SHA256.hash(utf8: "others' rows"))
        let (other, left) = (Written(), Written())
        #expect(await audit(other) == 1)
        #expect(other.out.contains("The adapter is what these rows make.") && other.out.contains("THE ATTRIBUTION ROWS ARE OTHER ONES"))
        #expect(await audit(left, ["--no-rows"]) == 0)
        #expect(left.out.contains("The attribution rows were not compared."))
        try writeLog(adapter: made.adapter, base: base)

        let unknown = Written()
        #expect(await audit(unknown, job: "k") == 2)
        #expect(unknown.err.contains("the log has no job k"))
        try writeMaterial { $0[1]["tokens"] = 11 }
        let altered = Written()
        #expect(await audit(altered) == 2)
        #expect(altered.err.contains("root"), "\(altered.err)")
        try writeMaterial {
            $0[1]["content"] = .null
            $0[1]["withdrawn"] = true
        }
        let withdrawn = Written()
        #expect(await audit(withdrawn) == 2)
        #expect(withdrawn.err.contains("1 of the 4 rows"), "\(withdrawn.err)")
        try writeMaterial()
        try folder.write("{}", to: "rows/settings.json")
        let settled = Written()
        #expect(await audit(settled) == 2)
        #expect(settled.err.contains("is not the job's settings"))

        try writeMaterial { $0[0]["content"] = ["prompt": "What is it?", "completion": "Something else."] }
        let different = Written()
        #expect(await audit(different) == 1)
        #expect(different.out.contains("THE ADAPTER IS ANOTHER ONE"))
        try writeMaterial()
        try writeLog(adapter: made.adapter, base: SHA256.hash(utf8: "another base"))
        let elsewhere = Written()
        #expect(await audit(elsewhere) == 2)
        #expect(elsewhere.err.contains("--base"))
    }

    /// An honest job of a machine whose library of functions rounds otherwise is not called faulty.
    @Test func `another library of functions or other kernels make a job that cannot be repeated here, and no faulty one`() async throws {
        let base = try BaseModels.artefact(of: try #require(BaseModels.shipped()))
        func recorded(_ members: [(String, JSONValue)]) throws -> JSONValue {
            var object = try #require(record.objectValue)
            for (name, value) in members { object[name] = value }
            return .object(object)
        }
        let foreign = try recorded([("libm", "musl 1.2"), ("libm_digest", .digest(SHA256.hash(utf8: "musl")))])
        try writeLog(adapter: SHA256.hash(utf8: "of another machine"), base: base, record: foreign)
        try writeMaterial(record: foreign)
        #expect(await audit(written) == 2)
        #expect(written.err.contains("may not be repeatable here: it was computed with musl 1.2"), "\(written.err)")
        #expect(written.out.contains("Another adapter came out here.") && written.out.contains("THE JOB CANNOT BE REPEATED HERE"))
        #expect(!written.out.contains("THE ADAPTER IS ANOTHER ONE"))
        let machine = Written()
        #expect(await audit(machine, ["--json"]) == 2)
        let told = try JSON.parse(machine.out)
        #expect(told["same"] == false && told["not_repeatable_here"]?.stringValue?.contains("musl 1.2") == true)

        // What comes out the same is the same, and the library of this machine leaves no doubt about another outcome.
        let own = try recorded([("libm", .string(MathLibrary.name)), ("libm_digest", .digest(MathLibrary.digest))])
        try writeLog(adapter: SHA256.hash(utf8: "a lie"), base: base, record: own)
        try writeMaterial(record: own)
        let lie = Written()
        #expect(await audit(lie) == 1)
        #expect(lie.out.contains("THE ADAPTER IS ANOTHER ONE") && !lie.err.contains("may not be repeatable"))
        let order = Retraining.Job(id: "j", base: "b", baseArtefact: base, snapshots: [reference], settings: settings, record: own)
        let made = try await Retraining(order).run(rows: [items.map { .object(row($0)) }], attribution: false)
        try writeLog(adapter: made.adapter, base: base, record: foreign)
        try writeMaterial(record: foreign)
        let same = Written()
        #expect(await audit(same) == 0, "\(same.err)")
        #expect(same.out.contains("The adapter is what these rows make.") && !same.out.contains("CANNOT BE REPEATED"))

        let strange = try recorded([("kernel_level", "neon9")])
        try writeLog(adapter: made.adapter, base: base, record: strange)
        try writeMaterial(record: strange)
        let kernels = Written()
        #expect(await audit(kernels) == 2)
        #expect(kernels.err.contains("cannot be repeated here: it was computed with neon9 kernels"), "\(kernels.err)")
    }

    @Test func `what could not be fetched is said before any work`() async throws {
        try writeLog(adapter: SHA256.hash(utf8: "a"), base: SHA256.hash(utf8: "b"))
        try FileManager.default.removeItem(atPath: folder.path("rows/sn_1.jsonl"))
        #expect(await audit(written) == 2)
        #expect(written.err.contains("has no sn_1.jsonl"), "\(written.err)")
    }

    @Test func `a live house hands its log to everybody and the rows to who has a grant, and the folder is filled`() async throws {
        let base = try BaseModels.artefact(of: try #require(BaseModels.shipped()))
        let order = Retraining.Job(id: "j", base: "b", baseArtefact: base, snapshots: [reference], settings: settings, record: record)
        try writeLog(
            adapter: try await Retraining(order).run(rows: [items.map { .object(row($0)) }], attribution: false).adapter, base: base)
        let (log, rows) = (folder.path("log"), try #require(FileManager.default.contents(atPath: folder.path("rows/sn_1.jsonl"))))
        let told = JSON.write(["job": "j", "settings": settings, "record": record])
        let server = try Server(.ipv4("127.0.0.1", port: 0)) { request in
            let path = String(request.path)
            if path.hasPrefix("/log/") {
                guard let bytes = FileManager.default.contents(atPath: log + path.dropFirst(4)) else { return Response(status: 404) }
                return Response(body: .bytes([UInt8](bytes)))
            }
            guard request.headers["Authorization"] == "Bearer grant" else { return Response(status: 403) }
            switch request.target {
            case "/v1/training-jobs/j/record": return Response(body: .bytes(told))
            case "/v1/datanets/dn_1/snapshots/1/items?purpose=train": return Response(body: .bytes([UInt8](rows)))
            default: return Response(status: 404)
            }
        }
        let url = "http://127.0.0.1:\(server.port)"
        try folder.write("grant\n", to: "token")
        try folder.write("another", to: "other")
        func run(_ place: String, _ more: [String], _ written: Written) async -> Int32 {
            await AuditCommand.run(
                [place, "--retrain", "j", "--rows", folder.path("kept"), "--key-file", folder.path("log/keys")] + more,
                console: written.console)
        }
        let (strange, live, later) = (Written(), Written(), Written())
        let refused = await run(url, ["--token-file", folder.path("other")], strange)
        let status = await run(url, ["--token-file", folder.path("token")], live)
        await server.stop(grace: .zero)
        #expect(refused == 2 && strange.err.contains("403"), "\(strange.err)")
        #expect(status == 0, "\(live.err)")
        // With what it fetched, no house is needed.
        #expect(await run(log, [], later) == 0, "\(later.err)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path("kept")).sorted() == [
                "record.json", "settings.json", "sn_1.jsonl",
            ])
    }
}
