public import Crypto
internal import JSON

/// What the base model learns from: the documentation of SQLite, which is in the public domain (Debian's `sqlite3-doc`), and
/// conversations of our own writing.
public struct BaseModelCorpus: Sendable, Hashable {
    /// A conversation of two: what is asked and what is answered.
    public struct Exchange: Sendable, Hashable {
        /// What the user says.
        public let question: String
        /// What the assistant answers.
        public let answer: String
    }

    /// Where Debian's package puts the pages.
    public static let debianFolder = "/usr/share/doc/sqlite3"

    /// Prose, a page each.
    public let documents: [String]
    /// Headings of the pages, each with what stands below it.
    public let exchanges: [Exchange]
    /// Conversations of our own writing.
    public let conversations: [Exchange]

    /// Reads the pages and our conversations (`{"question": …, "answer": …}` a line). A paragraph that many pages repeat is
    /// taken once.
    public init(pages folder: String = Self.debianFolder, conversations: String) throws(FormatError) {
        let files: [String]
        do throws(FormatError) { files = try FolderListing.files(in: folder, ending: ".html", atMost: 5000) } catch {
            throw FormatError(.missing, file: folder, "the pages of SQLite's documentation are not there: apt-get install sqlite3-doc")
        }
        var seen: Set<String> = [], documents: [String] = [], exchanges: [Exchange] = []
        for file in files {
            let page = PageText(html: try WholeFile.read(folder + "/" + file, limit: 8 << 20))
            var text: [String] = [], heading: String?
            for block in page.blocks {
                switch block {
                case .heading(let title):
                    text.append(title)
                    heading = title
                case .paragraph(let prose):
                    guard seen.insert(prose).inserted else { continue }
                    text.append(prose)
                    if let title = heading, prose.utf8.count <= 700 { exchanges.append(Exchange(question: title, answer: prose)) }
                    heading = nil
                }
            }
            // A page without any longer paragraph is a list of links, or was all said before.
            if text.contains(where: { $0.utf8.count >= 200 }) { documents.append(text.joined(separator: "\n\n")) }
        }
        self.documents = documents
        self.exchanges = exchanges
        self.conversations = try Self.own(conversations)
    }

    /// SHA-256 over all texts and their lengths: what the recipe pins.
    public var digest: Digest {
        let hasher = SHA256Hasher()
        for text in texts {
            hasher.update(Array("\(text.utf8.count)\n".utf8))
            hasher.update(Array(text.utf8))
        }
        return hasher.finish()
    }

    /// All texts, for the tokenizer to learn from.
    public var texts: [String] { documents + (exchanges + conversations).flatMap { [$0.question, $0.answer] } }

    private static func own(_ path: String) throws(FormatError) -> [Exchange] {
        var exchanges: [Exchange] = []
        let lines = try WholeFile.read(path, limit: 4 << 20).split(separator: UInt8(ascii: "\n"))
        for (index, line) in lines.enumerated() {
            do {
                let fields = try JSON.parse(Array(line)).object()
                exchanges.append(Exchange(question: try fields.string("question"), answer: try fields.string("answer")))
            } catch {
                throw FormatError(.malformed, file: path, place: "line \(index + 1)", "\(error)")
            }
        }
        return exchanges
    }
}
