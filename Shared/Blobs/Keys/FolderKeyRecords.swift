internal import Crypto
internal import Glibc
internal import Threads

/// Key records as files of a folder, mode 0600, each named by a hash of its owner. One process at a time owns the folder.
///
/// A replaced record is overwritten with zeros in place and synced before the new one takes its name. On media that
/// never write in place (flash, snapshots, backups) old copies may live on; they are worth nothing once the master key
/// has been exchanged too, see ``OwnerKeys/rewrap(owner:)``.
public actor FolderKeyRecords: KeyRecords {
    private let executor = ThreadExecutor(name: "keys")
    private let root: String
    private static let limit = 65_536

    /// The actor has a thread of its own.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens the folder, making it where there is none.
    public init(root: String) throws(BlobError) {
        guard root.hasPrefix("/") else { throw .badSetting(name: "the key folder", reason: "has to be an absolute path") }
        try FileCalls.makeFolder(root)
        self.root = root
    }

    deinit { executor.stop() }

    /// See ``KeyRecords``.
    public func load(owner: String) throws -> [UInt8]? { try FileCalls.readSmall(path(of: owner), limit: Self.limit) }

    /// See ``KeyRecords``.
    public func insert(owner: String, _ record: [UInt8]) throws -> Bool {
        let path = path(of: owner)
        try FileCalls.makeFolder(folder(of: path))
        let draft = try FileCalls.writeDraft(beside: path, record)
        defer { unlink(draft) }
        guard link(draft, path) == 0 else {
            if errno == EEXIST { return false }
            throw FileCalls.failed("create", path)
        }
        try FileCalls.syncFolder(folder(of: path))
        return true
    }

    /// See ``KeyRecords``.
    public func replace(owner: String, _ old: [UInt8], with record: [UInt8]) throws -> Bool {
        let path = path(of: owner)
        guard try load(owner: owner) == old else { return false }
        // The new record is whole on disk before the old one goes: a crash in between leaves one of the two readable.
        let draft = try FileCalls.writeDraft(beside: path, record)
        let file = try FileCalls.open(path, O_RDWR, "overwrite")
        defer { close(file) }
        guard rename(draft, path) == 0 else {
            unlink(draft)
            throw FileCalls.failed("replace", path)
        }
        try FileCalls.syncFolder(folder(of: path))
        // No name leads to the old bytes any more; the open file still does.
        try FileCalls.write(file, [UInt8](repeating: 0, count: old.count), path)
        try FileCalls.sync(file, path)
        return true
    }

    private func path(of owner: String) -> String {
        let hex = SHA256.hash(utf8: owner).hex
        return "\(root)/\(hex.prefix(2))/\(hex)"
    }

    private func folder(of path: String) -> String { String(path.dropLast(65)) }
}
