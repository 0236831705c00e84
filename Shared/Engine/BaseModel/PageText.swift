/// The prose of an HTML page: its headings and paragraphs, without tables, code and scripts. Enough of HTML for pages that are
/// known and pinned by their hash; the same page gives the same text everywhere.
struct PageText: Sendable, Hashable {
    /// A stretch of prose.
    enum Block: Sendable, Hashable {
        case heading(String)
        case paragraph(String)
    }

    let blocks: [Block]

    /// Shorter paragraphs are mostly captions and links.
    private static let shortestParagraph = 60
    private static let skipped: Set<String> = ["script", "style", "pre", "svg", "table", "head", "form", "button"]
    private static let headings: Set<String> = ["h1", "h2", "h3", "h4"]
    /// Elements that stand within a sentence; all others end a paragraph.
    private static let inline: Set<String> = [
        "a", "b", "i", "u", "em", "strong", "tt", "code", "var", "span", "small", "sub", "sup", "font", "big", "cite", "dfn", "q", "yyterm",
        "yynonterm", "s", "del",
    ]

    init(html: [UInt8]) {
        var blocks: [Block] = [], text: [UInt8] = [], isHeading = false
        var skipping: (name: String, depth: Int)?
        func close() {
            let line = Self.collapsed(text)
            text.removeAll(keepingCapacity: true)
            if isHeading, !line.isEmpty { blocks.append(.heading(line)) }
            if !isHeading, line.utf8.count >= Self.shortestParagraph { blocks.append(.paragraph(line)) }
        }
        var at = 0
        while at < html.count {
            guard html[at] == UInt8(ascii: "<") else {
                if skipping == nil { text.append(html[at]) }
                at += 1
                continue
            }
            if html[at...].starts(with: "<!--".utf8) {
                at = Self.index(after: "-->", in: html, from: at + 4)
                continue
            }
            let end = Self.index(after: ">", in: html, from: at + 1)
            let (name, isClosing) = Self.tag(html[at + 1..<end])
            at = end
            if let (open, depth) = skipping {
                if name == open { skipping = isClosing ? (depth == 1 ? nil : (open, depth - 1)) : (open, depth + 1) }
            } else if Self.skipped.contains(name), !isClosing {
                close()
                isHeading = false
                if name == "script" || name == "style" {
                    // A < within a program begins no element.
                    at = Self.index(after: "</" + name, in: html, from: at)
                    at = Self.index(after: ">", in: html, from: at)
                } else {
                    skipping = (name, 1)
                }
            } else if !Self.inline.contains(name) {
                close()
                isHeading = Self.headings.contains(name) && !isClosing
            }
        }
        close()
        self.blocks = blocks
    }

    private static func index(after mark: String, in html: [UInt8], from start: Int) -> Int {
        let mark = Array(mark.utf8)
        var at = start
        while at + mark.count <= html.count {
            if html[at] == mark[0], html[at...].starts(with: mark) { return at + mark.count }
            at += 1
        }
        return html.count
    }

    private static func tag(_ inside: ArraySlice<UInt8>) -> (String, Bool) {
        let isClosing = inside.first == UInt8(ascii: "/")
        let name = inside.dropFirst(isClosing ? 1 : 0).prefix {
            ($0 | 0x20) >= UInt8(ascii: "a") && ($0 | 0x20) <= UInt8(ascii: "z") || ($0 >= 0x30 && $0 <= 0x39)
        }
        return (String(decoding: name, as: UTF8.self).lowercased(), isClosing)
    }

    private static let entities: [String: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "mdash": "-", "ndash": "-", "rarr": "->", "larr": "<-",
        "le": "<=", "ge": ">=", "times": "x", "hellip": "...", "copy": "(c)", "deg": " degrees", "lsquo": "'", "rsquo": "'",
        "ldquo": "\"", "rdquo": "\"", "sect": "section", "micro": "u",
    ]

    /// Entities read, blanks joined, blanks at the ends dropped.
    private static func collapsed(_ bytes: [UInt8]) -> String {
        var out = "", isBlank = true
        let scalars = Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
        var at = 0
        while at < scalars.count {
            var piece = String(scalars[at])
            if scalars[at] == "&", let end = scalars[at...].prefix(10).firstIndex(of: ";") {
                let name = String(String.UnicodeScalarView(scalars[at + 1..<end]))
                if let found = entity(name) {
                    piece = found
                    at = end
                }
            }
            at += 1
            for scalar in piece.unicodeScalars {
                let blank = CharacterClass.of(scalar.value) == .space
                if blank {
                    if !isBlank { out.unicodeScalars.append(" ") }
                } else {
                    out.unicodeScalars.append(scalar)
                }
                isBlank = blank
            }
        }
        return out.hasSuffix(" ") ? String(out.dropLast()) : out
    }

    private static func entity(_ name: String) -> String? {
        if let found = entities[name] { return found }
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let value = digits.hasPrefix("x") || digits.hasPrefix("X") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return value.flatMap { Unicode.Scalar($0) }.map { String($0) }
    }
}
