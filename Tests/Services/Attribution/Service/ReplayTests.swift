import AttributionDomain
import AttributionService
import Crypto
import Decisions
import EventLog
import Events
import Foundation
import HTTPClient
import JSON
import ServiceShell
import ServiceTestSupport
import Synchronization
import TestSupport
import Testing

/// The log of another house without what attribution had said: a clean clone reads it and says it again.
final class ReplayedLog: LogClient {
    private struct State {
        var events: [LoggedEvent]
        var versions: [StreamName: UInt64] = [:]
        var written: [[UInt8]] = []
    }

    private let state: Mutex<State>

    init(_ events: [LoggedEvent]) throws {
        let foreign = try events.filter { !Service.attribution.nouns.contains(String(try EventHeader(parsing: $0.bytes).noun)) }
        state = Mutex(
            State(events: foreign.enumerated().map { LoggedEvent(position: UInt64($0), version: $1.version, bytes: $1.bytes) }))
    }

    var written: [[UInt8]] { state.withLock { $0.written } }

    func append(_ request: AppendRequest) async throws -> Appended {
        try state.withLock { state in
            let position = UInt64(state.events.count)
            var entries: [Appended.Entry] = []
            for bytes in request.events {
                let header = try EventHeader(parsing: bytes)
                let version = state.versions[header.stream, default: 0]
                if case .exact(let expected) = request.expected[header.stream], expected != version {
                    throw LogError.unavailable("a version that was not expected")
                }
                state.versions[header.stream] = version + 1
                entries.append(Appended.Entry(id: header.id, stream: header.stream, version: version))
                state.events.append(LoggedEvent(position: UInt64(state.events.count), version: version, bytes: bytes))
                state.written.append(bytes)
            }
            return Appended(position: position, entries: entries)
        }
    }

    func read(from position: UInt64, limit: Int, wait: Duration?) async throws -> LogBatch {
        if wait != nil, state.withLock({ UInt64($0.events.count) <= position }) { try await Task.sleep(for: .milliseconds(5)) }
        return state.withLock { LogBatch(events: Array($0.events.dropFirst(Int(position)).prefix(limit)), size: UInt64($0.events.count)) }
    }

    func read(stream: StreamName, from version: UInt64, limit: Int) async throws -> [LoggedEvent] { [] }
}

@Suite("Two clones") struct ReplayTests {
    @Test func twoCleanClonesWriteTheSameBytesOneOfThemInterrupted() async throws {
        try await withAttributionHouse { house in
            let items = (0..<12).map { AttributionHouse.Item(id: "i\($0)", owner: "o\($0 % 5)", text: words($0 * 30..<$0 * 30 + 60)) }
            let first = try await house.publish(Array(items[..<8]))
            let second = try await house.publish(Array(items[8...]), datanet: "dn_2")
            try await house.publish(items, number: 2, admits: false)
            func row(_ role: UInt8, _ number: Int) -> RowBytes {
                RowBytes(
                    role: role, scales: [0.5, 0.037],
                    values: [(0..<5).map { Int8(($0 * 31 + number * 17) % 255 - 127) }, (0..<3).map { Int8(($0 + number) * 13 % 127) }])
            }
            try await house.publishRows((0..<12).map { ("i\($0)", row(1, $0)) } + [("canary/0/0", row(1, 40)), ("canary/0/1", row(1, 3))])
            try await house.publishModel([first, second], retrieval: ["dn_2"], job: "job_1") {
                ($0.cap, $0.rules) = (300_000_000, "attribution/2")
            }
            try await house.publishModel([first, second], retrieval: ["dn_2"], job: "job_1", version: 2) {
                ($0.cap, $0.rules) = (300_000_000, "attribution/4")
            }
            try await house.append(KeyRotated(principal: "o1", added: "did:key:z1", verified: "mail"), by: .agentGateway)
            for number in 0..<15 {
                let passage = Events.RetrievedPassage(
                    datanet: "dn_2", item: "i\(8 + number % 4)", owner: "o\((8 + number % 4) % 5)", offset: 0, length: 200, cited: true)
                try await house.answer(
                    "inf_\(number)", words(number * 20..<number * 20 + 25) + " and " + words(300..<330), prompt: words(0..<9),
                    row: number % 3 == 2 ? nil : house.standIns.put(artefact: row(2, number).bytes),
                    passages: number % 2 == 0 ? [passage] : [], version: 1 + number / 2 % 2)
                if number == 7 {
                    try await house.append(ContributionWithdrawn(contribution: "c-i3", contributor: "o3", items: []), by: .ingest)
                }
            }
            let said = try await house.serving { _ in
                _ = try await house.attribution(of: "inf_14")
                return try await house.log().map(\.bytes).filter {
                    Service.attribution.nouns.contains(String(try EventHeader(parsing: $0).noun))
                }
            }
            #expect(said.count == 18)
            // Each clone is a house of its own: another database, other folders, and of the first the log and what it names.
            for isInterrupted in [false, true] {
                try await withAttributionHouse { clone in
                    let replayed = try ReplayedLog(try await house.log())
                    let folder = try TemporaryFolder("clone")
                    try copyEvidence(from: try house.context.shared, to: folder.path)
                    if isInterrupted { try await run(clone, peers: house, replayed, folder, until: 7) }
                    try await run(clone, peers: house, replayed, folder, until: said.count)
                    // Which index is built while answers are attributed is nobody's choice; the answers' order is the log's.
                    #expect(Set(replayed.written) == Set(said))
                    #expect(try computed(replayed.written) == computed(said))
                }
            }
            for bytes in try computed(said) {
                let computed = try AttributionComputed(Fact(LoggedEvent(position: 0, version: 0, bytes: bytes)).data.object())
                let statement = try await house.statement(computed.evidence)
                #expect(try EvidenceList.entries(statement.shares()) == computed.shares)
                #expect(computed.shares.byOwner.values.reduce(0, +) == 1_000_000_000)
                let again = try AttributionStatement(json: statement.bytes())
                #expect(again == statement)
            }
            // The answers are of all kinds: with influence and without, with passages and without.
            let methods = try computed(said).map {
                try AttributionComputed(Fact(LoggedEvent(position: 0, version: 0, bytes: $0)).data.object()).methods.map { $0.weight > 0 }
            }
            for place in 0..<3 { #expect(Set(methods.map { $0[place] }).count == 2 || place == 0) }
        }
    }

    /// A clone on its own folder, until as many events are written; the others' services are those of the first house.
    private func run(
        _ house: AttributionHouse, peers: AttributionHouse, _ log: ReplayedLog, _ folder: TemporaryFolder, until count: Int
    ) async throws {
        let context = try house.context
        let clone = try await AttributionService.open(
            ServiceContext(
                service: .attribution, log: log, database: context.database, peers: try peers.context.peers, signer: context.signer,
                folder: folder.path, shared: folder.path, settings: context.settings, clock: context.clock, logger: context.logger,
                metrics: context.metrics))
        let running = Task { await clone.run() }
        try await eventually("the clone has said as much") { log.written.count >= count }
        running.cancel()
        await running.value
    }

    private func computed(_ events: [[UInt8]]) throws -> [[UInt8]] {
        try events.filter { try EventHeader(parsing: $0).type == AttributionComputed.type }
    }
}

/// The snapshots' lists are there in both; what attribution adds is its own.
private func copyEvidence(from: String, to: String) throws {
    try? FileManager.default.removeItem(atPath: to + "/evidence")
    try FileManager.default.copyItem(atPath: from + "/evidence", toPath: to + "/evidence")
}
