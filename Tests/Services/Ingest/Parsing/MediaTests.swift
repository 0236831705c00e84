import IngestParsing
import Testing

@Suite struct MediaTests {
    private static let files: [(format: String, bytes: [UInt8])] = [
        ("png", MediaFixture.png()), ("jpg", MediaFixture.jpg), ("webp", MediaFixture.webp), ("tiff", MediaFixture.tiff()),
        ("wav", MediaFixture.wav), ("flac", MediaFixture.flac), ("mp3", MediaFixture.mp3),
    ]

    @Test(arguments: files)
    func aWholeFileIsWholeAndOneThatWasCutOffIsNot(format: String, bytes: [UInt8]) throws {
        let whole = FileSample(bytes)
        let facts = try #require(MediaFacts(whole))
        #expect(facts.format == format && !facts.isCutOff(whole))
        for count in stride(from: 1, to: bytes.count, by: max(1, bytes.count / 50)) {
            let part = FileSample(Array(bytes.prefix(count)))
            // What is not known for its format any more is refused as well.
            #expect(MediaFacts(part)?.isCutOff(part) ?? true, "\(count) of \(bytes.count) bytes")
        }
    }

    /// The image between the two ends is not kept; a TIFF says what it is wherever its writer put that.
    @Test(arguments: [0, 100_000, 1_000_000], [0, 100_000])
    func aDirectoryIsFoundWhereverItStands(strip: Int, more: Int) throws {
        let bytes = MediaFixture.tiff(strip: max(1, strip), more: more)
        var sample = FileSample()
        for start in stride(from: 0, to: bytes.count, by: 30_000) { sample.add(Array(bytes[start..<min(bytes.count, start + 30_000)])) }
        if let part = MediaFacts.missingPart(of: sample) {
            #expect(strip > 0 && more > 0)
            sample.add(Array(bytes[part]), at: part.lowerBound)
        }
        let facts = try #require(MediaFacts(sample))
        #expect(facts.format == "tiff" && facts.width == 64 && facts.height == 32 && !facts.isCutOff(sample))
    }

    @Test func endsOfALongFileAreSeenAndTheRestIsNotKept() throws {
        let bytes = MediaFixture.png(padding: 3_000_000)
        var sample = FileSample()
        for start in stride(from: 0, to: bytes.count, by: 7_777) { sample.add(Array(bytes[start..<min(bytes.count, start + 7_777)])) }
        let facts = try #require(MediaFacts(sample))
        #expect(facts.width == 256 && facts.height == 128 && !facts.isCutOff(sample))
        var cut = FileSample()
        for start in stride(from: 0, to: bytes.count - 20, by: 7_777) {
            cut.add(Array(bytes[start..<min(bytes.count - 20, start + 7_777)]))
        }
        #expect(try #require(MediaFacts(cut)).isCutOff(cut))
    }
}
