import IngestParsing
import Testing

@Suite struct MediaTests {
    private static let files: [String: [UInt8]] = [
        "png": MediaFixture.png(), "jpg": MediaFixture.jpg, "webp": MediaFixture.webp, "tiff": MediaFixture.tiff(),
        "wav": MediaFixture.wav, "flac": MediaFixture.flac, "mp3": MediaFixture.mp3,
    ]

    @Test(arguments: ["png", "jpg", "webp", "tiff", "wav", "flac", "mp3"])
    func aWholeFileIsWholeAndOneThatWasCutOffIsNot(format: String) throws {
        let bytes = try #require(Self.files[format])
        let whole = FileSample(bytes)
        let facts = try #require(MediaFacts(whole))
        #expect(facts.format == format && !facts.isCutOff(whole))
        // FLAC does not tell where its last frame ends.
        let told = format == "flac" ? bytes.count - MediaFixture.flacFrame + 1 : bytes.count
        for count in stride(from: 1, to: told, by: max(1, told / 50)) {
            let part = FileSample(Array(bytes.prefix(count)))
            // What is not known for its format any more is refused as well.
            let isRefused = MediaFacts(part)?.isCutOff(part) ?? true
            #expect(isRefused, "\(count) of \(bytes.count) bytes")
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

    /// Cameras write previews and profiles, 64 KiB a segment, in front of an image's size.
    @Test(arguments: [0, 1, 2, 9, 40])
    func anImageIsKnownBehindItsProfiles(segments: Int) throws {
        let profile = [0xff, 0xe2, 0xff, 0xff] + [UInt8](repeating: 9, count: 65_533)
        let bytes =
            Array(MediaFixture.jpg[..<2]) + Array(repeatElement(profile, count: segments).joined()) + MediaFixture.jpg[2...]
            + [UInt8](repeating: 0x33, count: 200_000) + [0xff, 0xd9]
        var sample = FileSample()
        for start in stride(from: 0, to: bytes.count, by: 30_000) { sample.add(Array(bytes[start..<min(bytes.count, start + 30_000)])) }
        for _ in 0..<MediaFacts.mostParts {
            guard let part = MediaFacts.missingPart(of: sample) else { break }
            sample.add(Array(bytes[part]), at: part.lowerBound)
        }
        let found = MediaFacts(sample)
        let isCut = found?.isCutOff(sample)
        let facts = try #require(found)
        #expect(facts.format == "jpg" && facts.width == 96 && facts.height == 64 && isCut == false)
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
