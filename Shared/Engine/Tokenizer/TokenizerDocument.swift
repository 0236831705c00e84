internal import JSON

/// A trained vocabulary as the `tokenizer.json` that Hugging Face's libraries read.
struct TokenizerDocument {
    let specialTokens: [String]
    /// The tokens after the special ones.
    let tokens: [[UInt8]]
    let merges: [(Int32, Int32)]

    /// The file's bytes.
    var json: [UInt8] {
        // Members are joined as text: the object of the vocabulary would search itself for each of its names.
        let texts = specialTokens + tokens.map { ByteLevelAlphabet.text(of: $0) }
        let vocabulary = texts.enumerated().map { quoted($1) + ":\($0)" }.joined(separator: ",")
        let pairs = merges.map { "[" + quoted(texts[Int($0.0)]) + "," + quoted(texts[Int($0.1)]) + "]" }.joined(separator: ",\n")
        let added: [JSONValue] = specialTokens.enumerated().map { id, content in
            [
                "id": .int(Int64(id)), "content": .string(content), "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true,
            ]
        }
        let byteLevel: JSONValue = ["type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false]
        let split: JSONValue = [
            "type": "Split", "pattern": ["Regex": .string(SplitPattern.qwen2Text)], "behavior": "Isolated", "invert": false,
        ]
        let head: JSONObject = [
            "version": "1.0", "truncation": .null, "padding": .null, "added_tokens": .array(added), "normalizer": ["type": "NFC"],
            "pre_tokenizer": ["type": "Sequence", "pretokenizers": [split, byteLevel]], "post_processor": byteLevel,
            "decoder": byteLevel,
        ]
        let model = """
            {"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,\
            "fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
            "vocab":{\(vocabulary)},
            "merges":[
            \(pairs)]}
            """
        return Array(String(decoding: JSON.write(.object(head)), as: UTF8.self).dropLast().utf8) + Array(",\n\"model\":\(model)}\n".utf8)
    }

    private func quoted(_ text: String) -> String { String(decoding: JSON.write(.string(text)), as: UTF8.self) }
}
