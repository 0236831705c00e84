public import Crypto

/// Why a blob cannot be kept or had.
public enum BlobError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A space with characters other than `a-z`, `0-9` and `-`, or of another length than 1 to 32.
    case badSpace(String)
    /// A commitment domain that is empty, longer than 64 bytes or holds a line break.
    case badDomain(String)
    /// There is no such blob.
    case notFound(BlobName)
    /// A range that the blob does not have.
    case outOfRange(BlobName, range: Range<Int>, count: Int)
    /// More bytes than this use allows.
    case tooLarge(what: String, limit: Int)
    /// The stored bytes are not those that were stored.
    case damaged(BlobName, reason: String)
    /// The key of this owner was destroyed: the content is gone for ever.
    case erased(owner: String)
    /// No key was ever made for this owner.
    case noKey(owner: String)
    /// The record of a key does not fit: another master key, or changed.
    case badKeyRecord(owner: String, reason: String)
    /// The file system refused; `reason` is its own text.
    case system(operation: String, path: String, reason: String)
    /// The disk, or this account's part of it, is full: nothing is wrong with what was asked for, and it can be asked for again.
    case full(operation: String, path: String)
    /// The S3 server answered with an error.
    case server(operation: String, status: Int, code: String)
    /// A setting that cannot be used.
    case badSetting(name: String, reason: String)
    /// libcrypto refused.
    case crypto(CryptoError)

    /// A sentence that names the culprit and, where there is something to do, says what.
    public var description: String {
        switch self {
        case .badSpace(let space): "the space '\(space)' is not 1 to 32 characters of a-z, 0-9 and -"
        case .badDomain(let domain): "the commitment domain '\(domain)' is not 1 to 64 bytes on one line"
        case .notFound(let name): "there is no blob \(name)"
        case .outOfRange(let name, let range, let count):
            "blob \(name) has \(count) bytes, not \(range.lowerBound)..<\(range.upperBound)"
        case .tooLarge(let what, let limit): "\(what) has more than \(limit) bytes"
        case .damaged(let name, let reason): "blob \(name) is damaged: \(reason)"
        case .erased(let owner): "the key of \(owner) was destroyed; its content can never be read again"
        case .noKey(let owner): "there is no key for \(owner)"
        case .badKeyRecord(let owner, let reason): "the key record of \(owner) cannot be used: \(reason)"
        case .system(let operation, let path, let reason): "cannot \(operation) \(path): \(reason)"
        case .full(let operation, let path): "cannot \(operation) \(path): the disk is full"
        case .server(let operation, let status, let code):
            "the S3 server answered \(status)\(code.isEmpty ? "" : " \(code)") to \(operation)"
        case .badSetting(let name, let reason): "\(name) \(reason)"
        case .crypto(let error): error.description
        }
    }
}
