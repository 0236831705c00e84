import Crypto
import Foundation
import HTTP
import HTTPClient
import JSON

/// Where a base model is brought from, file by file.
protocol ModelSource: Sendable {
    /// What to call it.
    var name: String { get }
    /// Puts a file at a path.
    /// - Returns: how many bytes; nil when the source has no such file.
    func fetch(_ file: String, to path: String, limit: Int, _ progress: @Sendable (Int) -> Void) async throws -> Int?
}

/// A folder on this machine.
struct FolderModelSource: ModelSource {
    let name: String

    func fetch(_ file: String, to path: String, limit: Int, _ progress: @Sendable (Int) -> Void) async throws -> Int? {
        let from = URL(fileURLWithPath: name).appendingPathComponent(file).resolvingSymlinksInPath()
        guard FileManager.default.fileExists(atPath: from.path) else { return nil }
        try FileManager.default.copyItem(at: from, to: URL(fileURLWithPath: path))
        let bytes = try URL(fileURLWithPath: path).resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0
        guard bytes <= limit else { throw CommandError("\(from.path) has more than \(limit) bytes") }
        progress(bytes)
        return bytes
    }
}

/// A repository on huggingface.co or a server with the same paths: `<server>/<owner>/<name>/resolve/<revision>/<file>`.
struct RepositoryModelSource: ModelSource {
    /// `https://huggingface.co/owner/name`.
    let base: String
    let revision: String
    /// Sent to the repository's own server alone.
    let credential: String?
    let transport: any Transport

    var name: String { base + "@" + revision }

    /// Reads `https://server/owner/name`, with `/tree/<revision>` behind it or not.
    /// - Returns: nil for what is no such URL.
    init?(_ text: String, revision: String?, credential: String?, transport: any Transport) {
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return nil }
        var parts = text.dropFirst(scheme.count).split(separator: "/").map(String.init)
        var found: String?
        if parts.count >= 5, parts[3] == "tree" {
            found = parts[4...].joined(separator: "/")
            parts = Array(parts[..<3])
        }
        guard parts.count == 3, parts.allSatisfy({ !$0.contains(where: { "?#%@".contains($0) }) && $0 != ".." }) else { return nil }
        base = scheme + parts.joined(separator: "/")
        self.revision = revision ?? found ?? "main"
        self.credential = credential
        self.transport = transport
    }

    func fetch(_ file: String, to path: String, limit: Int, _ progress: @Sendable (Int) -> Void) async throws -> Int? {
        var url = "\(base)/resolve/\(revision)/\(file)"
        for _ in 0..<6 {
            var request = ClientRequest(
                method: "GET", url: url, timeout: nil, connectTimeout: .seconds(20), stallTimeout: .seconds(60), maximumBodyBytes: limit)
            if let credential, Self.host(url) == Self.host(base) { request.headers.set("Authorization", "Bearer " + credential) }
            let response = try await transport.send(request)
            switch response.status {
            case 200: return try await write(response.body, to: path, progress)
            case 301, 302, 303, 307, 308:
                guard let next = response.headers["Location"].flatMap({ Self.absolute($0, from: url) }) else {
                    throw CommandError("\(url) leads nowhere")
                }
                guard next.hasPrefix("https://") || !url.hasPrefix("https://") else {
                    throw CommandError("\(url) leads to \(next), without TLS")
                }
                url = next
            case 404: return nil
            case 401, 403: throw CommandError("\(base) is not for everybody (\(response.status)): give a token with --token-file")
            default: throw CommandError("GET \(url): \(response.status)")
            }
        }
        throw CommandError("\(base)/resolve/\(revision)/\(file) leads from one address to another without end")
    }

    static func host(_ url: String) -> Substring { (url.split(separator: "://", maxSplits: 1).last ?? "").prefix { $0 != "/" } }

    static func absolute(_ location: String, from url: String) -> String? {
        if location.hasPrefix("https://") || location.hasPrefix("http://") { return location }
        guard location.hasPrefix("/"), !location.hasPrefix("//"), let scheme = url.range(of: "://") else { return nil }
        return url[..<scheme.upperBound] + host(url) + location
    }

    private func write(_ body: ResponseBody, to path: String, _ progress: @Sendable (Int) -> Void) async throws -> Int {
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path) else {
            throw CommandError("\(path) can't be written")
        }
        defer { try? file.close() }
        var count = 0
        for try await piece in body {
            try file.write(contentsOf: Data(piece))
            count += piece.count
            progress(count)
        }
        try file.synchronize()
        return count
    }
}
