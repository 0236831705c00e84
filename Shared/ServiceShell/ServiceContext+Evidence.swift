public import Blobs

extension ServiceContext {
    /// The evidence store that all services share: content-addressed, unencrypted, part of every audit bundle.
    /// - Throws: `BlobError` when its folder can't be used.
    public func openEvidence() throws(BlobError) -> EvidenceStore {
        EvidenceStore(blobs: try FolderBlobStore(root: shared + "/evidence"))
    }

    /// The service's own place for blobs, such as sealed content and artefacts.
    /// - Throws: `BlobError` when its folder can't be used.
    public func openBlobs() throws(BlobError) -> any BlobStore { try FolderBlobStore(root: folder + "/blobs") }
}
