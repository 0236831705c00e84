internal import Crypto
public import HTTPClient
internal import HTTP

/// Blobs as objects of an S3 bucket. Small blobs are one PUT, larger ones a multipart upload of 8 MiB parts, which is
/// also all that is held in memory; an object is there whole or not at all, as S3 promises.
public struct S3BlobStore: BlobStore {
    private let calls: S3Calls
    /// How many small blobs are on their way at a time.
    private let parallel: Int
    private static let part = 8 << 20

    /// A store on a bucket that is there.
    public init(_ settings: S3Settings, transport: any Transport, parallel: Int = 16) {
        calls = S3Calls(settings: settings, transport: transport)
        self.parallel = min(max(1, parallel), 64)
    }

    /// See ``BlobStore``.
    public func put(_ name: BlobName, _ bytes: BlobBytes) async throws {
        if try await count(of: name) != nil { return }
        var iterator = bytes.makeAsyncIterator()
        var pending: [UInt8] = []
        while pending.count <= Self.part, let piece = try await iterator.next() { pending += piece }
        guard pending.count > Self.part else { return try await putWhole(NamedBlob(name, pending)) }
        let upload = try await begin(name)
        do {
            var tags: [String] = []
            while !pending.isEmpty {
                while pending.count < Self.part, let piece = try await iterator.next() { pending += piece }
                let size = min(pending.count, Self.part)
                tags.append(try await send(Array(pending[..<size]), number: tags.count + 1, of: upload, name))
                pending.removeFirst(size)
            }
            try await complete(upload, tags, name)
        } catch {
            // Parts that nobody completes cost money for ever.
            _ = try? await calls.send("DELETE", name, query: [("uploadId", upload)])
            throw error
        }
    }

    /// See ``BlobStore``. Several are sent at a time.
    public func put(_ blobs: [NamedBlob]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, blob) in blobs.enumerated() {
                if index >= parallel { try await group.next() }
                group.addTask { try await putWhole(blob) }
            }
            try await group.waitForAll()
        }
    }

    /// See ``BlobStore``.
    public func count(of name: BlobName) async throws -> Int? {
        let answer = try await calls.send("HEAD", name)
        switch answer.status {
        case 200: return answer.headers["Content-Length"].flatMap { Int($0) }
        case 404: return nil
        default: throw await calls.error("HEAD \(name)", answer)
        }
    }

    /// See ``BlobStore``.
    public func bytes(of name: BlobName, range: Range<Int>?) async throws -> BlobBytes {
        guard let count = try await count(of: name) else { throw BlobError.notFound(name) }
        let wanted = range ?? 0..<count
        guard wanted.lowerBound >= 0, wanted.upperBound <= count else {
            throw BlobError.outOfRange(name, range: wanted, count: count)
        }
        let calls = calls
        return BlobBytes {
            // S3 has no way to ask for an empty range.
            if wanted.isEmpty { return try await BlobBytes([]).open() }
            let headers = range == nil ? [] : [("range", "bytes=\(wanted.lowerBound)-\(wanted.upperBound - 1)")]
            let answer = try await calls.send("GET", name, headers: headers, limit: wanted.count)
            switch answer.status {
            // Some servers say 200 to a range and send the range all the same: the length tells.
            case 206, 200: return ObjectSource(answer.body, wanted: wanted.count, name: name)
            case 404: throw BlobError.notFound(name)
            default: throw await calls.error("GET \(name)", answer)
            }
        }
    }

    /// See ``BlobStore``.
    public func remove(_ name: BlobName) async throws {
        let answer = try await calls.send("DELETE", name)
        guard [200, 204, 404].contains(answer.status) else { throw await calls.error("DELETE \(name)", answer) }
    }

    private func putWhole(_ blob: NamedBlob) async throws {
        // What is there stays. Servers that know no conditions write the same name again, which seals the same content.
        let answer = try await calls.send("PUT", blob.name, headers: [("if-none-match", "*")], body: blob.bytes)
        guard answer.status == 200 || answer.status == 412 else { throw await calls.error("PUT \(blob.name)", answer) }
    }

    private func begin(_ name: BlobName) async throws -> String {
        let answer = try await calls.send("POST", name, query: [("uploads", "")])
        guard answer.status == 200 else { throw await calls.error("POST \(name)", answer) }
        guard let upload = S3Calls.element("UploadId", in: try await answer.body.collect(upTo: 1 << 16)) else {
            throw BlobError.server(operation: "POST \(name)", status: 200, code: "without an UploadId")
        }
        return upload
    }

    private func send(_ bytes: [UInt8], number: Int, of upload: String, _ name: BlobName) async throws -> String {
        let answer = try await calls.send(
            "PUT", name, query: [("partNumber", String(number)), ("uploadId", upload)], body: bytes)
        guard answer.status == 200, let tag = answer.headers["ETag"] else { throw await calls.error("PUT \(name)", answer) }
        return tag
    }

    private func complete(_ upload: String, _ tags: [String], _ name: BlobName) async throws {
        var body = "<CompleteMultipartUpload>"
        for (index, tag) in tags.enumerated() {
            let plain = tag.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
            body += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(plain)</ETag></Part>"
        }
        body += "</CompleteMultipartUpload>"
        let answer = try await calls.send("POST", name, query: [("uploadId", upload)], body: Array(body.utf8))
        // S3 may answer 200 and name an error in the body ("CompleteMultipartUpload", S3 API Reference).
        let reply = try await answer.body.collect(upTo: 1 << 16)
        guard answer.status == 200, S3Calls.element("Code", in: reply) == nil else {
            throw BlobError.server(
                operation: "POST \(name)", status: answer.status, code: S3Calls.element("Code", in: reply) ?? "")
        }
    }
}

/// The body of a GET, which has to have the length that was asked for.
private actor ObjectSource: BlobSource {
    private let body: ResponseBody
    private var rest: Int
    private let name: BlobName

    init(_ body: ResponseBody, wanted: Int, name: BlobName) {
        self.body = body
        rest = wanted
        self.name = name
    }

    func next() async throws -> [UInt8]? {
        // The body's bytes come once, and a new iterator goes on where the last one stopped.
        var iterator = body.makeAsyncIterator()
        guard let piece = try await iterator.next() else {
            guard rest == 0 else { throw BlobError.damaged(name, reason: "the server sent \(rest) bytes too few") }
            return nil
        }
        rest -= piece.count
        guard rest >= 0 else { throw BlobError.damaged(name, reason: "the server sent more than was asked for") }
        return piece
    }
}
