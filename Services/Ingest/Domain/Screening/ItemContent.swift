internal import JSON

/// The content of a text item: what a row holds once the column map has been applied. Its canonical JSON is what is
/// sealed, committed to and given to training.
public struct ItemContent: Sendable, Hashable {
    /// The question or instruction.
    public var prompt: String?
    /// The answer.
    public var completion: String?
    /// Text that stands for itself.
    public var text: String?
    /// What it is called.
    public var title: String?
    /// Where it comes from.
    public var source: String?
    /// Whose work it is, by name.
    public var author: String?
    /// The row's own licence, as it stands there.
    public var licence: String?
    /// The refused item that it corrects.
    public var supersedes: String?
    /// The file of the upload.
    public var file: String
    /// The row, or the passage, in that file, from 1.
    public var row: Int

    /// A content from its parts.
    public init(
        prompt: String? = nil, completion: String? = nil, text: String? = nil, title: String? = nil, source: String? = nil,
        author: String? = nil, licence: String? = nil, supersedes: String? = nil, file: String, row: Int
    ) {
        self.prompt = prompt
        self.completion = completion
        self.text = text
        self.title = title
        self.source = source
        self.author = author
        self.licence = licence
        self.supersedes = supersedes
        self.file = file
        self.row = row
    }

    /// Reads what ``canonical()`` wrote.
    public init(_ bytes: [UInt8]) throws {
        let fields = try JSON.parse(bytes, limits: JSONLimits(bytes: 16 << 20)).object()
        func text(_ name: String) throws -> String? { try fields.optionalString(name, bytes: 0...(8 << 20)) }
        prompt = try text("prompt")
        completion = try text("completion")
        self.text = try text("text")
        title = try text("title")
        source = try text("source")
        author = try text("author")
        licence = try text("licence")
        supersedes = try text("supersedes")
        let origin = try fields.object("origin")
        file = try origin.string("file", bytes: 0...1000)
        row = try origin.int("row", in: 0...Int.max)
    }

    /// The canonical bytes (RFC 8785).
    public func canonical() throws -> [UInt8] {
        var object: JSONObject = ["origin": ["file": .string(file), "row": .int(Int64(row))]]
        for (name, value) in [
            ("prompt", prompt), ("completion", completion), ("text", text), ("title", title), ("source", source), ("author", author),
            ("licence", licence), ("supersedes", supersedes),
        ] { if let value { object[name] = .string(value) } }
        return try JSON.canonical(.object(object))
    }

    /// Bytes of all its texts.
    public var bytes: Int {
        [prompt, completion, text, title, source, author, licence, supersedes].reduce(0) { $0 + ($1?.utf8.count ?? 0) }
    }

    /// Whether it is a prompt with its completion.
    public var isPair: Bool { prompt?.isEmpty == false && completion?.isEmpty == false }

    /// What screening looks at: prompt, completion and text, those that there are, a line each. Half a pair alone is nothing.
    public var screened: String {
        guard isPair || text?.isEmpty == false else { return "" }
        return [prompt, completion, text].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// What stands beside the text, by the name of its member; it is looked through for secrets too.
    var besides: [(field: String, text: String)] {
        [("title", title), ("source", source), ("author", author), ("licence", licence)].compactMap { field, text in
            text.flatMap { $0.isEmpty ? nil : (field, $0) }
        }
    }

    /// The same in Normalization Form C, and whether that changed anything.
    func normalised() -> (content: ItemContent, changed: Bool) {
        var content = self
        var changed = false
        func normalise(_ text: String?) -> String? {
            guard let text else { return nil }
            let bytes = Array(text.utf8)
            guard let normal = UnicodeText.nfc(bytes), normal != bytes else { return text }
            changed = true
            return String(decoding: normal, as: UTF8.self)
        }
        content.prompt = normalise(prompt)
        content.completion = normalise(completion)
        content.text = normalise(text)
        content.title = normalise(title)
        content.source = normalise(source)
        content.author = normalise(author)
        return (content, changed)
    }
}
