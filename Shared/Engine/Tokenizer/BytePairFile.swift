internal import JSON

/// The `model` of a `tokenizer.json`: vocabulary and merges, read without building a tree of some million values.
struct BytePairFile {
    /// Ids by the UTF-8 of the tokens' texts. Bytes, as equal strings of Swift may be different tokens.
    private(set) var vocabulary: [[UInt8]: Int32] = [:]
    private var merges: [(left: [UInt8], right: [UInt8])] = []
    private var unknown: String?
    private var hasByteFallback = false, fusesUnknown = false, ignoresMerges = false
    private let file: String

    init(_ reader: inout JSONReader, _ file: String) throws {
        self.file = file
        var seen: Set<String> = []
        var hasMerges = false
        try reader.beginObject()
        while try reader.nextKey() {
            let key = reader.keyText
            guard seen.insert(key).inserted else { throw malformed(key, "is given twice") }
            switch key {
            case "type":
                let type = try reader.string()
                guard type == "BPE" else {
                    throw FormatError(
                        .unsupported, file: file, place: "/model/type", "\(clipped(type)) is not supported; BPE and Unigram are")
                }
            case "vocab":
                guard try reader.peek() == .object else {
                    throw FormatError(
                        .unsupported, file: file, place: "/model/vocab", "is no object: a Unigram model must say so in its type")
                }
                try readVocabulary(&reader)
            case "merges":
                hasMerges = true
                try readMerges(&reader)
            case "unk_token": unknown = try reader.value().stringValue
            case "byte_fallback": hasByteFallback = try reader.value().boolValue ?? false
            case "fuse_unk": fusesUnknown = try reader.value().boolValue ?? false
            case "ignore_merges": ignoresMerges = try reader.value().boolValue ?? false
            case "dropout", "continuing_subword_prefix", "end_of_word_suffix":
                switch try reader.value() {
                case .null, .string(""), .int(0), .double(0): break
                default: throw FormatError(.unsupported, file: file, place: "/model/" + key, "is not supported")
                }
            default: throw FormatError(.unsupported, file: file, place: "/model/" + clipped(key), "is not known")
            }
        }
        guard !vocabulary.isEmpty, hasMerges else {
            throw FormatError(.unsupported, file: file, place: "/model", "needs vocab and merges: BPE models are supported")
        }
    }

    private mutating func readVocabulary(_ reader: inout JSONReader) throws {
        var ids: Set<Int32> = []
        try reader.beginObject()
        while try reader.nextKey() {
            let token = Array(reader.keyText.utf8)
            let id = try reader.int()
            guard (0..<Int64(TokenizerFile.greatestVocabulary)).contains(id) else {
                throw malformed(
                    "vocab", "\(clipped(reader.keyText)) has id \(id); ids are from 0 to \(TokenizerFile.greatestVocabulary - 1)")
            }
            guard vocabulary.updateValue(Int32(id), forKey: token) == nil, ids.insert(Int32(id)).inserted else {
                throw malformed("vocab", "\(clipped(reader.keyText)) or its id \(id) is given twice")
            }
        }
    }

    private mutating func readMerges(_ reader: inout JSONReader) throws {
        try reader.beginArray()
        while try reader.nextElement() {
            guard merges.count < TokenizerFile.greatestVocabulary else {
                throw FormatError(.tooLarge, file: file, place: "/model/merges", "has more than \(TokenizerFile.greatestVocabulary)")
            }
            let parts: [[UInt8]]
            if try reader.peek() == .array {
                let texts = try reader.value().arrayValue ?? []
                parts = texts.compactMap { $0.stringValue.map { Array($0.utf8) } }
                guard parts.count == texts.count else { throw malformed("merges/\(merges.count)", "must hold texts") }
            } else {
                parts = Array(try reader.string().utf8).split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map(
                    Array.init)
            }
            guard parts.count == 2 else { throw malformed("merges/\(merges.count)", "must name two tokens") }
            merges.append((parts[0], parts[1]))
        }
    }

    /// The model that the file describes.
    func build(isByteLevel: Bool) throws -> BytePairModel {
        let unknownToken = unknown.flatMap { vocabulary[Array($0.utf8)] }
        guard unknown == nil || unknownToken != nil else { throw malformed("unk_token", "is not in the vocabulary") }
        return BytePairModel(
            alphabet: try isByteLevel ? .bytes(byteLevelTokens(unknownToken)) : characters(unknownToken),
            merging: PairMerging(merges: try mergeTable()), vocabulary: lookedUp(isByteLevel),
            ignoresMergesForWholeWords: ignoresMerges)
    }

    private func mergeTable() throws -> MergeTable {
        var table = MergeTable(capacity: merges.count)
        for (rank, merge) in merges.enumerated() {
            guard let left = vocabulary[merge.left], let right = vocabulary[merge.right], let token = vocabulary[merge.left + merge.right]
            else {
                throw malformed("merges/\(rank)", "names a token that is not in the vocabulary, or makes one")
            }
            guard table.insert(left, right, rank: Int32(rank), token: token) else { throw malformed("merges/\(rank)", "is given twice") }
        }
        return table
    }

    private func lookedUp(_ isByteLevel: Bool) -> [[UInt8]: Int32] {
        guard isByteLevel else { return vocabulary }
        guard ignoresMerges else { return [:] }
        var words: [[UInt8]: Int32] = [:]
        for (text, id) in vocabulary {
            if let bytes = ByteLevelAlphabet.bytes(of: String(decoding: text, as: UTF8.self)) { words[bytes] = id }
        }
        return words
    }

    private func byteLevelTokens(_ unknown: Int32?) throws -> [Int32] {
        try (0..<256).map { byte in
            if let token = vocabulary[Array(String(Character(ByteLevelAlphabet.scalars[byte])).utf8)] { return token }
            // UTF-8 never has these bytes.
            if (0xc0...0xc1).contains(byte) || byte >= 0xf5 { return unknown ?? -1 }
            guard let unknown else {
                throw malformed("vocab", "has no token for byte \(byte) and no unk_token: text would be lost")
            }
            return unknown
        }
    }

    private func characters(_ unknown: Int32?) throws -> BytePairModel.Alphabet {
        var bytes: [Int32]?
        if hasByteFallback {
            let digits = Array("0123456789ABCDEF".utf8)
            let found = (0..<256).compactMap { vocabulary[Array("<0x".utf8) + [digits[$0 >> 4], digits[$0 & 15]] + Array(">".utf8)] }
            if found.count == 256 { bytes = found }
        }
        guard bytes != nil || unknown != nil else {
            throw malformed("unk_token", "is missing, and so are tokens for all bytes: text would be lost")
        }
        return .characters(byteTokens: bytes, unknown: unknown, fusesUnknown: fusesUnknown)
    }

    private func malformed(_ place: String, _ reason: String) -> FormatError {
        FormatError(.malformed, file: file, place: "/model/" + clipped(place), reason)
    }
}
