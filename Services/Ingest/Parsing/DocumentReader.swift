public import Blobs
public import IngestDomain
internal import IngestDocuments
internal import Threads

/// Reads an uploaded file into rows, in bounded memory for everything that has rows or lines.
public struct DocumentReader: Sendable {
    private let confined: ConfinedReader
    private let isConfined: Bool

    /// - Parameters:
    ///   - confined: reads documents.
    ///   - isConfined: false reads HTML and Office Open XML in this process, for whoever looks for what brings their readers down.
    public init(confined: ConfinedReader = ConfinedReader(), isConfined: Bool = true) {
        self.confined = confined
        self.isConfined = isConfined
    }

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
            let found = try await text(bytes, format, file)
            try await give(parser.feed(found.text))
            try await give(parser.finish())
            if let leftOut = found.leftOut { throw ParsingError.malformed(file: file, reason: leftOut) }
        case .png, .jpg, .webp, .tiff, .wav, .mp3, .flac:
            throw ParsingError.malformed(file: file, reason: "it is no text")
        }
    }

    private func text(_ bytes: BlobBytes, _ format: DocumentFormat, _ file: String) async throws -> DocumentText {
        let whole: [UInt8]
        do { whole = try await bytes.collect(upTo: ParsingLimits.document) } catch BlobError.tooLarge {
            throw ParsingError.tooLarge(file: file, what: "the document", limit: ParsingLimits.document)
        }
        if format == .pdf { return try await confined.pdf(whole, file: file) }
        // The forgiving parser would take other encodings for some text or other.
        if format == .html, let place = UnicodeText.firstInvalid(whole) { throw ParsingError.notUTF8(file: file, byte: place + 1) }
        let kind = format == .html ? DocumentKind.html : .docx
        guard !isConfined else { return try await confined.text(kind, whole, file: file) }
        return try await OSThread.run(name: "document") {
            do throws(DocumentFault) { return try kind.text(of: whole) } catch {
                throw ParsingError.malformed(file: file, reason: error.reason)
            }
        }
    }
}
