internal import JSON

/// The `model` of a `tokenizer.json` of the type Unigram: tokens with their scores, the place of each being its id.
struct UnigramFile {
    private(set) var vocabulary: [[UInt8]: Int32] = [:]
    private var tokens: [(bytes: [UInt8], score: Double)] = []
    private var unknown: Int?
    private var hasByteFallback = false
    private let file: String

    init(_ reader: inout JSONReader, _ file: String) throws {
        self.file = file
        var seen: Set<String> = []
        try reader.beginObject()
        while try reader.nextKey() {
            let key = reader.keyText
            guard seen.insert(key).inserted else { throw malformed(key, "is given twice") }
            switch key {
            case "type": _ = try reader.string()
            case "vocab": try readVocabulary(&reader)
            case "unk_id": unknown = try reader.value().intValue.map { Int($0) }
            case "byte_fallback": hasByteFallback = try reader.value().boolValue ?? false
            default: throw FormatError(.unsupported, file: file, place: "/model/" + clipped(key), "is not known")
            }
        }
        guard !tokens.isEmpty else { throw malformed("vocab", "is missing or empty") }
        if let unknown, !tokens.indices.contains(unknown) {
            throw malformed("unk_id", "is \(unknown), and there are \(tokens.count) tokens")
        }
    }

    private mutating func readVocabulary(_ reader: inout JSONReader) throws {
        guard try reader.peek() == .array else { throw malformed("vocab", "must be a list of tokens and scores") }
        try reader.beginArray()
        while try reader.nextElement() {
            guard tokens.count < TokenizerFile.greatestVocabulary else {
                throw FormatError(.tooLarge, file: file, place: "/model/vocab", "has more than \(TokenizerFile.greatestVocabulary)")
            }
            let place = "vocab/\(tokens.count)"
            try reader.beginArray()
            guard try reader.nextElement(), try reader.peek() == .string else { throw malformed(place, "must be a token and its score") }
            let bytes = Array(try reader.string().utf8)
            guard try reader.nextElement(), try reader.peek() == .number else { throw malformed(place, "must be a token and its score") }
            let score = try reader.double()
            guard try !reader.nextElement(), score.isFinite, !bytes.isEmpty else { throw malformed(place, "must be a token and its score") }
            guard vocabulary.updateValue(Int32(tokens.count), forKey: bytes) == nil else { throw malformed(place, "is given twice") }
            tokens.append((bytes, score))
        }
    }

    /// The model that the file describes.
    func build(isByteLevel: Bool) throws -> UnigramModel {
        guard !isByteLevel else {
            throw FormatError(
                .unsupported, file: file, place: "/pre_tokenizer", "ByteLevel before a Unigram model is not supported; Metaspace is")
        }
        var bytes: [Int32]?
        if hasByteFallback {
            let digits = Array("0123456789ABCDEF".utf8)
            let found = (0..<256).compactMap { vocabulary[Array("<0x".utf8) + [digits[$0 >> 4], digits[$0 & 15]] + Array(">".utf8)] }
            if found.count == 256 { bytes = found }
        }
        guard bytes != nil || unknown != nil else {
            throw malformed("unk_id", "is missing, and so are tokens for all bytes: text would be lost")
        }
        return UnigramModel(tokens, unknown: unknown.map { Int32($0) }, byteTokens: bytes)
    }

    private func malformed(_ place: String, _ reason: String) -> FormatError {
        FormatError(.malformed, file: file, place: "/model/" + clipped(place), reason)
    }
}
