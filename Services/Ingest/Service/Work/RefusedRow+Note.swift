internal import Crypto
internal import IngestDomain
internal import IngestParsing
internal import JSON

extension RefusedRow {
    /// A file that is not what it is said to be, or of a kind that the Datanet does not collect.
    static func wrongMedia(_ file: Manifest.File, _ reason: String) -> RefusedRow {
        RefusedRow(file: file.name, row: 0, code: .wrongMedia, reason: "\(file.name): \(reason)", beginning: [])
    }

    /// A file that ends before its format says so.
    static func cutOff(_ file: Manifest.File) -> RefusedRow {
        RefusedRow(file: file.name, row: 0, code: .malformed, reason: "\(file.name): it is cut off", beginning: [])
    }

    /// A row that could be read and may not be kept.
    init(_ content: ItemContent, _ code: ReasonCode) {
        self.init(file: content.file, row: content.row, code: code, reason: code.meaning, beginning: [])
    }

    /// What is kept of it.
    func note() throws -> [UInt8] {
        try JSON.canonical([
            "refused": ["reason": .string(reason), "beginning": .string(Base64URL.encode(beginning))],
            "origin": ["file": .string(file), "row": .int(Int64(row))],
        ])
    }
}
