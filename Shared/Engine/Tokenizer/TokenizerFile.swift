internal import JSON

/// The members of a `tokenizer.json`, and how they fit together.
struct TokenizerFile {
    /// Tokens, added ones included, have ids below this.
    static let greatestVocabulary = 1 << 20

    let file: String
    private var model: WordModelFile?
    private var members: [String: JSONField] = [:]

    init(_ json: [UInt8], _ file: String) throws {
        self.file = file
        var reader = try JSONReader(json, limits: JSONLimits(depth: 32, bytes: Tokenizer.greatestFile, items: 2_000_000))
        try reader.beginObject()
        while try reader.nextKey() {
            let key = reader.keyText
            if key == "model" {
                guard model == nil else { throw FormatError(.malformed, file: file, place: "/model", "is given twice") }
                model = try WordModelFile(&reader, file)
            } else {
                let value = try reader.value()
                guard members.updateValue(JSONField(value, at: "/" + key), forKey: key) == nil else {
                    throw FormatError(.malformed, file: file, place: "/" + clipped(key), "is given twice")
                }
            }
        }
        try reader.finish()
    }

    /// A member, unless it is absent or null.
    private func member(_ name: String) -> JSONField? { members[name].flatMap { $0.value.isNull ? nil : $0 } }

    func parts() throws -> TokenizerParts {
        guard let model else { throw FormatError(.missing, file: file, place: "/model", "is missing") }
        let normalizer = TextNormalizer(steps: try member("normalizer").map { try normalizerSteps($0) } ?? [])
        let preTokenizer = try member("pre_tokenizer").map { try PreTokenizerFile(file: file).read($0) } ?? ([], false)
        let (steps, isByteLevel) = preTokenizer
        let addedTokens = try addedTokens(model)
        let decoder = try TokenDecoderFile(file: file).read(member("decoder"))
        guard decoder.isByteLevel == isByteLevel else {
            throw FormatError(.unsupported, file: file, place: "/decoder", "must be ByteLevel exactly when the pre_tokenizer is")
        }
        var ids = model.vocabulary
        for token in addedTokens { ids[Array(token.content.utf8)] = token.id }
        var bytes = [[UInt8]](repeating: [], count: Int(ids.values.max() ?? -1) + 1)
        for (content, id) in ids { bytes[Int(id)] = decoder.bytes(of: content) }
        let (prefix, suffix) = try member("post_processor").map { try template($0) } ?? ([], [])
        return TokenizerParts(
            model: try model.build(isByteLevel: isByteLevel), normalizer: normalizer, preTokenizer: PreTokenizer(steps: steps),
            decoding: decoder.decoding, addedTokens: addedTokens, prefixTokens: prefix, suffixTokens: suffix, tokenBytes: bytes,
            idsByContent: ids)
    }

    private func normalizerSteps(_ field: JSONField) throws -> [TextNormalizer.Step] {
        let object = try field.object()
        switch try object.string("type") {
        case "NFC": return [.nfc]
        case "Sequence": return try object.array("normalizers", count: 0...16).flatMap { try normalizerSteps($0) }
        case "Prepend": return [.prepend(Array(try object.string("prepend", bytes: 1...100).utf8))]
        case "Replace":
            let pattern = try object.object("pattern")
            guard pattern.object["Regex"] == nil else { throw pattern.error("regular expressions are not supported here") }
            return [
                .replace(
                    Array(try pattern.string("String", bytes: 1...100).utf8),
                    with: Array(try object.string("content", bytes: 0...100).utf8))
            ]
        case let type:
            throw FormatError(
                .unsupported, file: file, place: field.pointer,
                "the normalizer \(clipped(type)) is not supported; supported are NFC, Prepend, Replace, Sequence")
        }
    }

    private func addedTokens(_ model: WordModelFile) throws -> [AddedToken] {
        guard let field = member("added_tokens") else { return [] }
        var ids: [Int32: [UInt8]] = Dictionary(model.vocabulary.map { ($1, $0) }) { first, _ in first }
        var seen: Set<[UInt8]> = []
        return try field.array(count: 0...100_000).map { entry in
            let object = try entry.object()
            let content = try object.string("content", bytes: 1...1000), bytes = Array(content.utf8)
            let id = Int32(try object.int("id", in: 0...Self.greatestVocabulary - 1))
            guard seen.insert(bytes).inserted else { throw entry.error("\(clipped(content)) is added twice") }
            guard ids[id].map({ $0 == bytes }) ?? true, model.vocabulary[bytes].map({ $0 == id }) ?? true else {
                throw entry.error("\(clipped(content)) has id \(id), and the vocabulary says otherwise")
            }
            ids[id] = bytes
            return AddedToken(
                id: id, content: content, isSpecial: try object.optionalBool("special") ?? false,
                isNormalized: try object.optionalBool("normalized") ?? true,
                isSingleWord: try object.optionalBool("single_word") ?? false,
                stripsLeft: try object.optionalBool("lstrip") ?? false, stripsRight: try object.optionalBool("rstrip") ?? false)
        }
    }

    /// What a `TemplateProcessing` puts before and after a single text.
    private func template(_ field: JSONField) throws -> ([Int32], [Int32]) {
        let object = try field.object()
        switch try object.string("type") {
        case "ByteLevel": return ([], [])
        case "Sequence":
            return try object.array("processors", count: 0...16).reduce(into: ([], [])) { sum, part in
                let (prefix, suffix) = try template(part)
                sum = (prefix + sum.0, sum.1 + suffix)
            }
        case "TemplateProcessing":
            let tokens = try object.object("special_tokens")
            var prefix: [Int32] = [], suffix: [Int32] = [], texts = 0
            for part in try object.array("single", count: 0...64) {
                let part = try part.object()
                if let sequence = try part.optionalObject("Sequence") {
                    guard try sequence.string("id") == "A" else { throw sequence.error("must be A in the template of a single text") }
                    texts += 1
                } else {
                    let name = try part.object("SpecialToken").string("id")
                    for id in try tokens.object(name).array("ids", count: 1...16) {
                        let id = Int32(try id.int(in: 0...Self.greatestVocabulary - 1))
                        if texts == 0 { prefix.append(id) } else { suffix.append(id) }
                    }
                }
            }
            guard texts == 1 else { throw object.error("the template of a single text must hold it once") }
            return (prefix, suffix)
        case let type:
            throw FormatError(
                .unsupported, file: file, place: field.pointer,
                "the post_processor \(clipped(type)) is not supported; supported are ByteLevel, TemplateProcessing, Sequence")
        }
    }
}
