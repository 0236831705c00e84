/// Finds added tokens in text, the leftmost and then the longest, in one pass over a trie of their bytes.
struct AddedTokenFinder: Sendable {
    /// A stretch of text, or the added token that stands there.
    struct Piece {
        let range: Range<Int>
        let token: Int32?
    }

    private var children: [UInt32: Int32] = [:]
    /// The token that ends at a node, by its index in `tokens`.
    private var ends: [Int32] = [-1]
    private var tokens: [AddedToken] = []
    private var isFirstByte = [Bool](repeating: false, count: 256)

    init(_ tokens: [(token: AddedToken, text: [UInt8])]) {
        for (token, text) in tokens where !text.isEmpty {
            var node: Int32 = 0
            for byte in text {
                let key = UInt32(node) << 8 | UInt32(byte)
                if let child = children[key] {
                    node = child
                } else {
                    node = Int32(ends.count)
                    ends.append(-1)
                    children[key] = node
                }
            }
            isFirstByte[Int(text[0])] = true
            ends[Int(node)] = Int32(self.tokens.count)
            self.tokens.append(token)
        }
    }

    var isEmpty: Bool { tokens.isEmpty }

    /// Cuts text into the tokens found and what lies between.
    /// - Parameter passingOverSpecial: leave special tokens as text: what strangers write must not steer the model.
    func pieces(of text: [UInt8], passingOverSpecial: Bool) -> [Piece] {
        var pieces: [Piece] = []
        var from = 0, at = 0
        while at < text.count {
            guard isFirstByte[Int(text[at])], let (token, length) = longest(in: text, at: at) else {
                at += 1
                continue
            }
            var start = at, end = at + length
            at = end
            if passingOverSpecial && token.isSpecial { continue }
            if token.isSingleWord, endsWithWord(text, start) || beginsWithWord(text, end) { continue }
            if token.stripsLeft { start = max(from, blanksBefore(start, text)) }
            if token.stripsRight { end = blanksAfter(end, text) }
            start = max(start, from)
            if start > from { pieces.append(Piece(range: from..<start, token: nil)) }
            pieces.append(Piece(range: start..<max(start, end), token: token.id))
            from = max(start, end)
            at = max(at, from)
        }
        if from < text.count { pieces.append(Piece(range: from..<text.count, token: nil)) }
        return pieces
    }

    private func longest(in text: [UInt8], at start: Int) -> (AddedToken, Int)? {
        var node: Int32 = 0, found: (AddedToken, Int)?
        for index in start..<text.count {
            guard let child = children[UInt32(node) << 8 | UInt32(text[index])] else { break }
            node = child
            if ends[Int(node)] >= 0 { found = (tokens[Int(ends[Int(node)])], index + 1 - start) }
        }
        return found
    }

    private func blanksBefore(_ end: Int, _ text: [UInt8]) -> Int {
        var at = end
        while let (scalar, length) = scalar(before: at, text), CharacterClass.of(scalar.value) == .space { at -= length }
        return at
    }

    private func blanksAfter(_ start: Int, _ text: [UInt8]) -> Int {
        text.withUnsafeBufferPointer { TextCursor(bytes: $0).endOfRun(.space, from: start) }
    }

    private func endsWithWord(_ text: [UInt8], _ end: Int) -> Bool { scalar(before: end, text).map { isWord($0.0) } ?? false }

    private func beginsWithWord(_ text: [UInt8], _ start: Int) -> Bool {
        String(decoding: text[start..<min(text.count, start + 4)], as: UTF8.self).unicodeScalars.first.map(isWord) ?? false
    }

    private func scalar(before end: Int, _ text: [UInt8]) -> (Unicode.Scalar, Int)? {
        var start = end - 1
        guard start >= 0 else { return nil }
        while start > 0, text[start] & 0xc0 == 0x80 { start -= 1 }
        return String(decoding: text[start..<end], as: UTF8.self).unicodeScalars.first.map { ($0, end - start) }
    }

    /// `\w`.
    private func isWord(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        return properties.isAlphabetic || properties.generalCategory == .decimalNumber
            || properties.generalCategory == .connectorPunctuation
            || properties.generalCategory == .nonspacingMark || properties.generalCategory == .spacingMark
            || properties.generalCategory == .enclosingMark
    }
}
