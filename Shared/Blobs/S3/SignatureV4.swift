internal import Crypto

/// AWS Signature Version 4 for S3, in the Authorization header ("Authenticating Requests: Using the Authorization
/// Header", Amazon S3 API Reference). Every field that is sent by us is signed, and the payload's hash with them.
struct SignatureV4 {
    let accessKey: String
    let secretKey: String
    let region: String

    /// The header fields to add: `Authorization` with `x-amz-date` and `x-amz-content-sha256`.
    /// - Parameters:
    ///   - path: starts with a slash; already in its encoded form.
    ///   - query: names and values as they are, not encoded.
    ///   - headers: further fields to sign, names in lower case.
    func fields(
        method: String, host: String, path: String, query: [(String, String)], headers: [(String, String)], payload: Digest, time: S3Time
    ) -> [(String, String)] {
        let added = [("x-amz-content-sha256", payload.hex), ("x-amz-date", time.stamp)]
        let all = ([("host", host)] + headers + added).sorted { $0.0 < $1.0 }
        let names = all.map(\.0).joined(separator: ";")
        let canonical = [
            method, path, Self.queryText(query), all.map { "\($0.0):\(Self.trimmed($0.1))\n" }.joined(), names, payload.hex,
        ].joined(separator: "\n")
        let scope = "\(time.day)/\(region)/s3/aws4_request"
        let toSign = "AWS4-HMAC-SHA256\n\(time.stamp)\n\(scope)\n\(SHA256.hash(utf8: canonical).hex)"
        var key = Array("AWS4\(secretKey)".utf8)
        for part in [time.day, region, "s3", "aws4_request"] { key = HMACSHA256.code(Array(part.utf8), key: key).bytes }
        let signature = HMACSHA256.code(Array(toSign.utf8), key: key).hex
        let credential = "\(accessKey)/\(scope)"
        return added + [
            ("authorization", "AWS4-HMAC-SHA256 Credential=\(credential), SignedHeaders=\(names), Signature=\(signature)")
        ]
    }

    /// The query in its canonical form, which is also the form that is sent.
    static func queryText(_ query: [(String, String)]) -> String {
        query.map { (encoded($0.0), encoded($0.1)) }.sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
            .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
    }

    /// RFC 3986 §2.3: everything but unreserved characters as %XX.
    static func encoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                out += "%" + Hex.encode([byte]).uppercased()
            }
        }
        return out
    }

    private static func trimmed(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    }
}
