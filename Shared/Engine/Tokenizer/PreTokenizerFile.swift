internal import JSON

/// The `pre_tokenizer` of a `tokenizer.json`.
struct PreTokenizerFile {
    let file: String

    /// The steps, and whether the vocabulary is one of bytes.
    func read(_ field: JSONField) throws -> ([PreTokenizer.Step], Bool) {
        let object = try field.object()
        switch try object.string("type") {
        case "Sequence":
            var steps: [PreTokenizer.Step] = [], isByteLevel = false, isClosed = false
            for part in try object.array("pretokenizers", count: 0...16) {
                // After these the text is another one, to which later patterns were not meant to apply.
                guard !isClosed else { throw unsupported(part, "nothing may follow ByteLevel or Metaspace") }
                let (more, bytes) = try read(part)
                steps += more
                isByteLevel = bytes
                if case .metaspace = more.last { isClosed = true }
                isClosed = isClosed || bytes
            }
            return (steps, isByteLevel)
        case "ByteLevel":
            var steps: [PreTokenizer.Step] = []
            if try object.optionalBool("add_prefix_space") ?? true { steps.append(.prefixSpace) }
            if try object.optionalBool("use_regex") ?? true { steps.append(.pattern(.gpt2)) }
            return (steps, true)
        case "Split": return ([.pattern(try pattern(object, field))], false)
        case "Digits": return ([.digits(individually: try object.optionalBool("individual_digits") ?? false)], false)
        case "Metaspace": return ([try metaspace(object, field)], false)
        case let type:
            throw unsupported(
                field, "the pre_tokenizer \(clipped(type)) is not supported; supported are ByteLevel, Split, Digits, Metaspace, Sequence")
        }
    }

    private func pattern(_ object: JSONFields, _ field: JSONField) throws -> SplitPattern {
        let behavior = try object.string("behavior"), inverts = try object.optionalBool("invert") ?? false
        guard behavior == "Isolated" || (behavior == "Removed" && inverts) else {
            throw unsupported(field, "the behavior \(clipped(behavior)) is not supported; Isolated is")
        }
        guard let regex = try object.object("pattern").optionalString("Regex"), let pattern = SplitPattern(regex: regex) else {
            throw unsupported(field, "this pattern is not supported; supported are those of GPT-2, Llama 3 and Qwen2")
        }
        return pattern
    }

    private func metaspace(_ object: JSONFields, _ field: JSONField) throws -> PreTokenizer.Step {
        guard try object.optionalString("replacement") ?? "▁" == "▁" else { throw unsupported(field, "the replacement must be ▁") }
        let prefix: PreTokenizer.Prefix
        switch try object.optionalString("prepend_scheme") {
        case "always": prefix = .always
        case "first": prefix = .first
        case "never": prefix = .never
        case nil: prefix = try object.optionalBool("add_prefix_space") ?? true ? .always : .never
        case let scheme?: throw unsupported(field, "the prepend_scheme \(clipped(scheme)) is not known")
        }
        return .metaspace(prefix, splits: try object.optionalBool("split") ?? true)
    }

    private func unsupported(_ field: JSONField, _ reason: String) -> FormatError {
        FormatError(.unsupported, file: file, place: field.pointer, reason)
    }
}
