/// Whether a file goes as far as its format says that it goes.
extension MediaFacts {
    /// The most parts that ``missingPart(of:)`` asks for of one file: a colour profile of 4 MiB in front of an image's size.
    public static let mostParts = 64

    /// The next part of a file that has to be seen besides its ends, to say what it is; nil for none.
    public static func missingPart(of bytes: FileSample) -> Range<Int>? {
        if let range = missingSegment(of: bytes) { return range }
        guard let directory = TIFFDirectory(bytes), !directory.isReadable, !directory.range.isEmpty else { return nil }
        return directory.range
    }

    /// Whether the file was cut off. What a format does not tell, such as how long an MP3 without a Xing head is, is not known here.
    public func isCutOff(_ bytes: FileSample) -> Bool {
        switch format {
        case "png": !Self.contains(bytes.tail, Self.endOfPNG)
        case "jpg": Self.jpegIsCutOff(bytes)
        case "webp": (bytes.little(4, 4) ?? 0) + 8 > bytes.count
        case "tiff": TIFFDirectory(bytes).map { !$0.isReadable || $0.end > bytes.count } ?? true
        case "wav": Self.wavIsCutOff(bytes)
        case "flac": Self.flacIsCutOff(bytes)
        case "mp3": Self.mp3IsCutOff(bytes)
        default: false
        }
    }

    /// ITU-T T.81, B.1.1.4: segments come one behind another, those with profiles and previews first; where one begins that has not been
    /// seen.
    private static func missingSegment(of bytes: FileSample) -> Range<Int>? {
        guard bytes.starts([0xff, 0xd8, 0xff]) else { return nil }
        var place = 2
        while place + 4 <= bytes.count {
            guard let mark = bytes.big(place, 2), let size = bytes.big(place + 2, 2) else { return place..<min(bytes.count, place + 20) }
            // The frame's head, whichever way it is coded, has the size of the image behind its own.
            let isFrame = (0xffc0...0xffcf).contains(mark) && ![0xffc4, 0xffc8, 0xffcc].contains(mark)
            if isFrame, place + 10 <= bytes.count, bytes.big(place + 4, 6) == nil { return place..<min(bytes.count, place + 20) }
            guard mark >> 8 == 0xff, mark != 0xffda, size >= 2 else { return nil }
            place += 2 + size
        }
        return nil
    }

    /// PNG (ISO/IEC 15948, 11.2.5): the chunk IEND, with its check.
    private static let endOfPNG: [UInt8] = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]

    /// ITU-T T.81, B.1.1: behind the segments stand scans, and behind the last one the end of the image. Within a scan FF is followed by 0
    /// or a restart; within a segment there may be a thumbnail, with an end of its own.
    private static func jpegIsCutOff(_ bytes: FileSample) -> Bool {
        var place = 2
        while let mark = bytes.big(place, 2), mark != 0xffda, let size = bytes.big(place + 2, 2) { place += 2 + size }
        guard place + 4 <= bytes.count else { return true }
        let tail = bytes.tail.suffix(bytes.count - place)
        for (byte, next) in zip(tail.dropLast().reversed(), tail.reversed()) where byte == 0xff {
            if next == 0xd9 { return false }
            if next == 0xda { return true }
        }
        return true
    }

    /// The data chunk's length; recorders that write as they go leave 0 or all ones there and in the RIFF head.
    private static func wavIsCutOff(_ bytes: FileSample) -> Bool {
        let unknown: Set<Int> = [0, 0xffff_ffff]
        if let whole = bytes.little(4, 4), !unknown.contains(whole), whole + 8 > bytes.count { return true }
        var place = 12
        while let size = bytes.little(place + 4, 4) {
            if bytes.starts(Array("data".utf8), at: place) { return !unknown.contains(size) && place + 8 + size > bytes.count }
            place += 8 + size + size % 2
        }
        return true
    }

    /// RFC 9639, 8.1: behind the metadata blocks stands at least one frame.
    private static func flacIsCutOff(_ bytes: FileSample) -> Bool {
        var place = 4
        while let kind = bytes.big(place, 1), let size = bytes.big(place + 1, 3) {
            place += 4 + size
            if kind & 0x80 != 0 { return place >= bytes.count }
        }
        // A block that holds a picture may reach beyond what was looked at.
        return place + 4 > bytes.count
    }

    /// The Xing or Info head of the first frame says how many bytes there are, where an encoder wrote one.
    private static func mp3IsCutOff(_ bytes: FileSample) -> Bool {
        let start = frames(of: bytes)
        for side in [9, 17, 32] {
            let head = start + 4 + side
            guard bytes.starts(Array("Xing".utf8), at: head) || bytes.starts(Array("Info".utf8), at: head) else { continue }
            guard let flags = bytes.big(head + 4, 4), flags & 2 != 0 else { return false }
            return bytes.big(head + (flags & 1 == 0 ? 8 : 12), 4).map { start + $0 > bytes.count } ?? false
        }
        return false
    }

    private static func contains(_ bytes: ArraySlice<UInt8>, _ needle: [UInt8]) -> Bool {
        guard let first = needle.first, bytes.count >= needle.count else { return false }
        return (bytes.startIndex...bytes.endIndex - needle.count).contains { place in
            bytes[place] == first && bytes[place..<place + needle.count].elementsEqual(needle)
        }
    }
}
