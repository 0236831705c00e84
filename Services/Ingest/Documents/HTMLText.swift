internal import CDocuments

/// The text of an HTML page by libxml2's forgiving parser: what a reader sees, with a blank line between blocks. Nothing is
/// fetched, and scripts, styles and the page's frame are left out.
enum HTMLText {
    private static let ignored: Set<String> = [
        "script", "style", "noscript", "template", "head", "nav", "footer", "aside", "form", "button", "select", "svg", "iframe", "object",
    ]
    private static let blocks: Set<String> = [
        "p", "div", "section", "article", "main", "header", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre",
        "blockquote", "figure", "hr", "details", "summary", "address",
    ]
    private static let lines: Set<String> = ["br", "li", "tr", "dt", "dd", "option", "caption"]
    /// A tag with more bytes than this is not written by hand, and the parser's time grows with the square of its attributes.
    private static let longestTag = 16_384
    private static let deepest = 512

    static func extract(_ page: [UInt8], file: String) throws(ParsingError) -> [UInt8] {
        guard page.count <= ParsingLimits.document else {
            throw .tooLarge(file: file, what: "the page", limit: ParsingLimits.document)
        }
        guard !hasEndlessTag(page) else { throw .tooLarge(file: file, what: "a tag", limit: longestTag) }
        cdocuments_be_silent()
        let options = Int32(
            HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue | HTML_PARSE_NONET.rawValue)
        let document = page.withUnsafeBytes { bytes in
            htmlReadMemory(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count), nil, "UTF-8", options)
        }
        guard let document else { throw .malformed(file: file, reason: "it is no HTML") }
        defer { xmlFreeDoc(document) }
        var text: [UInt8] = []
        walk(xmlDocGetRootElement(document), &text)
        guard text.count <= ParsingLimits.text else { throw .tooLarge(file: file, what: "the text", limit: ParsingLimits.text) }
        return text
    }

    /// In document order, without recursion: how deep a page nests is its author's choice.
    private static func walk(_ root: xmlNodePtr?, _ text: inout [UInt8]) {
        var node = root
        var depth = 0
        while let current = node {
            var enters = false
            let kind = current.pointee.type
            if kind == XML_TEXT_NODE || kind == XML_CDATA_SECTION_NODE {
                append(current.pointee.content, &text)
            } else if kind == XML_ELEMENT_NODE {
                let name = current.pointee.name.map { String(cString: $0).lowercased() } ?? ""
                if !ignored.contains(name), depth < deepest {
                    separate(name, &text)
                    enters = current.pointee.children != nil
                }
            }
            if enters {
                depth += 1
                node = current.pointee.children
                continue
            }
            var back: xmlNodePtr? = current
            while let here = back, here.pointee.next == nil {
                back = here.pointee.parent
                depth -= 1
                guard let parent = back, parent.pointee.type == XML_ELEMENT_NODE, parent != root else { return }
                separate(parent.pointee.name.map { String(cString: $0).lowercased() } ?? "", &text, isEnd: true)
            }
            node = back?.pointee.next
        }
    }

    private static func separate(_ name: String, _ text: inout [UInt8], isEnd: Bool = false) {
        if blocks.contains(name) {
            while text.last == 0x20 { text.removeLast() }
            while text.count > 0, text.suffix(2) != [0x0a, 0x0a] { text.append(0x0a) }
        } else if lines.contains(name) {
            if let last = text.last, last != 0x0a { text.append(0x0a) }
        } else if !isEnd, name == "td" || name == "th", let last = text.last, last != 0x0a {
            text += Array(" | ".utf8)
        }
    }

    /// Blanks of any kind are one.
    private static func append(_ content: UnsafeMutablePointer<xmlChar>?, _ text: inout [UInt8]) {
        guard var place = content else { return }
        while place.pointee != 0, text.count <= ParsingLimits.text {
            let byte = place.pointee
            place += 1
            if byte > 0x20 {
                text.append(byte)
            } else if let last = text.last, last > 0x20 {
                text.append(0x20)
            }
        }
    }

    private static func hasEndlessTag(_ page: [UInt8]) -> Bool {
        var start: Int?
        for (index, byte) in page.enumerated() {
            if byte == UInt8(ascii: "<") {
                start = index
            } else if byte == UInt8(ascii: ">") {
                start = nil
            } else if let begun = start, index - begun > longestTag {
                let next = page[begun + 1]
                // A comment or a stray sign is not a tag.
                if (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(next | 0x20) { return true }
                start = nil
            }
        }
        return false
    }
}
