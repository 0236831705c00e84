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
    private static let deepest = 255

    static func extract(_ page: [UInt8]) throws(DocumentFault) -> DocumentText {
        guard !hasEndlessTag(page) else { throw .tooLarge(what: "a tag", limit: longestTag) }
        cdocuments_be_silent()
        let options = Int32(
            HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NOERROR.rawValue | HTML_PARSE_NOWARNING.rawValue | HTML_PARSE_NONET.rawValue)
        guard let context = htmlNewParserCtxt() else { throw .malformed("there is no memory to read it") }
        defer { htmlFreeParserCtxt(context) }
        let document = page.withUnsafeBytes { bytes in
            htmlCtxtReadMemory(
                context, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count), nil, "UTF-8", options)
        }
        guard let document else { throw .malformed("it is no HTML") }
        defer { xmlFreeDoc(document) }
        // The parser stops where elements nest too deep, and takes what it has for all.
        var isCut = context.pointee.disableSAX != 0
        var text: [UInt8] = []
        if walk(xmlDocGetRootElement(document), &text) { isCut = true }
        guard text.count <= DocumentLimits.text else { throw .tooLarge(what: "the text", limit: DocumentLimits.text) }
        return DocumentText(
            text: text, leftOut: isCut ? "its elements nest deeper than \(deepest): what stands there, or behind, was not read" : nil)
    }

    /// In document order, without recursion: how deep a page nests is its author's choice.
    /// - Returns: whether anything nests deeper than is looked at.
    private static func walk(_ root: xmlNodePtr?, _ text: inout [UInt8]) -> Bool {
        var node = root
        var depth = 0
        var isCut = false
        while let current = node {
            var enters = false
            let kind = current.pointee.type
            if kind == XML_TEXT_NODE || kind == XML_CDATA_SECTION_NODE {
                append(current.pointee.content, &text)
            } else if kind == XML_ELEMENT_NODE {
                let name = current.pointee.name.map { String(cString: $0).lowercased() } ?? ""
                if !ignored.contains(name) {
                    separate(name, &text)
                    enters = current.pointee.children != nil
                    if enters, depth >= deepest { (enters, isCut) = (false, true) }
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
                guard let parent = back, parent.pointee.type == XML_ELEMENT_NODE, parent != root else { return isCut }
                separate(parent.pointee.name.map { String(cString: $0).lowercased() } ?? "", &text, isEnd: true)
            }
            node = back?.pointee.next
        }
        return isCut
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
        while place.pointee != 0, text.count <= DocumentLimits.text {
            let byte = place.pointee
            place += 1
            if byte > 0x20 {
                text.append(byte)
            } else if let last = text.last, last > 0x20 {
                text.append(0x20)
            }
        }
    }

    /// Signs within a quoted value end no tag.
    private static func hasEndlessTag(_ page: [UInt8]) -> Bool {
        var start: Int?
        var quote: UInt8?
        var last: UInt8 = 0
        for (index, byte) in page.enumerated() {
            guard let begun = start else {
                // A comment or a stray sign is not a tag.
                let next = index + 1 < page.count ? page[index + 1] | 0x20 : 0
                if byte == UInt8(ascii: "<"), (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(next) { (start, quote) = (index, nil) }
                continue
            }
            if index - begun > longestTag { return true }
            if byte == quote {
                quote = nil
            } else if quote == nil {
                if byte == UInt8(ascii: ">") {
                    start = nil
                } else if last == UInt8(ascii: "="), byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                    quote = byte
                }
            }
            if byte > 0x20 { last = byte }
        }
        return false
    }
}
