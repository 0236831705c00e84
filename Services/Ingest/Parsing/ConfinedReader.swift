internal import Glibc
internal import IngestDocuments
internal import PrivatePostgres

/// The text of documents, had in a process that `openledger-confine` lets read its input, write its output, and nothing else: what makes
/// a parser run for ever, take all memory or go astray ends that process, and nobody waits for it longer than its limit. PDFs are read by
/// poppler's `pdftotext` (its library is GPL), HTML and Office Open XML by the launcher itself.
public struct ConfinedReader: Sendable {
    private let launcher: String
    /// The most pages of a PDF.
    static let pages = 2_000
    private static let seconds = 20
    private static let megabytes = 512
    /// A PDF ends with this, and as readers take it with little behind it (ISO 32000-1, 7.5.5 and annex H.3).
    private static let endOfPDF = Array("%%EOF".utf8)

    /// - Parameter launcher: `openledger-confine`; nil looks beside this program.
    public init(launcher: String? = nil) {
        self.launcher = launcher ?? Self.beside("openledger-confine")
    }

    /// The text of a PDF, pages divided by form feeds.
    /// - Throws: ``ParsingError``.
    func pdf(_ document: [UInt8], file: String) async throws -> DocumentText {
        guard document.starts(with: Array("%PDF-".utf8)) else {
            throw ParsingError.malformed(file: file, reason: "it does not begin as PDF does")
        }
        // The program mends what was cut off as well as it can, and says nothing.
        guard Self.contains(document.suffix(1_024), Self.endOfPDF) else {
            throw ParsingError.malformed(file: file, reason: "it is cut off: it does not end as PDF does")
        }
        // One page beyond the limit tells that there were more.
        let command = ["pdftotext", "-enc", "UTF-8", "-l", "\(Self.pages + 1)", "-q", "-", "-"]
        let (text, _) = try await run(command, document, file: file)
        var seen = 0
        for (place, byte) in text.enumerated() where byte == 0x0c {
            seen += 1
            guard seen == Self.pages, place + 1 < text.count else { continue }
            return DocumentText(text: Array(text[...place]), leftOut: "it has more than \(Self.pages) pages: those behind were not read")
        }
        return DocumentText(text: text, leftOut: nil)
    }

    /// The text of another document.
    /// - Throws: ``ParsingError``.
    func text(_ kind: DocumentKind, _ document: [UInt8], file: String) async throws -> DocumentText {
        let (text, notes) = try await run(["--text", kind.rawValue], document, file: file)
        return DocumentText(text: text, leftOut: notes.isEmpty ? nil : notes)
    }

    private func run(_ command: [String], _ document: [UInt8], file: String) async throws -> (text: [UInt8], notes: String) {
        guard access(launcher, X_OK) == 0 else { throw ParsingError.noReader(file: file, reason: "\(launcher) is missing") }
        // One byte beyond the limit tells that there was more.
        let outcome = try await Subprocess.run(
            [launcher, "\(Self.seconds)", "\(Self.megabytes)"] + command,
            .init(
                environment: ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"], workingDirectory: "/", input: .bytes(document),
                output: .captured(limit: ParsingLimits.text + 1), errors: .captured(limit: 4096), signalAtParentsEnd: .kill),
            timeout: .seconds(2 * Self.seconds))
        guard outcome.status.isSuccess else { throw Self.fault(outcome, command[0], file) }
        let text = Array(outcome.output.utf8)
        guard text.count <= ParsingLimits.text else {
            throw ParsingError.tooLarge(file: file, what: "the text", limit: ParsingLimits.text)
        }
        return (text, outcome.errors)
    }

    private static func fault(_ outcome: Subprocess.Outcome, _ program: String, _ file: String) -> ParsingError {
        let said = outcome.errors
        if outcome.timedOut || outcome.status == .signalled(SIGXCPU) || outcome.status == .signalled(SIGKILL) {
            return .malformed(file: file, reason: "it takes longer than \(seconds) s to read")
        }
        switch outcome.status {
        case .exited(127), .exited(125): return .noReader(file: file, reason: said.isEmpty ? "\(program) is missing" : said)
        case .exited(DocumentExit.malformed) where !said.isEmpty: return .malformed(file: file, reason: said)
        case .exited(DocumentExit.tooLarge) where !said.isEmpty: return .malformed(file: file, reason: said)
        case .exited(DocumentExit.noMemory): return .malformed(file: file, reason: "it takes more than \(megabytes) MiB to read")
        default: return .malformed(file: file, reason: "it is damaged or locked (\(outcome.status))")
        }
    }

    private static func contains(_ bytes: ArraySlice<UInt8>, _ part: [UInt8]) -> Bool {
        guard bytes.count >= part.count else { return false }
        return (bytes.startIndex...bytes.endIndex - part.count).contains { bytes[$0..<$0 + part.count].elementsEqual(part) }
    }

    private static func beside(_ name: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return name }
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (path.lastIndex(of: "/").map { String(path[...$0]) } ?? "") + name
    }
}
