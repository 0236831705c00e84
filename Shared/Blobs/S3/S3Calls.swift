internal import Crypto
internal import HTTP
internal import HTTPClient

/// Signed calls of the S3 API, tried again when the server or the way to it had a bad moment. Every call here may be
/// repeated: the same part or object is only written over with the same bytes.
struct S3Calls: Sendable {
    let settings: S3Settings
    let transport: any Transport
    private static let tries = 4
    private static let none = SHA256.hash([])

    struct Answer {
        let status: Int
        let headers: Headers
        let body: ResponseBody
    }

    /// Sends one call and gives its answer, whatever the status but 5xx and 429.
    func send(
        _ method: String, _ name: BlobName, query: [(String, String)] = [], headers: [(String, String)] = [], body: [UInt8] = [],
        limit: Int = 1 << 20
    ) async throws -> Answer {
        let path = "/\(settings.bucket)/\(settings.prefix)\(name)"
        let payload = body.isEmpty ? Self.none : SHA256.hash(body)
        let signer = SignatureV4(accessKey: settings.accessKey, secretKey: settings.secretKey, region: settings.region)
        var attempt = 1
        while true {
            let fields = signer.fields(
                method: method, host: settings.host, path: path, query: query, headers: headers, payload: payload, time: .now)
            var request = ClientRequest(
                method: method, url: settings.endpoint + path + (query.isEmpty ? "" : "?" + SignatureV4.queryText(query)),
                body: .bytes(body), timeout: nil, stallTimeout: .seconds(60), maximumBodyBytes: limit, isIdempotent: true)
            for (name, value) in headers + fields { request.headers.set(name, value) }
            do {
                let response = try await transport.send(request)
                let isBusy = response.status >= 500 || response.status == 429
                if !isBusy || attempt == Self.tries {
                    return Answer(status: response.status, headers: response.headers, body: response.body)
                }
                _ = try? await response.body.collect(upTo: 1 << 16)
            } catch let error as HTTPClientError where error.isRetriable && attempt < Self.tries {
                // Tried again below.
            }
            try await Task.sleep(for: .milliseconds(100 << attempt))
            attempt += 1
        }
    }

    /// The error that an answer stands for; S3 names it in `<Code>`.
    func error(_ operation: String, _ answer: Answer) async -> BlobError {
        let body = (try? await answer.body.collect(upTo: 1 << 16)) ?? []
        return .server(operation: operation, status: answer.status, code: Self.element("Code", in: body) ?? "")
    }

    /// The text of the first element of a name in an S3 answer, which is flat enough that no XML reader is needed.
    static func element(_ name: String, in body: [UInt8]) -> String? {
        let text = String(decoding: body, as: UTF8.self)
        guard let open = text.firstRange(of: "<\(name)>"), let close = text[open.upperBound...].firstRange(of: "</\(name)>") else {
            return nil
        }
        return String(text[open.upperBound..<close.lowerBound])
    }
}

extension String {
    fileprivate func firstRange(of other: String) -> Range<String.Index>? { self[...].firstRange(of: other) }
}

extension Substring {
    fileprivate func firstRange(of other: String) -> Range<Substring.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].utf8.starts(with: other.utf8) {
                return start..<utf8.index(start, offsetBy: other.utf8.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }
}
