internal import Glibc

/// How a log line looks.
public enum LogFormat: Sendable {
    /// One JSON object a line, for machines.
    case json
    /// `time level message name=value …`, for people.
    case human

    /// People at a terminal, machines elsewhere.
    public static var automatic: LogFormat { isatty(2) == 1 ? .human : .json }
}

/// Writes the parts of a line. Text is cut to a bound, and nothing in it can start a new line or a terminal command.
struct LogLineWriter {
    private(set) var bytes: [UInt8] = []
    private let format: LogFormat
    private let bound: Int

    init(format: LogFormat, bound: Int) {
        self.format = format
        self.bound = bound
        bytes.reserveCapacity(256)
    }

    mutating func begin(time: String, level: LogLevel, message: String) {
        switch format {
        case .json:
            raw(#"{"time":""#)
            raw(time)
            raw(#"","level":""#)
            raw(level.name)
            raw(#"","message":"#)
            quoted(message)
        case .human:
            raw(time)
            raw(" ")
            raw(level.name)
            for _ in level.name.utf8.count..<8 { bytes.append(UInt8(ascii: " ")) }
            bare(message)
        }
    }

    mutating func field(_ name: String, _ value: LogValue) {
        let shown = Redaction.isSecret(name) ? .string(Redaction.placeholder) : value
        switch format {
        case .json:
            raw(",")
            quoted(name)
            raw(":")
        case .human:
            raw(" ")
            bare(name)
            raw("=")
        }
        switch shown {
        case .string(let text):
            if format == .human, isPlainWord(text) { bare(text) } else { quoted(text) }
        case .integer(let number): raw(String(number))
        case .double(let number): if number.isFinite { raw(String(number)) } else { quoted(String(number)) }
        case .boolean(let truth): raw(truth ? "true" : "false")
        }
    }

    mutating func end() {
        if format == .json { raw("}") }
        raw("\n")
    }

    mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private func isPlainWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=") }
    }

    private mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        escaped(text, quotes: true)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func bare(_ text: String) { escaped(text, quotes: false) }

    private mutating func escaped(_ text: String, quotes: Bool) {
        var room = bound
        for scalar in text.unicodeScalars {
            let width = UTF8.width(scalar)
            if room < width {
                bytes.append(contentsOf: "…".utf8)
                return
            }
            room -= width
            switch scalar.value {
            case 0x22 where quotes, 0x5c where quotes:
                bytes.append(0x5c)
                bytes.append(UInt8(scalar.value))
            case 0x0a: raw(#"\n"#)
            case 0x0d: raw(#"\r"#)
            case 0x09: raw(#"\t"#)
            // C0, DEL, C1 and the line separators: a terminal or a viewer may act on them.
            case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029: unicodeEscape(scalar.value)
            case ..<0x80: bytes.append(UInt8(scalar.value))
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }

    private mutating func unicodeEscape(_ value: UInt32) {
        raw("\\u")
        for shift in [12, 8, 4, 0] as [UInt32] { bytes.append(Array("0123456789abcdef".utf8)[Int(value >> shift & 15)]) }
    }
}
