internal import CDocuments

/// The text of an Office Open XML document (ECMA-376 part 1): libarchive takes `word/document.xml` out of the package
/// under a cap on its bytes, libxml2's reader walks it without entities, DTDs or the network.
enum WordText {
    /// The most bytes that the part may inflate to.
    private static let inflated = 50 << 20
    private static let entries = 10_000
    private static let part = "word/document.xml"

    static func extract(_ package: [UInt8]) throws(DocumentFault) -> DocumentText {
        DocumentText(text: try text(of: try document(in: package)), leftOut: nil)
    }

    private static func document(in package: [UInt8]) throws(DocumentFault) -> [UInt8] {
        guard let archive = archive_read_new() else { throw .malformed("there is no memory to read it") }
        defer { archive_read_free(archive) }
        // By the central directory alone: without one the library goes through the entries as they come, and inflates what it passes over
        // without an end.
        archive_read_support_format_zip_seekable(archive)
        // The whole package is in memory; the closure's result is all that leaves it.
        let outcome = package.withUnsafeBytes { bytes -> Result<[UInt8], DocumentFault> in
            guard archive_read_open_memory(archive, bytes.baseAddress, bytes.count) == ARCHIVE_OK else {
                return .failure(.malformed("it is no ZIP package"))
            }
            do throws(DocumentFault) { return .success(try find(archive)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private static func find(_ archive: OpaquePointer) throws(DocumentFault) -> [UInt8] {
        var entry: OpaquePointer?
        for _ in 0..<entries {
            let status = archive_read_next_header(archive, &entry)
            if status == ARCHIVE_EOF { break }
            guard status == ARCHIVE_OK || status == ARCHIVE_WARN, let entry else {
                throw .malformed("the package is damaged or cut off")
            }
            guard let name = archive_entry_pathname(entry), String(cString: name) == part else { continue }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let got = archive_read_data(archive, &buffer, buffer.count)
                if got == 0 { return bytes }
                guard got > 0 else { throw .malformed("the package is damaged or cut off") }
                bytes += buffer[..<got]
                guard bytes.count <= inflated else { throw .tooLarge(what: "the unpacked text", limit: inflated) }
            }
        }
        throw .malformed("the package holds no \(part)")
    }

    private static func text(of xml: [UInt8]) throws(DocumentFault) -> [UInt8] {
        cdocuments_be_silent()
        let options = Int32(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue)
        let reader = xml.withUnsafeBytes { bytes in
            xmlReaderForMemory(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count), nil, nil, options)
        }
        guard let reader else { throw .malformed("\(part) is no XML") }
        defer { xmlFreeTextReader(reader) }
        var text: [UInt8] = []
        var isText = false
        while true {
            let status = xmlTextReaderRead(reader)
            if status == 0 { return text }
            guard status == 1 else { throw .malformed("\(part) is not well formed") }
            let kind = xmlTextReaderNodeType(reader)
            // ECMA-376 part 2 forbids DTDs in a package; with one come entities, and with these trouble.
            if kind == Int32(XML_READER_TYPE_DOCUMENT_TYPE.rawValue) { throw .malformed("\(part) has a DTD") }
            let name = xmlTextReaderConstLocalName(reader).map { String(cString: $0) } ?? ""
            if kind == Int32(XML_READER_TYPE_ELEMENT.rawValue) {
                isText = name == "t" && xmlTextReaderIsEmptyElement(reader) == 0
                if name == "tab" { text.append(0x09) }
                if name == "br" || name == "cr" { text.append(0x0a) }
            } else if kind == Int32(XML_READER_TYPE_END_ELEMENT.rawValue) {
                if name == "t" { isText = false }
                if name == "p" { text += [0x0a, 0x0a] }
            } else if isText, let value = xmlTextReaderConstValue(reader) {
                text += UnsafeBufferPointer(start: value, count: strlen(UnsafeRawPointer(value).assumingMemoryBound(to: CChar.self)))
            }
            guard text.count <= DocumentLimits.text else { throw .tooLarge(what: "the text", limit: DocumentLimits.text) }
        }
    }
}
