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
    @Test func aCleanCloneWritesTheSameBytes() async throws {
        try await withAttributionHouse { house in
            let items = (0..<12).map { AttributionHouse.Item(id: "i\($0)", owner: "o\($0 % 5)", text: words($0 * 30..<$0 * 30 + 60)) }
            let first = try await house.publish(Array(items[..<8]))
            let second = try await house.publish(Array(items[8...]), datanet: "dn_2")
            try await house.publish(items, number: 2, admits: false)
            try await house.publishModel([first, second]) { $0.cap = 300_000_000 }
            try await house.append(KeyRotated(principal: "o1", added: "did:key:z1", verified: "mail"), by: .agentGateway)
            for number in 0..<15 {
                try await house.answer(
                    "inf_\(number)", words(number * 20..<number * 20 + 25) + " and " + words(300..<330), prompt: words(0..<9))
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
            let replayed = try ReplayedLog(try await house.log())
            let context = try house.house.context(.attribution)
            let folder = try TemporaryFolder("clone")
            let clone = try await AttributionService.open(
                ServiceContext(
                    service: .attribution, log: replayed, database: context.database, peers: context.peers, signer: context.signer,
                    folder: folder.path, shared: folder.path, settings: context.settings, clock: context.clock, logger: context.logger,
                    metrics: context.metrics))
            try copyEvidence(from: context.shared, to: folder.path)
            let running = Task { await clone.run() }
            try await eventually("the clone has said as much") { replayed.written.count >= said.count }
            running.cancel()
            await running.value
            #expect(said.count == 18)
            #expect(Set(replayed.written) == Set(said))
            for bytes in said {
                let event = try Fact(LoggedEvent(position: 0, version: 0, bytes: bytes))
                guard event.type == AttributionComputed.type else { continue }
                let computed = try AttributionComputed(event.data.object())
                let statement = try await house.statement(computed.evidence)
                #expect(try EvidenceList.entries(statement.shares()) == computed.shares)
                #expect(computed.shares.byOwner.values.reduce(0, +) == 1_000_000_000)
                let again = try AttributionStatement(json: statement.bytes())
                #expect(again == statement)
            }
        }
    }
}

/// The snapshots' lists are there in both; what attribution adds is its own.
private func copyEvidence(from: String, to: String) throws {
    try FileManager.default.removeItem(atPath: to + "/evidence")
    try FileManager.default.copyItem(atPath: from + "/evidence", toPath: to + "/evidence")
}
