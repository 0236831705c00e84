extension ChatTemplate {
    /// Characters that stand for a special token's text while a template runs: noncharacters, which no text has a reason to hold.
    private static let opening = Unicode.Scalar(0xfdd0 as UInt32).map { String($0) } ?? ""
    private static let closing = Unicode.Scalar(0xfdd1 as UInt32).map { String($0) } ?? ""

    /// The tokens of a conversation. What the template writes may be special tokens; what people wrote never is: a message that
    /// says `<|im_end|>` is read as these letters and does not end the message.
    public func encode(
        _ messages: [ChatMessage], with tokenizer: Tokenizer, addsGenerationPrompt: Bool = true
    ) throws(FormatError) -> [Int32] {
        let specials = tokenizer.addedTokens.filter(\.isSpecial).map(\.content)
        let guarded = messages.map { message in
            ChatMessage(role: message.role, content: Self.guarding(message.content, specials), others: message.others)
        }
        let text = try render(guarded, addsGenerationPrompt: addsGenerationPrompt)
        var tokens: [Int32] = [], isFirst = true
        for (piece, isGuarded) in Self.pieces(text) {
            tokenizer.append(Array(piece.utf8), readingSpecialTokens: !isGuarded, isFirst: isFirst, to: &tokens)
            isFirst = false
        }
        return tokens
    }

    /// The text with every special token's text between marks. Marks that were in it already go.
    static func guarding(_ text: String, _ specials: [String]) -> String {
        let clean = String(String.UnicodeScalarView(text.unicodeScalars.filter { $0.value != 0xfdd0 && $0.value != 0xfdd1 }))
        let finder = AddedTokenFinder(specials.map { (AddedToken(id: 0, content: $0), Array($0.utf8)) })
        let bytes = Array(clean.utf8)
        return finder.pieces(of: bytes, passingOverSpecial: false).map { piece in
            let part = String(decoding: bytes[piece.range], as: UTF8.self)
            return piece.token == nil ? part : opening + part + closing
        }.joined()
    }

    private static func pieces(_ text: String) -> [(text: String, isGuarded: Bool)] {
        var pieces: [(String, Bool)] = [], piece = String.UnicodeScalarView(), isGuarded = false
        func close(_ next: Bool) {
            if !piece.isEmpty { pieces.append((String(piece), isGuarded)) }
            piece = String.UnicodeScalarView()
            isGuarded = next
        }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0xfdd0: close(true)
            case 0xfdd1: close(false)
            default: piece.append(scalar)
            }
        }
        close(false)
        return pieces
    }
}
