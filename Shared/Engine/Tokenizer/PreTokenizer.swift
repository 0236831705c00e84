/// Cuts normalised text into the words within which pieces are merged.
struct PreTokenizer: Sendable, Hashable {
    /// When the metaspace goes before a text.
    enum Prefix: Sendable, Hashable {
        case always, first, never
    }

    /// One step; each works on the pieces that the ones before have left.
    enum Step: Sendable, Hashable {
        /// Cut by a pattern.
        case pattern(SplitPattern)
        /// Numbers apart, each digit by itself or as runs.
        case digits(individually: Bool)
        /// A blank before a piece that has none.
        case prefixSpace
        /// Blanks become `▁`; cut before each of them, if asked for.
        case metaspace(Prefix, splits: Bool)
    }

    /// U+2581, which stands for a blank.
    static let metaspace: [UInt8] = [0xe2, 0x96, 0x81]

    let steps: [Step]

    /// Hands each word to `emit`, in order.
    /// - Parameter isFirst: whether the piece stands at the very beginning of the whole text.
    func words(in piece: UnsafeBufferPointer<UInt8>, isFirst: Bool, _ emit: (UnsafeBufferPointer<UInt8>) -> Void) {
        run(0, piece, isFirst, emit)
    }

    private func run(_ index: Int, _ piece: UnsafeBufferPointer<UInt8>, _ isFirst: Bool, _ emit: (UnsafeBufferPointer<UInt8>) -> Void) {
        guard !piece.isEmpty else { return }
        guard index < steps.count else { return emit(piece) }
        let text = TextCursor(bytes: piece)
        var start = 0
        func cut(_ end: Int) {
            if end > start {
                run(index + 1, UnsafeBufferPointer(rebasing: piece[start..<end]), isFirst && start == 0, emit)
            }
            start = end
        }
        switch steps[index] {
        case .pattern(let pattern):
            while start < piece.count { cut(pattern.end(of: start, in: text)) }
        case .digits(let individually):
            var at = 0
            while at < piece.count {
                let (kind, length) = text.character(at: at)
                if kind == .number {
                    cut(at)
                    at = text.endOfRun(.number, from: at, atMost: individually ? 1 : .max)
                    cut(at)
                } else {
                    at += length
                }
            }
            cut(at)
        case .prefixSpace:
            guard piece[0] != UInt8(ascii: " ") else { return run(index + 1, piece, isFirst, emit) }
            let prefixed = [UInt8(ascii: " ")] + piece
            prefixed.withUnsafeBufferPointer { run(index + 1, $0, isFirst, emit) }
        case .metaspace(let prefix, let splits):
            metaspaced(piece, prefix: prefix == .always || (prefix == .first && isFirst)).withUnsafeBufferPointer { replaced in
                guard splits else { return run(index + 1, replaced, isFirst, emit) }
                var from = 0
                for at in replaced.indices where at > from && replaced[at...].starts(with: Self.metaspace) {
                    run(index + 1, UnsafeBufferPointer(rebasing: replaced[from..<at]), isFirst && from == 0, emit)
                    from = at
                }
                run(index + 1, UnsafeBufferPointer(rebasing: replaced[from...]), isFirst && from == 0, emit)
            }
        }
    }

    private func metaspaced(_ piece: UnsafeBufferPointer<UInt8>, prefix: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(piece.count + piece.count / 2)
        for byte in piece {
            if byte == UInt8(ascii: " ") { out += Self.metaspace } else { out.append(byte) }
        }
        return prefix && !out.starts(with: Self.metaspace) ? Self.metaspace + out : out
    }
}
