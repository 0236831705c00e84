/// What a file of an upload is.
public enum DocumentFormat: String, Sendable, Hashable, CaseIterable {
    /// One JSON object a line.
    case jsonl
    /// Comma-separated values with a head (RFC 4180).
    case csv
    /// Plain text.
    case txt
    /// Markdown.
    case md
    /// HTML.
    case html
    /// PDF.
    case pdf
    /// Office Open XML text.
    case docx
    /// Images.
    case png, jpg, webp, tiff
    /// Recordings.
    case wav, mp3, flac

    /// `text`, `image` or `audio`.
    public var media: String {
        switch self {
        case .jsonl, .csv, .txt, .md, .html, .pdf, .docx: "text"
        case .png, .jpg, .webp, .tiff: "image"
        case .wav, .mp3, .flac: "audio"
        }
    }

    /// Whether the file is rows with columns.
    public var hasColumns: Bool { self == .jsonl || self == .csv }

    /// The format that a file's name says.
    public init?(name: String) {
        let parts = name.lowercased().split(separator: ".")
        guard parts.count > 1, let ending = parts.last else { return nil }
        switch ending {
        case "jpeg": self = .jpg
        case "tif": self = .tiff
        case "htm": self = .html
        case "markdown": self = .md
        case "text": self = .txt
        case "ndjson": self = .jsonl
        default: self.init(rawValue: String(ending))
        }
    }
}
