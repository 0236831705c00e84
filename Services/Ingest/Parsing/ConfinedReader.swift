internal import Glibc
internal import PrivatePostgres

/// The text of a PDF by poppler's `pdftotext`, a program of its own (its library is GPL) that `openledger-confine` lets
/// read its input, write its output, and nothing else.
public struct PDFReader: Sendable {
    private let launcher: String
    private static let pages = 2_000
    private static let seconds = 20
    private static let megabytes = 512

    /// - Parameter launcher: `openledger-confine`; nil looks beside this program.
    public init(launcher: String? = nil) {
        self.launcher = launcher ?? Self.beside("openledger-confine")
    }

    /// The text, pages divided by form feeds.
    /// - Throws: ``ParsingError``.
    func extract(_ document: [UInt8], file: String) async throws -> [UInt8] {
        guard document.starts(with: Array("%PDF-".utf8)) else {
            throw ParsingError.malformed(file: file, reason: "it does not begin as PDF does")
        }
        guard access(launcher, X_OK) == 0 else { throw ParsingError.noReader(file: file, reason: "\(launcher) is missing") }
        let command = [
            launcher, "\(Self.seconds)", "\(Self.megabytes)", "pdftotext", "-enc", "UTF-8", "-l", "\(Self.pages)", "-q", "-", "-",
        ]
        // One byte beyond the limit tells that there was more.
        let outcome = try await Subprocess.run(
            command,
            .init(
                environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"], workingDirectory: "/", input: .bytes(document),
                output: .captured(limit: ParsingLimits.text + 1), errors: .captured(limit: 4096), signalAtParentsEnd: .kill),
            timeout: .seconds(2 * Self.seconds))
        if outcome.status == .exited(127) || outcome.status == .exited(125) {
            throw ParsingError.noReader(file: file, reason: outcome.errors.isEmpty ? "pdftotext is missing" : outcome.errors)
        }
        guard outcome.status.isSuccess else {
            let reason = outcome.timedOut || outcome.status == .signalled(SIGXCPU) || outcome.status == .signalled(SIGKILL)
            throw ParsingError.malformed(
                file: file,
                reason: reason ? "it takes longer than \(Self.seconds) s to read" : "it is damaged or locked (\(outcome.status))")
        }
        let text = Array(outcome.output.utf8)
        guard text.count <= ParsingLimits.text else {
            throw ParsingError.tooLarge(file: file, what: "the text", limit: ParsingLimits.text)
        }
        return text
    }

    private static func beside(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return name }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + name
    }
}
