internal import JSON

/// What makes tokens of a word.
enum WordModel: Sendable {
    case bytePair(BytePairModel)
    case unigram(UnigramModel)

    /// Appends the tokens of a word.
    func encode(_ word: UnsafeBufferPointer<UInt8>, scratch: inout [Int32], into out: inout [Int32]) {
        switch self {
        case .bytePair(let model): model.encode(word, scratch: &scratch, into: &out)
        case .unigram(let model): model.encode(word, into: &out)
        }
    }
}

/// The `model` of a `tokenizer.json`.
enum WordModelFile {
    case bytePair(BytePairFile)
    case unigram(UnigramFile)

    init(_ reader: inout JSONReader, _ file: String) throws {
        self =
            try Self.type(reader) == "Unigram"
            ? .unigram(UnigramFile(&reader, file)) : .bytePair(BytePairFile(&reader, file))
    }

    /// Looks ahead; what is malformed is said by who reads it.
    private static func type(_ reader: JSONReader) throws -> String? {
        var ahead = reader
        guard try ahead.peek() == .object else { return nil }
        try ahead.beginObject()
        while try ahead.nextKey() {
            if ahead.keyText == "type" { return try ahead.peek() == .string ? try ahead.string() : nil }
            try ahead.skip()
        }
        return nil
    }

    /// Ids by the UTF-8 of the tokens' texts.
    var vocabulary: [[UInt8]: Int32] {
        switch self {
        case .bytePair(let file): file.vocabulary
        case .unigram(let file): file.vocabulary
        }
    }

    func build(isByteLevel: Bool) throws -> WordModel {
        switch self {
        case .bytePair(let file): .bytePair(try file.build(isByteLevel: isByteLevel))
        case .unigram(let file): .unigram(try file.build(isByteLevel: isByteLevel))
        }
    }
}
