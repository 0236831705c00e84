import Foundation
import Threads

/// Other programs that tests run.
enum Programs {
    /// The package's root.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../..").standardizedFileURL
        .path

    /// A program of this package, beside the tests that were built with it.
    static func ours(_ name: String) -> String? {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0])
        if let bundle = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") }) { folder = URL(fileURLWithPath: bundle) }
        let beside = folder.deletingLastPathComponent().appendingPathComponent(name).path
        return [beside, root + "/.build/debug/" + name].first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Where a program of the system is, if it is installed.
    static func installed(_ name: String) -> String? {
        ["/usr/bin/", "/usr/sbin/", "/usr/local/bin/", "/bin/", "/sbin/"].map { $0 + name }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
    }

    /// Runs to the end: status and what was printed. For threads that may wait.
    static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }
}
