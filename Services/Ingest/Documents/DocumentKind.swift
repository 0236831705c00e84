internal import CDocuments

/// The documents whose text is read here, in a process that may do nothing else.
public enum DocumentKind: String, Sendable, CaseIterable {
    /// HTML.
    case html
    /// Office Open XML text.
    case docx

    /// The text of a document.
    public func text(of document: [UInt8]) throws(DocumentFault) -> DocumentText {
        guard document.count <= DocumentLimits.document else { throw .tooLarge(what: "the document", limit: DocumentLimits.document) }
        switch self {
        case .html: return try HTMLText.extract(document)
        case .docx: return try WordText.extract(document)
        }
    }
}

/// The text of a document, in UTF-8.
public struct DocumentText: Sendable, Hashable {
    /// The text.
    public let text: [UInt8]
    /// What of the document is not in it, and why; nil when all is.
    public let leftOut: String?

    /// From its parts.
    public init(text: [UInt8], leftOut: String?) {
        self.text = text
        self.leftOut = leftOut
    }
}

/// Bounds of documents that have to be read whole.
public enum DocumentLimits {
    /// The most bytes of a document: 64 MiB.
    public static let document = 64 << 20
    /// The most bytes of text out of it: 32 MiB.
    public static let text = 32 << 20
}

/// Why a document cannot be read.
public enum DocumentFault: Error, Sendable, Hashable {
    /// It is not what its format says, or is cut off.
    case malformed(String)
    /// It holds more than may be taken in.
    case tooLarge(what: String, limit: Int)

    /// In words, without the file's name.
    public var reason: String {
        switch self {
        case .malformed(let reason): reason
        case .tooLarge(let what, let limit): "\(what) exceeds \(limit)"
        }
    }

    /// What a process that reads documents ends with for it.
    public var status: Int32 {
        switch self {
        case .malformed: DocumentExit.malformed
        case .tooLarge: DocumentExit.tooLarge
        }
    }
}

/// What a process that reads documents ends with.
public enum DocumentExit {
    /// The text has been written; what was left out stands on standard error.
    public static let read: Int32 = 0
    /// Nobody took the text.
    public static let cut: Int32 = 64
    /// ``DocumentFault/malformed(_:)``.
    public static let malformed: Int32 = 65
    /// ``DocumentFault/tooLarge(what:limit:)``.
    public static let tooLarge: Int32 = 66
    /// There was no more memory.
    public static let noMemory: Int32 = 67
}

/// From now on the process ends, with ``DocumentExit/noMemory``, where the library would go on with half a document.
public func cdocumentsEndWithoutMemory() { cdocuments_end_without_memory() }
