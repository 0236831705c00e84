import Foundation
import PrivatePostgres
import TestSupport

/// Small documents, made on the spot.
enum Fixture {
    /// A PDF whose pages have one line of text.
    static func pdf(_ line: String, pages: Int = 1) -> [UInt8] {
        let stream = "BT /F1 12 Tf 72 720 Td (\(line)) Tj ET"
        // 1 the catalogue, 2 the pages, 3 the text, 4 the font; the pages behind.
        let kids = (0..<pages).map { "\(5 + $0) 0 R" }.joined(separator: " ")
        let page =
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R /Resources << /Font << /F1 4 0 R >> >> >>"
        let objects =
            [
                "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [\(kids)] /Count \(pages) >>",
                "<< /Length \(stream.utf8.count) >>\nstream\n\(stream)\nendstream",
                "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            ] + (0..<pages).map { _ in page }
        var text = "%PDF-1.4\n"
        var places: [Int] = []
        for (index, object) in objects.enumerated() {
            places.append(text.utf8.count)
            text += "\(index + 1) 0 obj\n\(object)\nendobj\n"
        }
        let start = text.utf8.count
        text += "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for place in places { text += String(format: "%010d 00000 n \n", place) }
        text += "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
        return Array(text.utf8)
    }

    /// A package with the part that holds the text.
    static func docx(_ body: String, prolog: String = "") async throws -> [UInt8] {
        let folder = try TemporaryFolder("docx")
        try FileManager.default.createDirectory(atPath: folder.path("word"), withIntermediateDirectories: true)
        let space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        try folder.write(
            "<?xml version=\"1.0\"?>\(prolog)<w:document xmlns:w=\"\(space)\"><w:body>\(body)</w:body></w:document>",
            to: "word/document.xml")
        let script =
            "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1],'w',zipfile.ZIP_DEFLATED);z.write(sys.argv[2],'word/document.xml');z.close()"
        let outcome = try await Subprocess.run(["python3", "-c", script, folder.path("a.docx"), folder.path("word/document.xml")])
        guard outcome.status.isSuccess else { throw Failure(text: outcome.output) }
        return [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path("a.docx"))))
    }

    struct Failure: Error { let text: String }
}
