public import Blobs
public import IngestDomain
internal import Threads

/// Reads an uploaded file into rows, in bounded memory for everything that has rows or lines.
public struct DocumentReader: Sendable {
    private let pdf: PDFReader

    /// - Parameter pdf: reads PDFs.
    public init(pdf: PDFReader = PDFReader()) { self.pdf = pdf }

    /// Gives the rows of a text file, some at a time and in order.
    /// - Returns: when the file has ended.
    /// - Throws: ``ParsingError`` when the file as a whole cannot be read; rows that came before stay good.
    public func read(
        _ bytes: BlobBytes, format: DocumentFormat, file: String, columns: ColumnMap, isolation: isolated (any Actor)? = #isolation,
        _ take: ([ParsedRow]) async throws -> Void
    ) async throws {
        var count = 0
        func give(_ rows: [ParsedRow]) async throws {
            guard !rows.isEmpty else { return }
            count += rows.count
            guard count <= ParsingLimits.rows else {
                throw ParsingError.tooLarge(file: file, what: "the number of rows", limit: ParsingLimits.rows)
            }
            try await take(rows)
        }
        switch format {
        case .jsonl:
            var parser = JSONLinesParser(file: file, columns: columns)
            for try await piece in bytes { try await give(parser.feed(piece)) }
            try await give(parser.finish())
        case .csv:
            var parser = CSVParser(file: file, columns: columns)
            for try await piece in bytes { try await give(parser.feed(piece)) }
            try await give(parser.finish())
        case .txt, .md:
            var parser = TextParser(file: file)
            for try await piece in bytes { try await give(parser.feed(piece)) }
            try await give(parser.finish())
        case .html, .pdf, .docx:
            var parser = TextParser(file: file)
            try await give(parser.feed(try await text(bytes, format, file)))
            try await give(parser.finish())
        case .png, .jpg, .webp, .tiff, .wav, .mp3, .flac:
            throw ParsingError.malformed(file: file, reason: "it is no text")
        }
    }

    private func text(_ bytes: BlobBytes, _ format: DocumentFormat, _ file: String) async throws -> [UInt8] {
        let whole: [UInt8]
        do { whole = try await bytes.collect(upTo: ParsingLimits.document) } catch BlobError.tooLarge {
            throw ParsingError.tooLarge(file: file, what: "the document", limit: ParsingLimits.document)
        }
        switch format {
        case .pdf: return try await pdf.extract(whole, file: file)
        case .docx: return try await OSThread.run(name: "docx") { try WordText.extract(whole, file: file) }
        default: return try await OSThread.run(name: "html") { try HTMLText.extract(whole, file: file) }
        }
    }
}
