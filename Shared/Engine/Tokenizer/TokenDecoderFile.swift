internal import JSON

/// The `decoder` of a `tokenizer.json`.
struct TokenDecoderFile {
    let file: String

    /// What it says.
    struct Decoder {
        var decoding = Tokenizer.Decoding()
        var isByteLevel = false
        var hasByteFallback = false
        var isFused = false
        var replacements: [(old: [UInt8], new: [UInt8])] = []

        /// The bytes that a token's text stands for.
        func bytes(of content: [UInt8]) -> [UInt8] {
            if isByteLevel { return ByteLevelAlphabet.bytes(of: String(decoding: content, as: UTF8.self)) ?? content }
            if hasByteFallback, content.count == 6, content.starts(with: "<0x".utf8), content[5] == UInt8(ascii: ">"),
                let byte = UInt8(String(decoding: content[3..<5], as: UTF8.self), radix: 16)
            {
                return [byte]
            }
            return TextNormalizer(steps: replacements.map { .replace($0.old, with: $0.new) }).normalized(content)
        }
    }

    func read(_ field: JSONField?) throws -> Decoder {
        guard let field else {
            throw FormatError(.unsupported, file: file, place: "/decoder", "is missing; ByteLevel, Metaspace or a Sequence is needed")
        }
        var decoder = Decoder()
        try read(field, into: &decoder)
        return decoder
    }

    private func read(_ field: JSONField, into decoder: inout Decoder) throws {
        let object = try field.object()
        switch try object.string("type") {
        case "Sequence": for part in try object.array("decoders", count: 0...16) { try read(part, into: &decoder) }
        case "ByteLevel": decoder.isByteLevel = true
        case "ByteFallback": decoder.hasByteFallback = true
        case "Fuse": decoder.isFused = true
        case "Replace":
            decoder.replacements.append(
                (
                    Array(try object.object("pattern").string("String", bytes: 1...100).utf8),
                    Array(try object.string("content", bytes: 0...100).utf8)
                ))
        case "Strip":
            guard decoder.isFused, try object.string("content") == " ", try object.int("stop", in: 0...0) == 0 else {
                throw unsupported(field, "Strip must take blanks from the beginning, after Fuse")
            }
            decoder.decoding.leadingBlanksStripped = try object.int("start", in: 0...16)
        case "Metaspace":
            guard try object.optionalString("replacement") ?? "▁" == "▁" else { throw unsupported(field, "the replacement must be ▁") }
            decoder.replacements.append((PreTokenizer.metaspace, Array(" ".utf8)))
            let scheme = try object.optionalString("prepend_scheme")
            let isPrefixed = try object.optionalBool("add_prefix_space") ?? true
            decoder.decoding.firstTokenLosesBlanks = scheme.map { $0 != "never" } ?? isPrefixed
        case let type:
            throw unsupported(
                field,
                "the decoder \(clipped(type)) is not supported; supported are ByteLevel, ByteFallback, Fuse, Replace, Strip, Metaspace, Sequence"
            )
        }
    }

    private func unsupported(_ field: JSONField, _ reason: String) -> FormatError {
        FormatError(.unsupported, file: file, place: field.pointer, reason)
    }
}
