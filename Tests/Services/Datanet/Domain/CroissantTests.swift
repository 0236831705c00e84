import Crypto
import DatanetDomain
import Events
import Foundation
import JSON
import TestSupport
import Testing

@Suite struct CroissantTests {
    /// A manifest and its list, as the service would keep them.
    private func files() throws -> (manifest: [UInt8], list: [UInt8], root: Digest) {
        var play = Rehearsal()
        let id = try play.create()
        try play.screen("co_1", id, (0..<40).map { .item("it_\($0)", owner: "o\($0 % 3)", licence: $0 % 2 == 0 ? "MIT" : "CC-BY-4.0") })
        try play.settle("co_1")
        let tree = try SnapshotTree(try play.live(id))
        let list = try tree.list()
        let manifest = CroissantManifest(
            datanet: try play.state.datanet(id), number: 2, root: tree.root, list: (SHA256.hash(list), list.count),
            statistics: SnapshotStatistics(tree.items), published: play.time, publisher: "olga", previous: SHA256.hash(utf8: "before"))
        return (try manifest.bytes(), list, tree.root)
    }

    @Test func theManifestIsTheSameBytesEveryTimeAndNamesTheListByItsHash() throws {
        let (manifest, list, root) = try files()
        #expect(try files().manifest == manifest)
        let json = try JSON.parse(manifest)
        #expect(json["distribution"]?.arrayValue?.first?["sha256"]?.stringValue == SHA256.hash(list).hex)
        #expect(json["identifier"]?.stringValue == root.prefixed && json["datePublished"]?.stringValue == "2027-01-15")
        #expect(json["license"] == ["https://spdx.org/licenses/CC-BY-4.0.html", "https://spdx.org/licenses/MIT.html"])
        #expect(json["prov:wasGeneratedBy"]?["@type"]?.stringValue == "prov:Activity" && json["prov:wasDerivedFrom"] != nil)
    }

    private static let hasCroissant: Bool = {
        guard let python = TestInput.python else { return false }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('mlcroissant') is None)"]
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()

    @Test(.enabled(if: CroissantTests.hasCroissant, "needs OPENLEDGER_TEST_PYTHON, a Python with mlcroissant"))
    func `mlcroissant loads the manifest, and the root follows from what it loaded`() throws {
        let python = try #require(TestInput.python)
        let folder = try TemporaryFolder("croissant")
        let (manifest, list, root) = try files()
        try Data(manifest).write(to: URL(fileURLWithPath: folder.path + "/manifest.json"))
        try Data(list).write(to: URL(fileURLWithPath: folder.path + "/list"))
        let script = URL(fileURLWithPath: TestInput.migrations).deletingLastPathComponent().path + "/Tests/Interop/load_croissant.py"
        let (status, output) = try run(python, [script, folder.path, root.hex])
        #expect(status == 0, "\(output)")
        // One record changed, and it is refused.
        var changed = list
        changed[changed.count / 2] ^= 1
        try Data(changed).write(to: URL(fileURLWithPath: folder.path + "/list"))
        #expect(try run(python, [script, folder.path, root.hex]).0 != 0)
    }

    private func run(_ program: String, _ arguments: [String]) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }
}
