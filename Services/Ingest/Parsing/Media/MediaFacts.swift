public import JSON

/// What the head of an image or a recording says of it. By content, never by name.
public struct MediaFacts: Sendable, Hashable {
    /// The format, as `png`.
    public let format: String
    /// IANA media type.
    public let type: String
    /// Pixels.
    public var width: Int?
    /// Pixels.
    public var height: Int?
    /// Hertz.
    public var sampleRate: Int?
    /// Channels of sound.
    public var channels: Int?
    /// Milliseconds.
    public var duration: Int?

    init(_ format: String, _ type: String) {
        self.format = format
        self.type = type
    }

    /// As it is kept.
    public var json: JSONValue {
        var object: JSONObject = ["format": .string(format), "type": .string(type)]
        for (name, value) in [
            ("width", width), ("height", height), ("sample_rate", sampleRate), ("channels", channels), ("duration_ms", duration),
        ] { if let value { object[name] = .int(Int64(value)) } }
        return .object(object)
    }

    /// Reads what was looked at of a file; nil when it is none of the formats that are taken.
    public init?(_ bytes: FileSample) {
        let count = bytes.count
        if let png = Self.png(bytes) ?? Self.jpeg(bytes) ?? Self.webp(bytes) ?? Self.tiff(bytes) {
            guard let width = png.width, let height = png.height, width > 0, height > 0, width <= 100_000, height <= 100_000 else {
                return nil
            }
            self = png
        } else if let sound = Self.wav(bytes, count) ?? Self.flac(bytes) ?? Self.mp3(bytes, count) {
            self = sound
        } else {
            return nil
        }
    }

