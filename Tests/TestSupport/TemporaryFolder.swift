public import Foundation

/// A folder of its own under the system's temporary folder, removed when the last reference goes.
public final class TemporaryFolder: Sendable {
    /// Where it is.
    public let url: URL
    /// The same as a path.
    public var path: String { url.path }

    /// Makes one. The mode lets a server that runs as another account walk in.
    public init(_ name: String = "test") throws {
        let unique = "openledger-\(name)-\(UUID().uuidString.prefix(8).lowercased())"
        url = URL(fileURLWithPath: NSTemporaryDirectory(), isDirectory: true).appendingPathComponent(unique, isDirectory: true)
        try FileManager.default.createDirectory(
            at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    }

    /// The path of something in it.
    public func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    /// Writes a file in it.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        let target = path(name)
        try Data(text.utf8).write(to: URL(fileURLWithPath: target))
        return target
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
