/// Where an S3 store is and who we are to it.
public struct S3Settings: Sendable, CustomStringConvertible {
    /// `http://host:port` or `https://host`, without a path. Buckets are addressed by path.
    public let endpoint: String
    /// The region that requests are signed for, for instance `us-east-1`.
    public let region: String
    /// The bucket; it has to be there.
    public let bucket: String
    /// Put before every name, for instance `openledger/`; empty for none.
    public let prefix: String
    /// The access key's id.
    public let accessKey: String
    let secretKey: String

    /// Checks and keeps the settings.
    /// - Throws: ``BlobError/badSetting(name:reason:)``.
    public init(
        endpoint: String, region: String = "us-east-1", bucket: String, prefix: String = "", accessKey: String, secretKey: String
    ) throws(BlobError) {
        let host = endpoint.drop { $0 != "/" }.drop { $0 == "/" }
        guard endpoint.hasPrefix("http://") || endpoint.hasPrefix("https://"), !host.isEmpty, !host.contains("/"),
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "@") })
        else { throw .badSetting(name: "the S3 endpoint", reason: "has to be http://host:port or https://host") }
        guard (3...63).contains(bucket.utf8.count), bucket.utf8.allSatisfy(Self.isPlain) else {
            throw .badSetting(name: "the S3 bucket", reason: "has to be 3 to 63 characters of a-z, 0-9, . and -")
        }
        guard prefix.utf8.count <= 256, prefix.utf8.allSatisfy({ Self.isPlain($0) || $0 == UInt8(ascii: "/") }) else {
            throw .badSetting(name: "the S3 prefix", reason: "has to be at most 256 characters of a-z, 0-9, ., - and /")
        }
        guard !region.isEmpty, region.utf8.allSatisfy(Self.isPlain) else {
            throw .badSetting(name: "the S3 region", reason: "has to be characters of a-z, 0-9, . and -")
        }
        guard !accessKey.isEmpty, !secretKey.isEmpty else {
            throw .badSetting(name: "the S3 access key", reason: "and its secret have to be given")
        }
        self.endpoint = endpoint
        self.region = region
        self.bucket = bucket
        self.prefix = prefix
        self.accessKey = accessKey
        self.secretKey = secretKey
    }

    /// The host and port as they stand in the endpoint.
    var host: String { String(endpoint.drop { $0 != "/" }.drop { $0 == "/" }) }

    /// Where it is; never the secret.
    public var description: String { "S3 bucket \(bucket) at \(endpoint)" }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }
}
