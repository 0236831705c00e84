import Telemetry
import TestSupport
import Testing
import Web

@testable import openledger

@Suite struct DiskSpaceTests {
    private func place(_ path: String, least: Int) throws -> DiskSpace {
        try DiskSpace("data", path, Configuration(["OPENLEDGER_LEAST_DISK_MIB": "\(least)"]))
    }

    @Test func `a disk with too little room is refused with its folder and what is free, and is not ready`() async throws {
        let folder = try TemporaryFolder("disk")
        // Of a folder that is yet to be made the one above counts.
        let path = folder.path("not/yet")
        let plenty = try place(path, least: 0)
        try plenty.insist()
        #expect(try #require(plenty.free) > 0)
        #expect(await plenty.check.state() == .ready)

        let full = try place(path, least: 1 << 20)
        let error = #expect(throws: CommandError.self) { try full.insist() }
        let words = try #require(error).description
        #expect(
            words.contains(path) && words.contains("MiB, and 1048576 are needed") && words.contains("OPENLEDGER_LEAST_DISK_MIB"), "\(words)"
        )
        let state = await full.check.state()
        #expect(state != .ready, "a terabyte, of which a fifth is not free either")
    }

    @Test func `what is free is a metric`() async throws {
        let folder = try TemporaryFolder("disk")
        let metrics = Metrics()
        let places = [try place(folder.path, least: 0)]
        let watching = Task { await DiskSpace.watch(places, metrics) }
        try await eventually("it is measured") {
            metrics.render().split(separator: "\n").contains { $0.hasPrefix("openledger_disk_free_bytes{place=\"data\"} ") }
        }
        watching.cancel()
        await watching.value
    }
}
