import Foundation
import TestSupport
import Testing

/// The test tools written in Python, which read and write the formats with Hugging Face's own libraries.
enum EngineInterop {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Whether the test Python has a module.
    static func has(_ module: String) -> Bool { TestPython.tools.has(module) }

    /// Runs a script of Tests/Interop/Engine, which must succeed.
    static func script(_ name: String, _ arguments: [String], by python: TestPython = .tools) throws {
        let result = try python.run([root.appendingPathComponent("Tests/Interop/Engine/\(name)").path] + arguments)
        try #require(result.status == 0, "\(result.output)")
    }
}
