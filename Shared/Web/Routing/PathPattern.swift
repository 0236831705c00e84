/// A route's path: literal segments, `{name}` for one segment, and at the very end `{name...}` for one or more.
struct PathPattern: Sendable, Hashable {
    enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter(String)
        case rest(String)
    }

    let segments: [Segment]

    init(_ text: String) throws(RouteError) {
        guard text.hasPrefix("/") else { throw .badPattern(text, "must begin with /") }
        if text == "/" {
            segments = []
            return
        }
        var segments: [Segment] = []
        var names: Set<String> = []
        let parts = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            guard !part.isEmpty else { throw .badPattern(text, "has an empty segment or a slash at its end") }
            guard part.hasPrefix("{"), part.hasSuffix("}") else {
                guard part.utf8.allSatisfy(Self.isPlain), part != ".", part != ".." else {
                    throw .badPattern(text, "has a literal segment outside A-Z a-z 0-9 . _ ~ - :")
                }
                segments.append(.literal(String(part)))
                continue
            }
            var name = part.dropFirst().dropLast()
            let isRest = name.hasSuffix("...")
            if isRest { name = name.dropLast(3) }
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isNameByte), names.insert(String(name)).inserted else {
                throw .badPattern(text, "has a parameter without a name of its own")
            }
            guard !isRest || index == parts.count - 1 else { throw .badPattern(text, "has {\(name)...} before its end") }
            segments.append(isRest ? .rest(String(name)) : .parameter(String(name)))
        }
        self.segments = segments
    }

    /// The parameters' names, in order.
    var names: [String] {
        segments.compactMap {
            switch $0 {
            case .literal: nil
            case .parameter(let name), .rest(let name): name
            }
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        isNameByte(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "~")
            || byte == UInt8(ascii: ":")
    }
}
