import EventLog
import Foundation
import HTTP
import HTTPClient

/// Serves a bundle's folder within the process, as a plain web server would, and misbehaves when told to.
final class FolderServer: @unchecked Sendable {
    // Guarded by the lock.
    private let lock = NSLock()
    private var folder: String
    private var failures = 0
    private var requests: [String] = []
    private var hook: (path: String, body: @Sendable () async -> Void)?
    private var refused: @Sendable (String) -> Bool = { _ in false }

    init(_ folder: String) { self.folder = folder }

    /// From now on another folder lies behind the same address.
    func serve(_ folder: String) { lock.withLock { self.folder = folder } }
    /// The next requests are answered 503.
    func fail(_ count: Int) { lock.withLock { failures = count } }
    /// These paths are answered 404.
    func refuse(_ refused: @escaping @Sendable (String) -> Bool) { lock.withLock { self.refused = refused } }
    /// Run once, before the answer to this path.
    func before(_ path: String, _ body: @escaping @Sendable () async -> Void) { lock.withLock { hook = (path, body) } }
    /// The paths that were asked for so far.
    var asked: [String] { lock.withLock { requests } }

    var source: HTTPLogSource { HTTPLogSource(transport: InProcessTransport(handler: handler), url: "http://log.example/log/") }

    func source(local: String) -> HTTPLogSource {
        HTTPLogSource(transport: InProcessTransport(handler: handler), url: "http://log.example/log", local: FolderLogSource(local))
    }

    /// Pages of our ledger's that are files of a bundle.
    private static let pages = ["v1/keys": "keys", "v1/keys/rotations": "rotations"]

    private var handler: Handler {
        { [self] request in
            let path = String(request.path.dropFirst("/log/".count))
            let body = lock.withLock {
                defer { if hook?.path == path { hook = nil } }
                return hook?.path == path ? hook?.body : nil
            }
            await body?()
            let answer: (status: Int, file: String) = lock.withLock {
                requests.append(path)
                if failures > 0 {
                    failures -= 1
                    return (503, "")
                }
                return refused(path) ? (404, "") : (200, folder + "/" + (Self.pages[path] ?? path))
            }
            guard answer.status == 200 else { return Response(status: answer.status) }
            guard let data = FileManager.default.contents(atPath: answer.file) else { return Response(status: 404) }
            return Response(body: .bytes(Array(data)))
        }
    }
}
