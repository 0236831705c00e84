import Blobs
import Foundation
import IngestDomain
import IngestParsing
import JSON
import TestSupport
import Testing

/// What a file comes to, read in pieces of a size.
func parse(_ bytes: [UInt8], _ format: DocumentFormat, columns: ColumnMap = .standard, piece: Int = 7) async throws -> [ParsedRow] {
    let parts = stride(from: 0, to: bytes.count, by: piece).map { BlobBytes(Array(bytes[$0..<min($0 + piece, bytes.count)])) }
    var rows: [ParsedRow] = []
    try await DocumentReader().read(BlobBytes(concatenating: parts), format: format, file: "f", columns: columns) { rows += $0 }
    return rows
}

func parse(_ text: String, _ format: DocumentFormat, columns: ColumnMap = .standard, piece: Int = 7) async throws -> [ParsedRow] {
    try await parse(Array(text.utf8), format, columns: columns, piece: piece)
}

extension ParsedRow {
    var content: ItemContent? { if case .content(let content) = self { content } else { nil } }
    var refused: RefusedRow? { if case .refused(let row) = self { row } else { nil } }
}

@Suite struct ParserTests {
    @Test(arguments: [1, 2, 3, 1000])
    func goodLinesOfABadFileAreKept(piece: Int) async throws {
        let text = "\u{feff}{\"text\":\"one\"}\r\n\n{\"text\":\n[1]\n{\"text\":\"two\",\"n\":1}\n{\"text\":\"three\"}"
        let rows = try await parse(Array(text.utf8) + [0x0a, 0x22, 0xff, 0x22, 0x0a], .jsonl, piece: piece)
        #expect(rows.compactMap(\.content?.text) == ["one", "two", "three"])
        #expect(rows.compactMap(\.content?.row) == [1, 5, 6])
        #expect(rows.compactMap(\.refused?.row) == [3, 4, 7])
        #expect(rows.compactMap(\.refused?.code) == [.malformed, .malformed, .invalidEncoding])
    }

    @Test func aLineThatIsTooLongIsRefusedAndTheNextIsRead() async throws {
        let text = "{\"text\":\"" + String(repeating: "x", count: 3 << 20) + "\"}\n{\"text\":\"after\"}\n"
        let rows = try await parse(text, .jsonl, piece: 65_536)
        #expect(rows.compactMap(\.refused?.code) == [.tooLarge])
        #expect(rows.compactMap(\.refused?.beginning.count) == [4096])
        #expect(rows.compactMap(\.content?.text) == ["after"])
        #expect(rows.compactMap(\.content?.row) == [2])
    }

    /// A gigabyte that never was in memory: one piece, again and again.
    @Test(arguments: [DocumentFormat.jsonl, .csv])
    func aLineOfAGigabyteIsRefusedAndTheNextIsRead(format: DocumentFormat) async throws {
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        let isTable = format == .csv
        let first = isTable ? "text\ngood row of a table\n" : "{\"text\":\"good row of a file\"}\n"
        let last = isTable ? "\nrow after that\n" : "\n{\"text\":\"row after that\"}\n"
        let parts = [BlobBytes(Array(first.utf8))] + (0..<1024).map { _ in BlobBytes(piece) } + [BlobBytes(Array(last.utf8))]
        var rows: [ParsedRow] = []
        try await DocumentReader().read(BlobBytes(concatenating: parts), format: format, file: "f", columns: .standard) { rows += $0 }
        #expect(rows.map(\.content?.text) == [isTable ? "good row of a table" : "good row of a file", nil, "row after that"])
        #expect(rows.compactMap(\.refused?.code) == [.tooLarge])
        #expect(rows.compactMap(\.refused?.row) == [2])
    }

    @Test(arguments: [1, 5, 1000])
    func quotesHoldCommasAndLineBreaks(piece: Int) async throws {
        let text = "question,answer\r\n\"a, \"\"b\"\"\nc\",d\r\n,\r\n\"x\"y,z\nstray\"quote,1\none\n1,2,3\n\"last\",\"row\""
        let columns = ColumnMap([.prompt: "question", .completion: "answer"])
        let rows = try await parse(text, .csv, columns: columns, piece: piece)
        #expect(rows.compactMap(\.content?.prompt) == ["a, \"b\"\nc", "last"])
        #expect(rows.compactMap(\.content?.completion) == ["d", "row"])
        #expect(rows.compactMap(\.refused?.row) == [3, 4, 5, 6])
    }

