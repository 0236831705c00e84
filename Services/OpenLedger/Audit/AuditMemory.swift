internal import Crypto
internal import EventLog
internal import Foundation
internal import JSON
internal import Synchronization
internal import Threads

/// A small file in which an audit writes down how far it has come, so that the next one goes on from there: canonical JSON of the log's
/// origin, a size, and the root of the tree of that size.
struct AuditMemory: Sendable {
    let path: String
    let origin: String
    private let last = Moment()

    private final class Moment: Sendable {
        let written = Lock<ContinuousClock.Instant?>(nil)
    }

    init(path: String, origin: String) {
        self.path = path
        self.origin = origin
    }

    /// What an earlier run wrote; nil where there is none.
    /// - Throws: `UsageError` when the file is something else, or of another log.
    func read() throws -> LogAudit.KnownTree? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let value = try? JSON.parse(try SmallTextFile.bytes(path, limit: 4_096))
        guard let value, let name = value["origin"]?.stringValue, let size = value["size"]?.intValue, size >= 0,
            let root = value["root"]?.stringValue.flatMap({ Digest(prefixed: $0) })
        else { throw UsageError("\(path) is not what an audit wrote down; name another file, or remove it") }
        guard name == origin else { throw UsageError("\(path) is of an audit of \(name), not of \(origin)") }
        return LogAudit.KnownTree(size: UInt64(size), root: root)
    }

    /// Writes it, every few seconds.
    func write(_ tree: LogAudit.KnownTree, atOnce: Bool = false) throws {
        let now = ContinuousClock.now
        let isDue = last.written.withLock { last in
            if !atOnce, let last, now - last < .seconds(2) { return false }
            last = now
            return true
        }
        guard isDue else { return }
        let json: JSONValue = ["origin": .string(origin), "root": .string(tree.root.prefixed), "size": .int(Int64(clamping: tree.size))]
        do { try Data(try JSON.canonical(json)).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            throw UsageError("cannot write \(path): \(error.localizedDescription)")
        }
    }
}
