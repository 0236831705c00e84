import Foundation

/// The Pythons that tests run beside: the pinned test tools, and where somebody has them, torch, transformers and PEFT.
public enum TestPython: Sendable {
    /// The tools of Tests/python-tools.txt. OPENLEDGER_TEST_PYTHON.
    case tools
    /// What Services/RunnerPEFT/requirements.txt names, which is too big for everybody's tools. OPENLEDGER_TEST_TORCH.
    case torch

    /// The program, where it is named.
    public var program: String? {
        switch self {
        case .tools: TestInput.python
        case .torch: TestInput.torch
        }
    }

    /// Whether it is there and has a module.
    public func has(_ module: String) -> Bool { program != nil && (try? run(["-c", "import \(module)"]).status) == 0 }

    /// Runs it, and gives all it wrote.
    public func run(_ arguments: [String], environment: [String: String] = [:]) throws -> (status: Int32, output: String) {
        guard let program else { throw Missing() }
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    private struct Missing: Error {}
}
