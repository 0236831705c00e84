import Foundation
import JSON
import Synchronization
import TestSupport
import Testing

@testable import AgentGatewayService

@Suite struct RecordFolderTests {
    /// A machine that stopped in the middle may leave what is no record: it is named, and all others are there.
    @Test func oneTornRecordHidesNoOther() async throws {
        let folder = try TemporaryFolder("records")
        let records = RecordFolder(folder.path)
        for owner in ["ann", "bob"] { try await records.put(["of": .string(owner)], id: "job-1", owner: owner) }
        try await records.put(["of": "ann", "number": 2], id: "job-2", owner: "ann")
        try await records.put(["of": "ann", "number": 3], id: "job-2", owner: "ann")
        #expect(try await records.all().count == 3)
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix("job-1.json") }
        let torn = folder.path + "/" + (try #require(files.first))
        try Data("{\"of\": ".utf8).write(to: URL(fileURLWithPath: torn))
        let named = Mutex<[String]>([])
        let left = try await records.all { place, _ in named.withLock { $0.append(place) } }
        #expect(left.count == 2 && left.contains { $0["number"] == 3 })
        #expect(named.withLock { $0 } == [torn])
        // Drafts are gone.
        #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.contains(".json.") }.isEmpty)
    }
}