    /// A carriage return ends a row together with a line feed, and is no part of a field without quotes.
    @Test(arguments: [1, 3, 1000])
    func aBareCarriageReturnIsNotSwallowed(piece: Int) async throws {
        let rows = try await parse("text,b\r\none\rtwo,1\r\nthree,\"a\rb\"\r\nfour,2\r,\r\nfive,3\r", .csv, piece: piece)
        #expect(rows.compactMap(\.content?.text) == ["three", "five"])
        #expect(rows.compactMap(\.refused?.row) == [1, 3] && rows.compactMap(\.refused?.code) == [.malformed, .malformed])
        await #expect(throws: ParsingError.self) { try await parse("text,b\rone,1\rtwo,2\r", .csv, piece: piece) }
    }

    @Test func aColumnThatHoldsNoTextIsRefused() async throws {
        let lines =
            #"{"text":["one"]}\#n{"text":"two","other":[1]}\#n{"prompt":{"a":1},"completion":"b"}\#n{"text":null,"prompt":"p","completion":7}"#
        let rows = try await parse(lines, .jsonl)
        #expect(rows.compactMap(\.content?.text) == ["two"] && rows.compactMap(\.content?.completion) == ["7"])
        #expect(
            rows.compactMap(\.refused?.row) == [1, 3] && rows.compactMap(\.refused?.reason).allSatisfy { $0.contains("list or an object") })
    }

    @Test func aQuoteThatNeverEndsIsRefused() async throws {
        let rows = try await parse("text\ngood\n\"never\nends", .csv)
        #expect(rows.compactMap(\.content?.text) == ["good"])
        #expect(rows.compactMap(\.refused?.reason) == ["a quoted field never ends"])
        let huge = try await parse("text\n\"" + String(repeating: "x", count: 2 << 20) + "\nafter\n", .csv, piece: 65_536)
        #expect(huge.compactMap(\.refused?.code) == [.tooLarge])
        #expect(huge.compactMap(\.content?.text) == ["after"])
    }

    @Test(arguments: ["", "a,a\n1,2\n"])
    func aTableNeedsAHeadWithNamesOfItsOwn(text: String) async {
        await #expect(throws: ParsingError.self) { try await parse(text, .csv) }
    }

    @Test func textBecomesPassagesOfWholeParagraphs() async throws {
        let paragraph = String(repeating: "A sentence of words. ", count: 40)
        let rows = try await parse((0..<10).map { _ in paragraph }.joined(separator: "\n\n"), .txt, piece: 100)
        #expect(rows.count == 5)
        #expect(rows.allSatisfy { ($0.content?.text?.utf8.count ?? 0) <= 2_000 })
        #expect(rows.compactMap(\.content?.text).joined(separator: "\n\n").filter { $0 == "." }.count == 400)
    }

    @Test func aLineWithoutEndIsCutBetweenCharacters() async throws {
        let rows = try await parse(String(repeating: "漢", count: 50_000), .txt, piece: 4096)
        #expect(rows.count > 10)
        #expect(rows.allSatisfy { $0.content != nil }, "no character was cut")
        #expect(
            rows.compactMap(\.content?.text).joined().replacing("\n", with: "").replacing("\n\n", with: "").filter { $0 == "漢" }.count
                == 50_000)
    }

    @Test func aPageIsReadAsItIsSeen() async throws {
        let page = """
            <!doctype html><html><head><title>t</title><script>alert(1)</script></head><body><nav>Menu</nav>
            <h1>Head</h1><p>First &amp; <b>bold</b> text.</p><ul><li>one</li><li>two</li></ul>
            <table><tr><td>a</td><td>b</td></tr></table><style>p{}</style><p>Last<br>line</p></body></html>
            """
        let rows = try await parse(page, .html)
        #expect(rows.compactMap(\.content?.text) == ["Head\n\nFirst & bold text.\n\none\ntwo\n\na | b\n\nLast\nline"])
    }

    @Test func hostilePagesEndSoon() async throws {
        let deep = String(repeating: "<div>", count: 50_000) + "in" + String(repeating: "</div>", count: 50_000)
        _ = try? await parse(deep, .html, piece: 65_536)
        // Signs in a quoted value end no tag.
        let quoted = "<p x=\"" + String(repeating: "><", count: 10_000) + "\">x</p>"
        await #expect(throws: ParsingError.self) { try await parse(quoted, .html, piece: 65_536) }
        #expect(try await parse("<p title=\"a > b\" lang=en x=it's>Words.</p>", .html).compactMap(\.content?.text) == ["Words."])
        let wide = "<p " + (0..<50_000).map { "a\($0)=1" }.joined(separator: " ") + ">x</p>"
        await #expect(throws: ParsingError.self) { try await parse(wide, .html, piece: 65_536) }
        await #expect(throws: ParsingError.notUTF8(file: "f", byte: 4)) {
            try await parse(Array("<p>".utf8) + [0xff, 0x00, 0xfe] + Array("</p>".utf8), .html)
        }
    }

    /// What takes a parser's memory or time takes them from a process of its own.
    @Test func aPageThatTakesAllMemoryIsRefused() async throws {
        let page = Array("<p>first</p>".utf8) + [UInt8](repeatElement(Array("<br>".utf8), count: 5 << 20).joined())
        do {
            _ = try await parse(page, .html, piece: 1 << 20)
            Issue.record("a tree of a gigabyte was read")
        } catch let error as ParsingError { #expect("\(error)".contains("MiB to read"), "\(error)") }
    }

    /// What was not read of a document is said, and what was read of it is kept.
    @Test func nothingOfADocumentIsLeftOutInSilence() async throws {
        func read(_ bytes: [UInt8], _ format: DocumentFormat) async throws -> (rows: [ParsedRow], error: String) {
            var rows: [ParsedRow] = []
            do {
                try await DocumentReader().read(BlobBytes(bytes), format: format, file: "f", columns: .standard) { rows += $0 }
                return (rows, "")
            } catch { return (rows, "\(error)") }
        }
        let nested = { (count: Int) in
            "<p>Words before.</p>" + String(repeating: "<div>", count: count) + "Words within." + String(repeating: "</div>", count: count)
        }
        let flat = try await read(Array(nested(100).utf8), .html)
        #expect(flat.error.isEmpty && flat.rows.compactMap(\.content?.text).joined().contains("Words within."))
        let deep = try await read(Array(nested(400).utf8), .html)
        #expect(deep.error.contains("nest deeper") && deep.rows.compactMap(\.content?.text).joined().contains("Words before."))
        let short = try await read(Fixture.pdf("A line of words.", pages: 3), .pdf)
        #expect(short.error.isEmpty && short.rows.compactMap(\.content?.text).joined().contains("A line of words."))
        let long = try await read(Fixture.pdf("A line of words.", pages: 2_001), .pdf)
        #expect(long.error.contains("more than 2000 pages") && !long.rows.isEmpty, "\(long.error)")
        for format in [DocumentFormat.pdf, .docx] {
            let whole = format == .pdf ? Fixture.pdf("A line of words.") : try await Fixture.docx("<w:p><w:t>Words</w:t></w:p>")
            // Cut behind what holds the text.
            let cut = try await read(Array(whole.dropLast(format == .pdf ? 10 : 30)), format)
            #expect(cut.rows.isEmpty && !cut.error.isEmpty, "\(format) \(cut)")
        }
    }

    @Test func bytesThatAreNoDocumentAreRefused() async {
        for format in [DocumentFormat.pdf, .docx] {
            await #expect(throws: ParsingError.self) { try await parse("this is no document", format) }
            await #expect(throws: ParsingError.self) { try await parse([], format) }
        }
        await #expect(throws: ParsingError.self) { try await parse(Array("%PDF-1.7\n".utf8) + [UInt8](repeating: 0x41, count: 5000), .pdf) }
    }

    @Test func aPDFIsRead() async throws {
        let rows = try await parse(Fixture.pdf("Payments follow the data that shaped the answer."), .pdf, piece: 1000)
        #expect(rows.first?.content?.text?.contains("Payments follow the data") == true)
    }

    @Test func aDocumentIsReadAndABombIsNot() async throws {
        let body = "<w:p><w:r><w:t>First &amp; only</w:t><w:tab/><w:t>line</w:t></w:r></w:p><w:p><w:r><w:t>Second</w:t></w:r></w:p>"
        let rows = try await parse(try await Fixture.docx(body), .docx, piece: 1000)
        #expect(rows.compactMap(\.content?.text) == ["First & only\tline\n\nSecond"])
        let entity = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>"
        let hostile = try await Fixture.docx("<w:p><w:t>&e;</w:t></w:p>", prolog: entity)
        await #expect(throws: ParsingError.self) { try await parse(hostile, .docx, piece: 1000) }
        let bomb = try await Fixture.docx("<w:p><w:t>" + String(repeating: "a", count: 60 << 20) + "</w:t></w:p>")
        #expect(bomb.count < 1 << 20)
        await #expect(throws: ParsingError.self) { try await parse(bomb, .docx, piece: 65_536) }
        let whole = try await Fixture.docx(body)
        for count in stride(from: 1, to: whole.count - 1, by: max(1, whole.count / 15)) {
            _ = try? await parse(Array(whole[..<count]), .docx, piece: 1000)
        }
    }

    @Test func mediaAreKnownByTheirContent() throws {
        let png: [UInt8] =
            [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13] + Array("IHDR".utf8) + [0, 0, 1, 0, 0, 0, 0, 128, 8, 2, 0, 0, 0]
        let image = try #require(MediaFacts(FileSample(head: png, tail: [], count: 100)))
        #expect(image.format == "png" && image.width == 256 && image.height == 128)
        let wav =
            Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WAVEfmt ".utf8) + [
                16, 0, 0, 0, 1, 0, 2, 0, 0x44, 0xac, 0, 0, 0x10, 0xb1, 2, 0, 4, 0, 16, 0,
            ]
        let sound = try #require(MediaFacts(FileSample(head: wav, tail: [], count: 176_400)))
        #expect(sound.format == "wav" && sound.channels == 2 && sound.sampleRate == 44_100 && sound.duration == 1000)
        #expect(MediaFacts(FileSample(Array("#!/bin/sh".utf8))) == nil)
        #expect(MediaFacts(FileSample(Array(png.prefix(20)))) == nil)
        var generator = Seed.generator()
        for head in [png, wav, [0xff, 0xd8, 0xff, 0xe0], [0x49, 0x49, 0x2a, 0], Array("fLaC".utf8), Array("ID3".utf8), [0xff, 0xfb]] {
            for _ in 0..<200 {
                let bytes = head + generator.bytes(Int.random(in: 0..<60, using: &generator))
                let sample = FileSample(head: bytes, tail: bytes, count: 1000)
                _ = MediaFacts(sample)?.isCutOff(sample)
            }
        }
    }

    /// Mutations of good files: whatever comes of them, it is rows or a refusal.
    @Test func noInputBringsAParserDown() async throws {
        var generator = Seed.generator()
        let seeds: [(DocumentFormat, [UInt8])] = [
            (.jsonl, Array("{\"text\":\"one\",\"x\":[1,{}]}\n{\"prompt\":\"\\u00e9\"}\n".utf8)),
            (.csv, Array("text,\"b\"\n\"a\"\"\",c\n".utf8)),
            (.txt, Array("Paragraph.\n\nAnother 漢字.\n\u{c}Page".utf8)), (.html, Array("<p>a<b>c</p>&amp;<!-- x --><table><td>".utf8)),
            (.docx, try await Fixture.docx("<w:p><w:t>x</w:t></w:p>")),
        ]
        for (format, seed) in seeds {
            // Each document is a process; `FuzzTests` reads many in this one.
            for _ in 0..<(format == .html || format == .docx ? 15 : 150) {
                var bytes = seed
                for _ in 0..<Int.random(in: 1..<6, using: &generator) where !bytes.isEmpty {
                    let place = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                    case 1: bytes.remove(at: place)
                    case 2: bytes.insert(contentsOf: bytes[place..<min(place + 9, bytes.count)], at: place)
                    default: bytes.removeLast(bytes.count - place)
                    }
                }
                _ = try? await parse(bytes, format, piece: Int.random(in: 1..<50, using: &generator))
            }
        }
    }
}
