/// A blob together with its name.
public struct NamedBlob: Sendable {
    /// Its name.
    public let name: BlobName
    /// Its bytes.
    public let bytes: [UInt8]

    /// Pairs them.
    public init(_ name: BlobName, _ bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// Keeps blobs by name. A blob is written once and is there whole or not at all; what a call has returned from survives a
/// power cut. Nothing in here knows what the bytes mean.
public protocol BlobStore: Sendable {
    /// Keeps a blob; when one of that name is there already it stays and the new bytes are dropped.
    func put(_ name: BlobName, _ bytes: BlobBytes) async throws

    /// Keeps many small blobs, much faster than one by one. They may come to be there one after the other.
    func put(_ blobs: [NamedBlob]) async throws

    /// The size in bytes, or nil when there is no such blob.
    func count(of name: BlobName) async throws -> Int?

    /// The bytes of a blob, or of a part of it.
    /// - Throws: ``BlobError/notFound(_:)`` and ``BlobError/outOfRange(_:range:count:)``, from here or while reading.
    func bytes(of name: BlobName, range: Range<Int>?) async throws -> BlobBytes

    /// Removes a blob. That there is none is fine.
    func remove(_ name: BlobName) async throws
}

extension BlobStore {
    /// Keeps a blob that is at hand.
    public func put(_ name: BlobName, _ bytes: [UInt8]) async throws { try await put([NamedBlob(name, bytes)]) }

    /// The bytes of a whole blob.
    public func bytes(of name: BlobName) async throws -> BlobBytes { try await bytes(of: name, range: nil) }
}
