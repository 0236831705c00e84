/// Why an index cannot be built, opened or changed.
public enum CorpusIndexError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The operating system refused a file.
    case file(path: String, action: String, code: Int32)
    /// A file's bytes are not those that were written: damaged, cut short or exchanged.
    case corrupt(path: String, reason: String)
    /// A file was written by another version of the format.
    case version(path: String, found: Int, known: Int)
    /// The folder has no index.
    case missing(path: String)
    /// An item is indexed already.
    case duplicateItem(String)
    /// An item to remove is not in the index.
    case unknownItem(String)
    /// An item's id is empty or longer than 255 bytes.
    case badItem(String)
    /// More than an index holds.
    case tooLarge(what: String, count: Int, limit: Int)
    /// The suffix sorter failed with its code.
    case sorting(Int)

    /// What is wrong, and what to do.
    public var description: String {
        switch self {
        case .file(let path, let action, let code): "cannot \(action) \(path): error \(code)"
        case .corrupt(let path, let reason): "\(path) is damaged: \(reason); delete the index and build it again from the snapshot"
        case .version(let path, let found, let known):
            "\(path) is of format \(found), and this program reads \(known): build the index again from the snapshot"
        case .missing(let path): "there is no index in \(path): build it from the snapshot"
        case .duplicateItem(let id): "item \(id) is in the index already: remove it first"
        case .unknownItem(let id): "item \(id) is not in the index"
        case .badItem(let id): "an item's id has 1 to 255 bytes, and this one has \(id.utf8.count): \(id.prefix(40))"
        case .tooLarge(let what, let count, let limit): "\(count) \(what); an index holds at most \(limit)"
        case .sorting(let code): "the suffix sorter failed with \(code): too little memory?"
        }
    }
}
