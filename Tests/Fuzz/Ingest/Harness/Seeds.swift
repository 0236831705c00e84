import Foundation
import IngestDomain

/// A good beginning of every format that ingest reads, small enough that a fault finds its place.
enum Seeds {
    static let jsonl = Array(
        """
        {"prompt":"What is a tide gauge?","completion":"A pole with marks.","source":"a/b","author":"Ada","licence":"CC-BY-4.0"}
        {"text":"One \\u00e9 \\ud83d\\ude00 two","n":[1,2.5e3,{"x":null}],"b":true}

        \u{feff}{"text":"three"}

        """.utf8)
    static let csv = Array("text,\"author\",licence\r\n\"a, \"\"b\"\"\nc\",d,MIT\nplain,\"\",\n\"é\",漢,x\n".utf8)
    static let txt = Array("First paragraph.\nSecond line.\n\n漢字かな交じり文。\n\u{c}Next page\r\n\r\n# Head\n\n- one\n- two\n".utf8)
    static let html = Array(
        """
        <!doctype html><html><head><title>t</title><script>if(a<b){}</script></head><body><nav>x</nav><h1>Head</h1>
        <p class="a" id='b'>First &amp; <b>bold</b>&#x20AC;&nope;<br/>text.</p><!-- note --><table><tr><td>a<td>b</table>
        <ul><li>one<li>two</ul><pre>  x\n y</pre><![CDATA[z]]></body></html>
        """.utf8)
    static let xml = Array(
        """
        <?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>
        <w:p><w:r><w:t>First &amp; only</w:t><w:tab/><w:t xml:space="preserve"> line</w:t></w:r></w:p><w:p><w:r><w:t>Second</w:t></w:r></w:p>
        </w:body></w:document>
        """.utf8)
    static let docx = Package.stored(xml)

    static let pdf: [UInt8] = {
        let stream = "BT /F1 12 Tf 72 720 Td (Payments follow the data.) Tj ET"
        let objects = [
            "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
            "<< /Length \(stream.utf8.count) >>\nstream\n\(stream)\nendstream", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
        var text = "%PDF-1.4\n"
        for (index, object) in objects.enumerated() { text += "\(index + 1) 0 obj\n\(object)\nendobj\n" }
        return Array((text + "trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n0\n%%EOF\n").utf8)
    }()

    /// The heads of images and recordings, by format.
    static let media: [(DocumentFormat, [UInt8])] = [
        (.png, [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13] + Array("IHDR".utf8) + [0, 0, 1, 0, 0, 0, 0, 128, 8, 2, 0, 0, 0]),
        (
            .jpg,
            [0xff, 0xd8, 0xff, 0xe0, 0, 16] + Array("JFIF\0".utf8) + [1, 1, 0, 0, 1, 0, 1, 0, 0, 0xff, 0xc0, 0, 17, 8, 0, 64, 0, 96, 3]
                + [1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
        ),
        (.webp, Array("RIFF".utf8) + [30, 0, 0, 0] + Array("WEBPVP8X".utf8) + [10, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 31, 0, 0]),
        (.webp, Array("RIFF".utf8) + [30, 0, 0, 0] + Array("WEBPVP8L".utf8) + [10, 0, 0, 0, 0x2f, 63, 0xc0, 7, 0, 0, 0]),
        (.tiff, [0x49, 0x49, 0x2a, 0, 8, 0, 0, 0, 2, 0, 0, 1, 3, 0, 1, 0, 0, 0, 64, 0, 0, 0, 1, 1, 4, 0, 1, 0, 0, 0, 32, 0, 0, 0]),
        (.tiff, [0x4d, 0x4d, 0, 0x2a, 0, 0, 0, 8, 0, 1, 1, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 64]),
        (
            .wav,
            Array("RIFF".utf8) + [36, 0, 0, 0] + Array("WAVEfmt ".utf8)
                + [16, 0, 0, 0, 1, 0, 2, 0, 0x44, 0xac, 0, 0, 0x10, 0xb1, 2, 0, 4, 0, 16, 0] + Array("data".utf8) + [
                    4, 0, 0, 0, 1, 2, 3, 4,
                ]
        ),
        (
            .flac,
            Array("fLaC".utf8) + [0, 0, 0, 34, 16, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0xc4, 0x42, 0xf0, 0, 1, 0x58, 0x88]
                + [UInt8](repeating: 7, count: 16)
        ),
        (.mp3, Array("ID3".utf8) + [3, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4, 0xff, 0xfb, 0x90, 0x64] + [UInt8](repeating: 0, count: 64)),
    ]

    static let columns = Array(#"{"prompt":"question","completion":"answer","author":"who","licence":"terms"}"#.utf8)
    static let manifest = Array(
        """
        {"type":"openledger/manifest/v1","datanet":"dn_1","contributor":"pr_1","kind":"on-behalf","licence":"CC-BY-4.0 OR MIT",\
        "signer":"did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK","supersedes":"ct_1","columns":{"text":"body"},\
        "files":[{"name":"rows.jsonl","format":"jsonl","bytes":5120,\
        "sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},{"name":"a.wav","bytes":1,\
        "sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]}
        """.utf8)
    static let item = Array(#"{"author":"Ada","licence":"MIT","origin":{"file":"a.csv","row":3},"prompt":"é","completion":"b"}"#.utf8)
    static let licence = Array("(MIT OR Apache-2.0+) AND GPL-2.0-only WITH Classpath-exception-2.0 AND LicenseRef-x".utf8)

    /// What has broken readers before.
    static let pieces: [[UInt8]] =
        [
            "\"", "\\", "\\u", "\\ud800", "{", "[", "]", "}", ":", ",", "\r", "\n", "\r\n", "\0", "\u{c}", "<", ">", "</", "<!",
            "<![CDATA[", "-->",
            "&", "&#", "&#x110000;", "<!DOCTYPE x [<!ENTITY e \"e\">]>", "<!ENTITY e SYSTEM \"file:///etc/passwd\">", "&e;", "<td>",
            "</table>",
            "PK\u{3}\u{4}", "PK\u{1}\u{2}", "PK\u{5}\u{6}", "word/document.xml", "../", "obj", "endstream", "/Filter /FlateDecode",
            "/Length 99999999",
            "/Kids [2 0 R]", "RIFF", "IHDR", "fmt ", "1e999", "-0", "9223372036854775808", "18446744073709551616", "null", "é", "漢",
            "\u{202e}", "\u{feff}",
        ].map { Array($0.utf8) } + [
            [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0],
        ]
}

/// A ZIP package with one part, as it is, without compression (APPNOTE.TXT 6.3.10).
enum Package {
    static func stored(_ part: [UInt8], name: String = "word/document.xml") -> [UInt8] {
        let check = crc(part), title = Array(name.utf8)
        let common = [UInt8](repeating: 0, count: 0) + [20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0] + little(check) + little(UInt32(part.count)) * 2
        let local = [0x50, 0x4b, 3, 4] + common + [UInt8(title.count), 0, 0, 0] + title + part
        let central = [0x50, 0x4b, 1, 2, 20, 0] + common + [UInt8(title.count), 0] + [UInt8](repeating: 0, count: 16) + title
        return local + central + [0x50, 0x4b, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0] + little(UInt32(central.count)) + little(UInt32(local.count))
            + [0, 0]
    }

    private static func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = .max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
        }
        return ~value
    }
}

private func * (bytes: [UInt8], times: Int) -> [UInt8] { (0..<times).flatMap { _ in bytes } }
