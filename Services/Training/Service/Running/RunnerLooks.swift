internal import Crypto
internal import Events
internal import HTTPClient
internal import JSON
internal import ServiceShell
internal import Telemetry
internal import TrainingDomain
internal import Web

/// Rows of snapshots shown as a runner reads them, and adapters measured on them, before and after a job.
struct RunnerLooks: Sendable {
    private let peers: Peers
    private let runner: String

    /// `OPENLEDGER_TRAINING_RUNNER_URL`: a runner that tokenises and measures; the embedded one when left out.
    init(_ context: ServiceContext) {
        peers = context.peers
        runner = context.settings.string("TRAINING_RUNNER_URL", default: "http://embedded/runner")
    }

    /// The first items of a snapshot that pass, as the Datanet hands them out.
    /// - Parameter limit: how many at most; the rest is not read.
    func rows(_ datanet: String, _ number: Int, limit: Int, where passes: (JSONValue) -> Bool) async throws -> [JSONValue] {
        let answer = try await peers.open(
            "GET", .datanet, "/v1/datanets/\(datanet)/snapshots/\(number)/items?purpose=train", limit: 4 << 30)
        guard answer.status == 200 else {
            throw Problem(TrainingProblems.upstream, "the Datanet answered \(answer.status) for snapshot \(number) of \(datanet)")
        }
        var rows: [JSONValue] = []
        var rest: [UInt8] = []
        for try await piece in answer.body {
            rest += piece
            while let end = rest.firstIndex(of: 0x0A) {
                let line = Array(rest[..<end])
                rest.removeSubrange(...end)
                if let row = try Self.row(line), passes(row) { rows.append(row) }
                if rows.count == limit { return rows }
            }
        }
        if let row = try Self.row(rest), passes(row) { rows.append(row) }
        return rows
    }

    private static func row(_ line: [UInt8]) throws -> JSONValue? { line.isEmpty ? nil : try JSON.parse(line) }

    /// What a job would take of a runner; nil where no runner that can be asked has the base, or learns over it in the wanted form: whoever
    /// takes the job says so then, before it begins.
    func size(_ request: TrainingRules.Request, items: Int, tokens: Int) async -> JobTaking? {
        let question: JSONValue = [
            "base": .string(request.base), "settings": request.settings.json, "items": .count(items), "tokens": .count(tokens),
        ]
        let answer = try? await peers.open(
            "POST", url: runner + "/v1/estimates", as: .training, json: question, timeout: .seconds(10), limit: 1 << 16)
        guard let answer, answer.status == 200, let body = try? await answer.body.collect(upTo: 1 << 16),
            let told = try? JSON.parse(body)
        else { return nil }
        return try? JobTaking(told)
    }

    /// Has a runner look.
    func ask(_ path: String, _ question: JSONValue) async throws -> JSONValue {
        let answer = try await peers.open(
            "POST", url: runner + path, as: .training, json: question, timeout: .seconds(600), limit: 64 << 20)
        let body = try await answer.body.collect(upTo: 64 << 20)
        guard answer.status == 200 else {
            let error = PeerError(.training, answer.status, body)
            if answer.status < 500 { throw TrainingError.invalid(field: "/", reason: "is refused by the runner: \(error.detail)") }
            throw Problem(TrainingProblems.upstream, "the runner answered \(answer.status): \(error.detail)")
        }
        return try JSON.parse(body)
    }
}
