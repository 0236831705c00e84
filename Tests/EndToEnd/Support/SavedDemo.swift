import Foundation
import PrivatePostgres
import TestSupport
import Testing

/// What a demo left behind: receipts and a copy of the log, as a stranger gets them who has nothing else.
struct SavedDemo {
    let folder: String
    /// The second verifier, written from the format's description.
    private static let second = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../../../docs/verify/receipt.py"
    ).standardized.path

    /// Both verifiers find that every receipt holds, an audit of the copy is green, and red once a byte of anything in it is another.
    func check() async throws {
        try await checkReceipts()
        let audit = try await run("audit", folder + "/bundle", "--key-file", folder + "/log.key")
        #expect(audit.status == .exited(0), "\(audit.output)")
        for file in try oneOfEachKind() {
            let tampered = try await withOneOtherByte(in: file) {
                try await run("audit", folder + "/bundle", "--key-file", folder + "/log.key")
            }
            #expect(tampered.status == .exited(1), "with another byte in \(file):\n\(tampered.output)")
        }
    }

    private func checkReceipts() async throws {
        let key = try String(contentsOfFile: folder + "/log.key", encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/receipts").sorted()
        #expect(names.count >= 20)
        for name in names {
            let theirs = try TestPython.tools.run([Self.second, folder + "/receipts/" + name, key])
            #expect(theirs.status == 0, "\(name), by receipt.py:\n\(theirs.output)")
        }
        // The story asked ours about each; here the command is asked that people have.
        for name in names.prefix(5) {
            let ours = try await run("verify", folder + "/receipts/" + name, "--key-file", folder + "/log.key")
            #expect(ours.status == .exited(0) && ours.output.contains("The receipt holds."), "\(name):\n\(ours.output)")
        }
    }

    /// A bundle of entries, a tile of the tree, the checkpoint, a piece of evidence.
    private func oneOfEachKind() throws -> [String] {
        let all = (FileManager.default.enumerator(atPath: folder + "/bundle")?.allObjects ?? []).compactMap { $0 as? String }.sorted()
        let kinds = ["tile/entries/", "tile/0/", "checkpoint", "evidence/"]
        return try kinds.map { kind in
            func isFile(_ path: String) -> Bool {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: folder + "/bundle/" + path, isDirectory: &isFolder) && !isFolder.boolValue
            }
            return try #require(all.first { $0.hasPrefix(kind) && isFile($0) }, "the copy has no \(kind)")
        }
    }

    private func withOneOtherByte<Result>(in file: String, _ body: () async throws -> Result) async throws -> Result {
        let url = URL(fileURLWithPath: folder + "/bundle/" + file)
        let sound = try Data(contentsOf: url)
        var other = sound
        other[other.count / 2] ^= 0x01
        try other.write(to: url)
        let result = try await body()
        try sound.write(to: url)
        return result
    }

    private func run(_ arguments: String...) async throws -> (status: PrivatePostgres.ExitStatus, output: String) {
        let child = try await ChildProcess(arguments)
        guard let status = await child.process.wait(atMost: .seconds(120)) else {
            await child.kill()
            throw Unfit("\(arguments) did not end\n\(child.output)")
        }
        return (status, child.output)
    }
}