    /// PNG (ISO/IEC 15948): signature and IHDR.
    private static func png(_ bytes: FileSample) -> MediaFacts? {
        guard bytes.starts([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), bytes.starts(Array("IHDR".utf8), at: 12) else { return nil }
        var facts = MediaFacts("png", "image/png")
        facts.width = bytes.big(16, 4)
        facts.height = bytes.big(20, 4)
        return facts
    }

    /// JPEG (ITU-T T.81): the segments up to the frame header.
    private static func jpeg(_ bytes: FileSample) -> MediaFacts? {
        guard bytes.starts([0xff, 0xd8, 0xff]) else { return nil }
        var facts = MediaFacts("jpg", "image/jpeg")
        var place = 2
        while let mark = bytes.big(place, 2), mark >> 8 == 0xff {
            let kind = mark & 0xff
            guard let size = bytes.big(place + 2, 2), size >= 2 else { break }
            if (0xc0...0xcf).contains(kind), ![0xc4, 0xc8, 0xcc].contains(kind) {
                facts.height = bytes.big(place + 5, 2)
                facts.width = bytes.big(place + 7, 2)
                return facts
            }
            place += 2 + size
        }
        return facts
    }

    /// WebP (RFC 9649): RIFF with VP8, VP8L or VP8X.
    private static func webp(_ bytes: FileSample) -> MediaFacts? {
        guard bytes.starts(Array("RIFF".utf8)), bytes.starts(Array("WEBP".utf8), at: 8) else { return nil }
        var facts = MediaFacts("webp", "image/webp")
        if bytes.starts(Array("VP8X".utf8), at: 12) {
            facts.width = bytes.little(24, 3).map { $0 + 1 }
            facts.height = bytes.little(27, 3).map { $0 + 1 }
        } else if bytes.starts(Array("VP8L".utf8), at: 12), let bits = bytes.little(21, 4) {
            facts.width = bits & 0x3fff + 1
            facts.height = (bits >> 14) & 0x3fff + 1
        } else if bytes.starts(Array("VP8 ".utf8), at: 12) {
            facts.width = bytes.little(26, 2).map { $0 & 0x3fff }
            facts.height = bytes.little(28, 2).map { $0 & 0x3fff }
        }
        return facts
    }

    /// TIFF 6.0: the first directory's width and length.
    private static func tiff(_ bytes: FileSample) -> MediaFacts? {
        guard let directory = TIFFDirectory(bytes) else { return nil }
        var facts = MediaFacts("tiff", "image/tiff")
        facts.width = directory.value(256)
        facts.height = directory.value(257)
        return facts
    }

    /// WAVE: the format chunk.
    private static func wav(_ bytes: FileSample, _ count: Int) -> MediaFacts? {
        guard bytes.starts(Array("RIFF".utf8)), bytes.starts(Array("WAVE".utf8), at: 8) else { return nil }
        var place = 12
        while let size = bytes.little(place + 4, 4) {
            if bytes.starts(Array("fmt ".utf8), at: place) {
                var facts = MediaFacts("wav", "audio/wav")
                facts.channels = bytes.little(place + 10, 2)
                facts.sampleRate = bytes.little(place + 12, 4)
                if let rate = bytes.little(place + 16, 4), rate > 0 { facts.duration = count * 1000 / rate }
                return (facts.channels ?? 0) > 0 && (facts.sampleRate ?? 0) > 0 ? facts : nil
            }
            place += 8 + size + size % 2
        }
        return nil
    }

    /// FLAC (RFC 9639): the stream information block.
    private static func flac(_ bytes: FileSample) -> MediaFacts? {
        guard bytes.starts(Array("fLaC".utf8)), let packed = bytes.big(18, 4), let low = bytes.big(22, 4) else { return nil }
        var facts = MediaFacts("flac", "audio/flac")
        facts.sampleRate = packed >> 12
        facts.channels = (packed >> 9) & 7 + 1
        let samples = (packed & 0xf) << 32 | low
        if let rate = facts.sampleRate, rate > 0 { facts.duration = samples * 1000 / rate }
        return (facts.sampleRate ?? 0) > 0 ? facts : nil
    }

    /// MPEG-1, -2 and -2.5 layer III: two frame headers in a row, behind an ID3v2 tag where there is one.
    private static func mp3(_ bytes: FileSample, _ count: Int) -> MediaFacts? {
        let place = frames(of: bytes)
        // Covers of pictures are larger than what is looked at: the tag is sign enough then.
        if place > 0, bytes.big(place, 4) == nil { return place < count ? MediaFacts("mp3", "audio/mpeg") : nil }
        guard let first = frame(bytes, place), let second = frame(bytes, place + first.size) else { return nil }
        guard first.rate == second.rate else { return nil }
        var facts = MediaFacts("mp3", "audio/mpeg")
        facts.sampleRate = first.rate
        facts.channels = first.channels
        facts.duration = (count - place) * 8 / first.kilobits
        return facts
    }

    /// Where the first frame stands: behind an ID3v2 tag, each of whose sizes' bytes counts seven bits (ID3v2.4 §6.2).
    static func frames(of bytes: FileSample) -> Int {
        guard bytes.starts(Array("ID3".utf8)), let size = bytes.big(6, 4) else { return 0 }
        return 10 + (size & 0x7f | (size & 0x7f00) >> 1 | (size & 0x7f_0000) >> 2 | (size & 0x7f00_0000) >> 3)
    }

    private static func frame(_ bytes: FileSample, _ place: Int) -> (size: Int, rate: Int, channels: Int, kilobits: Int)? {
        guard let head = bytes.big(place, 4), head >> 21 == 0x7ff, (head >> 17) & 3 == 1 else { return nil }
        let version = (head >> 19) & 3
        let isFirst = version == 3
        let rates = [44_100, 48_000, 32_000]
        let bitrates =
            isFirst
            ? [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
            : [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
        let bitrate = (head >> 12) & 15
        let rateIndex = (head >> 10) & 3
        guard version != 1, rateIndex < 3, bitrate > 0, bitrate < 15 else { return nil }
        let rate = rates[rateIndex] / (isFirst ? 1 : version == 2 ? 2 : 4)
        let size = (isFirst ? 144_000 : 72_000) * bitrates[bitrate] / rate + (head >> 9) & 1
        return (size, rate, (head >> 6) & 3 == 3 ? 1 : 2, bitrates[bitrate])
    }
}
