internal import Crypto
internal import HTTP
internal import JSON

/// Reads a body by its route's rule.
struct BodyReader {
    /// What a handler gets of the body.
    struct Body {
        var json = JSONValue.null
        var bytes: [UInt8] = []
        var stream = RequestBody([])
        /// The digest for `CommandIdentity`, when one is asked for.
        var digest: Digest?
    }

    let rule: BodyRule
    let needsDigest: Bool

    /// - Throws: `Problem` 400, 413 or 415.
    func read(_ request: Request) async throws -> Body {
        switch rule {
        case .none:
            // One byte is enough to know, and nothing of it is kept.
            do { _ = try await request.body.collect(upTo: 0) } catch let error as HTTPError where error.status == 413 {
                throw Problem(.badBody, "this route takes no body", field: "#")
            }
            return Body(digest: needsDigest ? SHA256.hash([]) : nil)
        case .json(let schema, let limit, let depth):
            try checkType(request)
            let bytes = try await collect(request, limit)
            let json = try parse(bytes, limit, depth)
            let faults = schema.faults(in: json)
            if let first = faults.first {
                let all = faults.map { "\($0.field) \($0.detail)" }.joined(separator: "; ")
                throw Problem(.badBody, all, field: first.field, errors: faults)
            }
            return Body(json: json, bytes: bytes, digest: needsDigest ? try canonicalDigest(json) : nil)
        case .rawJSON(_, let limit):
            try checkType(request)
            let bytes = try await collect(request, limit)
            return Body(bytes: bytes, digest: needsDigest ? try canonicalDigest(parse(bytes, limit, 64)) : nil)
        case .bytes(_, let limit):
            try checkType(request)
            let bytes = try await collect(request, limit)
            return Body(bytes: bytes, digest: needsDigest ? SHA256.hash(bytes) : nil)
        case .stream(_, let limit):
            try checkType(request)
            try checkLength(request, limit)
            return Body(stream: RequestBody(source: BoundedBody(request.body, limit: limit)))
        }
    }

    private func parse(_ bytes: [UInt8], _ limit: Int, _ depth: Int) throws(Problem) -> JSONValue {
        do { return try JSON.parse(bytes, limits: JSONLimits(depth: depth, bytes: limit)) } catch {
            throw Problem(body: error)
        }
    }

    private func canonicalDigest(_ json: JSONValue) throws(Problem) -> Digest {
        do { return SHA256.hash(try JSON.canonical(json)) } catch { throw Problem(body: error) }
    }

    private func collect(_ request: Request, _ limit: Int) async throws -> [UInt8] {
        try checkLength(request, limit)
        do { return try await request.body.collect(upTo: limit) } catch let error as HTTPError where error.status == 413 {
            throw tooLarge(limit)
        }
    }

    /// A declared length is refused before a byte of it is read.
    private func checkLength(_ request: Request, _ limit: Int) throws(Problem) {
        if let length = request.headers["Content-Length"].flatMap({ Int($0) }), length > limit { throw tooLarge(limit) }
    }

    private func tooLarge(_ limit: Int) -> Problem { Problem(.bodyTooLarge, "the body may have at most \(limit) bytes", field: "#") }

    /// The media type without its parameters (RFC 9110 §8.3.1); of JSON a charset other than UTF-8 is refused, since there is none.
    private func checkType(_ request: Request) throws(Problem) {
        let given = request.headers.all("Content-Type")
        // Who takes everything also takes what nobody named.
        if given.isEmpty, rule.types.contains("*/*") { return }
        // As most write it.
        if given.count == 1, rule.types.contains(given[0]) { return }
        let wanted = rule.types.joined(separator: " or ")
        guard given.count == 1, let value = given.first else {
            throw Problem(.unsupportedMediaType, "Content-Type must be \(wanted)", field: "Content-Type", headers: accept)
        }
        let parts = value.lowercased().split(separator: ";").map { $0.trimmingBlanks }
        guard let type = parts.first, rule.types.contains(where: { $0 == "*/*" || $0 == type }) else {
            throw Problem(
                .unsupportedMediaType, "Content-Type must be \(wanted), not \(value.prefix(100))", field: "Content-Type", headers: accept)
        }
        if type == "application/json", let charset = parts.dropFirst().first(where: { $0.hasPrefix("charset=") }),
            charset != "charset=utf-8", charset != "charset=\"utf-8\""
        {
            throw Problem(.unsupportedMediaType, "JSON is UTF-8", field: "Content-Type", headers: accept)
        }
    }

    /// RFC 9110 §15.5.16: 415 may say what would have been taken.
    private var accept: Headers { ["Accept": rule.types.joined(separator: ", ")] }
}

extension Substring {
    /// Without the blanks and tabs around it.
    var trimmingBlanks: String {
        var text = self.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
