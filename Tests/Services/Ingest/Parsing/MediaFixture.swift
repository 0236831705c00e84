/// Images and recordings that are small and whole, made on the spot.
enum MediaFixture {
    /// A PNG of 256 by 128 pixels whose data nobody looks at.
    static func png(padding: Int = 40) -> [UInt8] {
        var bytes: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]
        bytes += chunk("IHDR", [0, 0, 1, 0, 0, 0, 0, 128, 8, 2, 0, 0, 0])
        bytes += chunk("IDAT", [UInt8](repeating: 7, count: padding))
        return bytes + [0, 0, 0, 0] + Array("IEND".utf8) + [0xae, 0x42, 0x60, 0x82]
    }

    private static func chunk(_ name: String, _ data: [UInt8]) -> [UInt8] {
        big(data.count, 4) + Array(name.utf8) + data + [0, 0, 0, 0]
    }

    /// A JPEG of 96 by 64 pixels, with a thumbnail, whose end is no end of the file.
    static let jpg: [UInt8] =
        [0xff, 0xd8, 0xff, 0xe1, 0, 12, 0xff, 0xd8, 1, 2, 3, 4, 0xff, 0xd9, 9, 9]
        + [0xff, 0xc0, 0, 17, 8, 0, 64, 0, 96, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]
        + [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0] + [UInt8](repeating: 0x55, count: 60) + [0xff, 0, 0x44, 0xff, 0xd9]

    /// A lossless WebP of 64 by 32 pixels.
    static let webp: [UInt8] =
        Array("RIFF".utf8) + little(30, 4) + Array("WEBPVP8L".utf8) + little(18, 4) + [0x2f] + little(63 | 31 << 14, 4)
        + [UInt8](repeating: 3, count: 13)

    /// A TIFF of 64 by 32 pixels whose directory stands behind one strip, with `more` bytes after it.
    static func tiff(strip: Int = 50, more: Int = 0) -> [UInt8] {
        func field(_ tag: Int, _ kind: Int, _ value: Int) -> [UInt8] { little(tag, 2) + little(kind, 2) + little(1, 4) + little(value, 4) }
        return [0x49, 0x49, 0x2a, 0] + little(8 + strip, 4) + [UInt8](repeating: 5, count: strip) + little(4, 2)
            + field(256, 3, 64) + field(257, 3, 32) + field(273, 4, 8) + field(279, 4, strip) + little(0, 4)
            + [UInt8](repeating: 6, count: more)
    }

    /// A second of silence by two channels.
    static let wav: [UInt8] =
        Array("RIFF".utf8) + little(36 + 8_000, 4) + Array("WAVEfmt ".utf8) + little(16, 4) + little(1, 2) + little(2, 2)
        + little(2_000, 4) + little(8_000, 4) + little(4, 2) + little(16, 2) + Array("data".utf8) + little(8_000, 4)
        + [UInt8](repeating: 0, count: 8_000)

    /// The bytes of its only frame.
    static let flacFrame = 6
    /// A FLAC of 44,100 Hz with a block of comments.
    static let flac: [UInt8] =
        Array("fLaC".utf8) + [0, 0, 0, 34, 16, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0xc4, 0x42, 0xf0, 0, 1, 0x58, 0x88]
        + [UInt8](repeating: 7, count: 16) + [0x84, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0] + [0xff, 0xf8, 1, 2, 3, 4]

    /// Three frames of an MP3 of 44,100 Hz; the first one says how many bytes there are.
    static let mp3: [UInt8] = {
        // MPEG-1 layer III, 128 kbit/s: 417 bytes a frame.
        let head: [UInt8] = [0xff, 0xfb, 0x90, 0x64]
        let frame = head + [UInt8](repeating: 0, count: 413)
        var first = head + [UInt8](repeating: 0, count: 32) + Array("Info".utf8) + big(2, 4) + big(3 * 417, 4)
        first += [UInt8](repeating: 0, count: 417 - first.count)
        return first + frame + frame
    }()

    static func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    static func big(_ value: Int, _ count: Int) -> [UInt8] { little(value, count).reversed() }
}
