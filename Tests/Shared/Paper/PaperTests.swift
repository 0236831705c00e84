import Foundation
import Paper
import PrivatePostgres
import TestSupport
import Testing

@Suite("Documents on paper")
struct PaperTests {
    private func document(rows: Int) -> PaperDocument {
        let table = PaperTable(
            columns: [.init("Time", width: 2), .init("What for", width: 4), .init("Amount", width: 1.5, isNumber: true)],
            rows: (0..<rows).map {
                PaperTable.Row(
                    ["2026-11-\($0 % 28 + 1)", "answer inf_\($0) — Größe, Ελληνικά, Кириллица, tiếng Việt", "\($0).250000"],
                    link: "https://ledger.example/v1/inferences/inf_\($0)")
            })
        return PaperDocument(
            title: "Statement of contributor:alice", made: "2026-11-21T12:00:00Z",
            blocks: [
                .heading("Statement"), .facts([("Account", "contributor:alice"), ("Asset", "USDC/6")]), .table(table),
                .text(String(repeating: "Every line follows from the log. ", count: 30)),
            ])
    }

    /// What a reader of PDF finds in it.
    private func text(of pdf: [UInt8]) async throws -> String {
        let folder = try TemporaryFolder("paper")
        let path = folder.path("it.pdf")
        try Data(pdf).write(to: URL(fileURLWithPath: path))
        let outcome = try await Subprocess.run(["/usr/bin/pdftotext", "-layout", path, folder.path("it.txt")])
        try #require(outcome.status.isSuccess, "\(outcome.errors)")
        return try String(contentsOfFile: folder.path("it.txt"), encoding: .utf8)
    }

    @Test("texts, numbers and other scripts can be read back, and the head of a table is on every page")
    func readBack() async throws {
        let text = try await text(of: try document(rows: 150).pdf())
        #expect(text.contains("contributor:alice") && text.contains("149.250000"))
        // Where letters stand apart a reader of PDF may see a space.
        #expect(text.filter { !$0.isWhitespace }.contains("Everylinefollowsfromthelog."))
        for script in ["Größe", "Ελληνικά", "Кириллица", "tiếng Việt"] { #expect(text.contains(script), "\(script)") }
        let pages = text.split(separator: "\u{0C}").filter { $0.contains("Amount") }
        #expect(pages.count == 3)
        #expect(pages.allSatisfy { $0.contains("Statement of contributor:alice") })
    }

    @Test("the same document is the same bytes, another one is not, and lines can be clicked")
    func stable() throws {
        let first = try document(rows: 20).pdf()
        #expect(try document(rows: 20).pdf() == first)
        #expect(try document(rows: 21).pdf() != first)
        #expect(String(decoding: first.prefix(5), as: UTF8.self) == "%PDF-")
    }

    @Test("an empty document is one page, and texts that could break out of a link or hold control characters do no harm")
    func odd() async throws {
        #expect(try await text(of: try PaperDocument(title: "Nothing", made: "2026-11-21T12:00:00Z").pdf()).contains("Nothing"))
        let table = PaperTable(
            columns: [.init("A", width: 1)], rows: [.init(["x\u{0}y\nz \u{FFFD}"], link: "https://x/' uri='https://evil"), .init([])])
        let pdf = try PaperDocument(title: "Odd", made: "2026-11-21T12:00:00Z", blocks: [.table(table)]).pdf()
        #expect(!String(decoding: pdf, as: UTF8.self).contains("evil"))
    }
}
