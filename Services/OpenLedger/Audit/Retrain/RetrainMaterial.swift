import Crypto
import DatanetDomain
import Events
import Foundation
import HTTP
import HTTPClient
import JSON

/// A job's settings, record and rows, each checked against its hash on the log.
struct RetrainMaterial: Sendable {
    let settings: JSONValue
    let record: JSONValue
    /// By snapshot.
    let rows: [[JSONValue]]

    /// From the folder where it lies, else from the house, which then fills the folder.
    static func read(
        _ facts: RetrainFacts, folder: String?, house: RetrainHouse?, note: @Sendable (String) -> Void
    ) async throws -> RetrainMaterial {
        let place = RetrainPlace(folder: folder, house: house, job: facts.completed.job)
        let settings = try await place.evidence("settings", facts.settings)
        let record = try await place.evidence("record", facts.completed.record)
        var rows: [[JSONValue]] = []
        for snapshot in facts.snapshots {
            note("reading \(snapshot.items) rows of snapshot \(snapshot.number) of \(snapshot.datanet)")
            let lines = try await place.rows(snapshot)
            try check(lines, snapshot)
            rows.append(lines)
        }
        return RetrainMaterial(settings: settings, record: record, rows: rows)
    }

    /// The rows are the snapshot's, whole, and in its order: their members lead to the root on the log.
    static func check(_ lines: [JSONValue], _ snapshot: SnapshotPublished) throws {
        let name = "snapshot \(snapshot.number) of \(snapshot.datanet)"
        var items: [AdmittedItem] = []
        var gone = 0
        for (index, line) in lines.enumerated() {
            var object = try JSONField(line, at: "/\(index)").object().object
            if object["withdrawn"]?.boolValue == true { gone += 1 }
            object["content"] = nil
            object["withdrawn"] = nil
            items.append(try AdmittedItem(JSONFields(object, at: "/\(index)")))
        }
        guard gone == 0 else {
            throw CommandError(
                "\(gone) of the \(lines.count) rows of \(name) were taken back since: what is left can't make the same adapter")
        }
        let tree = try SnapshotTree(items)
        guard tree.root == snapshot.root else {
            throw CommandError("the rows of \(name) have root \(tree.root.prefixed), the log says \(snapshot.root.prefixed)")
        }
        guard tree.items.map(\.item) == items.map(\.item) else { throw CommandError("the rows of \(name) are not in the snapshot's order") }
    }
}

/// Where material is looked for.
struct RetrainPlace: Sendable {
    let folder: String?
    let house: RetrainHouse?
    let job: String
    private static let largest = 4 << 30

    /// A canonical document with that hash.
    func evidence(_ name: String, _ digest: Digest) async throws -> JSONValue {
        let path = folder.map { $0 + "/\(name).json" }
        if let path, let bytes = FileManager.default.contents(atPath: path) {
            let value = try JSON.parse([UInt8](bytes))
            guard SHA256.hash(try JSON.canonical(value)) == digest else {
                throw CommandError("\(path) is not the job's \(name): the log says \(digest.prefixed)")
            }
            return value
        }
        guard let house else { throw CommandError(missing(name + ".json")) }
        let answer = try JSON.parse(try await get(house, "/v1/training-jobs/\(job)/record", limit: 16 << 20))
        guard let value = answer[name], SHA256.hash(try JSON.canonical(value)) == digest else {
            throw CommandError("\(house.url) gives another \(name) of job \(job) than the log's \(digest.prefixed)")
        }
        try keep(JSON.write(value), path)
        return value
    }

    /// A snapshot's rows, one object a line.
    func rows(_ snapshot: SnapshotPublished) async throws -> [JSONValue] {
        let path = folder.map { $0 + "/\(snapshot.snapshot).jsonl" }
        let bytes: [UInt8]
        if let path, let kept = FileManager.default.contents(atPath: path) {
            bytes = [UInt8](kept)
        } else {
            guard let house else { throw CommandError(missing("\(snapshot.snapshot).jsonl")) }
            bytes = try await get(
                house, "/v1/datanets/\(snapshot.datanet)/snapshots/\(snapshot.number)/items?purpose=train", limit: Self.largest)
            try keep(bytes, path)
        }
        return try bytes.split(separator: 0x0A).map { try JSON.parse(Array($0)) }
    }

    private func missing(_ file: String) -> String {
        folder.map { "\($0) has no \(file), and LOG is no URL to fetch it from" }
            ?? "LOG is no URL to fetch \(file) from: name the folder that has it with --rows"
    }

    private func keep(_ bytes: [UInt8], _ path: String?) throws {
        guard let path, let folder else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic)
    }

    private func get(_ house: RetrainHouse, _ path: String, limit: Int) async throws -> [UInt8] {
        guard !house.credential.isEmpty else {
            throw CommandError("\(house.url) hands out a job's rows to who has a grant: give a token with --token-file or OPENLEDGER_TOKEN")
        }
        let transport = try LogPlace.transport(ca: house.ca)
        var request = ClientRequest(method: "GET", url: house.url + path, timeout: .seconds(3_600), maximumBodyBytes: limit)
        request.headers.set("Authorization", "Bearer " + house.credential)
        let response = try await transport.send(request)
        let body = try await response.body.collect(upTo: response.status < 300 ? limit : 1 << 16)
        await transport.close()
        guard response.status < 300 else {
            let detail = (try? JSON.parse(body))?["detail"]?.stringValue ?? ""
            throw CommandError("GET \(path): \(response.status) \(detail)")
        }
        return body
    }
}
