import Foundation
import TestSupport
import Testing

/// The test tools written in Python, which read and write the formats with Hugging Face's own libraries.
enum EngineInterop {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Whether the test Python has a module.
    static func has(_ module: String) -> Bool { (try? run(["-c", "import \(module)"]).status) == 0 }

    /// Runs a script of Tests/Interop/Engine, which must succeed.
    static func script(_ name: String, _ arguments: [String]) throws {
        let result = try run([root.appendingPathComponent("Tests/Interop/Engine/\(name)").path] + arguments)
        try #require(result.status == 0, "\(result.output)")
    }

    private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: try #require(TestInput.python))
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
