import HTTP
import Testing

@testable import HTTPServer

/// The body found, or the status it is refused with, when it comes in pieces that end at `cuts`.
private func verdict(_ framing: Framing, _ text: String, cuts: [Int] = [], limits: Limits = Limits()) -> String {
    let bytes = Array(text.unicodeScalars.map { UInt8($0.value) })
    var decoder = BodyDecoder(framing, limits: limits), data: [UInt8] = [], index = 0
    do throws(HTTPError) {
        for end in cuts + [bytes.count] {
            while true {
                let step = try decoder.next(bytes.span.extracting(0..<end), at: &index)
                if case .data(let range) = step { data += bytes[range] }
                if step == .more { break }
                if step == .end { return "\(String(decoding: data, as: UTF8.self)) used=\(index)" }
            }
        }
        return "more"
    } catch {
        return "\(error.status) \(error.reason)"
    }
}

private func settled(_ framing: Framing, _ text: String, limits: Limits = Limits()) -> String {
    let whole = verdict(framing, text, limits: limits), count = text.unicodeScalars.count
    for cut in 0..<count {
        #expect(verdict(framing, text, cuts: [cut], limits: limits) == whole, "cut at \(cut): \(text.debugDescription)")
    }
    #expect(verdict(framing, text, cuts: Array(0..<count), limits: limits) == whole, "byte by byte: \(text.debugDescription)")
    return whole
}

@Suite("A request's body")
struct BodyDecoderTests {
    @Test("of no length or of a known one ends where it should")
    func lengths() {
        #expect(settled(.none, "rest") == " used=0")
        #expect(settled(.length(0), "rest") == " used=0")
        #expect(settled(.length(3), "abcrest") == "abc used=3")
        #expect(settled(.length(5), "abc") == "more")
        let decoder = BodyDecoder(.length(5), limits: Limits())
        #expect(decoder.remaining == 5)
        #expect(BodyDecoder(.chunked, limits: Limits()).remaining == nil)
    }

    @Test(
        "in chunks is put together",
        arguments: [
            ("0\r\n\r\n", " used=5"), ("3\r\nabc\r\n0\r\n\r\n", "abc used=13"),
            ("3\r\nabc\r\n0a\r\n0123456789\r\n00\r\n\r\n", "abc0123456789 used=30"),
            ("A\r\n0123456789\r\n0\r\n\r\nrest", "0123456789 used=20"), ("1;a\r\nx\r\n0\r\n\r\n", "x used=13"),
            ("1;a=b;c=\"d;\\\"\r\";e\r\nx\r\n0\r\n\r\n", "400 chunk extension"),
            ("1;a=b;c=\"d;\\\"\";e\r\nx\r\n0;f\r\n\r\n", "x used=28"), ("0\r\nX-T: 1\r\nY:\r\n\r\n", " used=17"), ("3\r\nab", "more"),
            ("0\r\n", "more"), ("0\r\nX", "more"),
        ])
    func chunks(_ text: String, _ expected: String) { #expect(settled(.chunked, text) == expected) }

    @Test(
        "in chunks is refused where two readers could differ",
        arguments: [
            // Size
            "\r\n", "zz\r\n", "0x3\r\nabc\r\n", "-1\r\n", "+3\r\n", " 3\r\n", "3 \r\n", "3\t;a\r\n", "10000000000000003\r\n",
            "3\nabc\n0\n\n", "3\rabc",
            // Extensions
            "1;\r\n", "1; a\r\n", "1;a =b\r\n", "1;a=\r\n", "1;a=;b\r\n", "1;=b\r\n", "1;a=\"b\"c\r\n", "1;a=\"b\r\nx\r\n", "1;a=b=c\r\n",
            "1;a\u{e9}\r\n", "1;a=\"\\\u{1}\"\r\n", "1;a\nx\r\n",
            "1;a\rx",
            // End of a chunk
            "3\r\nabcX", "3\r\nabc\n", "3\r\nabc\rX", "3\r\nabcd\r\n",
            // Trailers
            "0\r\n\n", "0\r\n\rX", "0\r\n X: 1\r\n\r\n", "0\r\nX\r\n\r\n", "0\r\nX : 1\r\n\r\n", "0\r\nX: a\0\r\n\r\n", "0\r\nX: a\n\r\n",
            "0\r\nX: a\rY", "0\r\n: a\r\n",
            "0\r\nTransfer-Encoding: identity\r\n\r\n", "0\r\ncontent-length: 3\r\n\r\n", "0\r\nA: b\r\nHOST: a\r\n\r\n",
        ])
    func badChunks(_ text: String) {
        let found = settled(.chunked, text)
        #expect(found.hasPrefix("400 "), "\(text.debugDescription) → \(found)")
    }

    @Test("is bounded in its data, its extensions and its trailers")
    func bounds() {
        var limits = Limits()
        limits.body = 10
        limits.chunkExtensions = 3
        limits.trailerBytes = 8
        #expect(settled(.chunked, "5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n", limits: limits).hasPrefix("abcdeabcde "))
        #expect(settled(.chunked, "5\r\nabcde\r\n6\r\nabcdef\r\n0\r\n\r\n", limits: limits) == "413 body too long")
        #expect(settled(.chunked, "fffffffffffffff\r\n", limits: limits) == "413 body too long")
        #expect(settled(.chunked, "1;abcdef\r\n", limits: limits).hasPrefix("431 "))
        #expect(
            settled(.chunked, "1;a\r\nx\r\n1;b\r\ny\r\n", limits: limits).hasPrefix("431 "), "the extensions of all chunks count together")
        #expect(settled(.chunked, "0\r\nX: abcdefgh\r\n\r\n", limits: limits).hasPrefix("431 "))
        #expect(settled(.chunked, "0\r\nA:b\r\nC:d\r\nE:f\r\n\r\n", limits: limits).hasPrefix("431 "), "all trailers count together")
    }
}
