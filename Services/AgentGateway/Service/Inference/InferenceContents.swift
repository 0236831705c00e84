internal import Blobs
internal import Crypto
internal import Events
internal import JSON
internal import ServiceShell

/// What was asked and answered: sealed under a key of the payer's, so that erasing the key erases the texts and the log stays whole.
struct InferenceContents: Sendable {
    private let store: SealedStore
    private static let largest = 4 << 20

    /// The keys of those who keep something here.
    var keys: OwnerKeys { store.keys }

    init(_ context: ServiceContext) throws {
        let master = try MasterKey.loadOrCreate(context.folder + "/content.key")
        let keys = try OwnerKeys(masters: [master], records: try FolderKeyRecords(root: context.folder + "/owners"))
        store = try SealedStore(
            blobs: try context.openBlobs(), keys: keys, space: "inferences", domain: CommitmentDomain("openledger/inference"))
    }

    /// Keeps both texts.
    /// - Returns: the commitments to them.
    func put(_ inference: String, payer: String, prompt: JSONValue, answer: String) async throws -> (prompt: Digest, answer: Digest) {
        let texts = [
            SealedItem(id: inference + ":prompt", content: JSON.write(prompt)),
            SealedItem(id: inference + ":answer", content: Array(answer.utf8)),
        ]
        let commitments: [Digest]
        do { commitments = try await store.put(owner: payer, texts) } catch BlobError.erased {
            // Who has erased what was, and asks again, gets a new key; what the old one sealed stays unreadable.
            _ = try await store.keys.renew(owner: payer)
            commitments = try await store.put(owner: payer, texts)
        }
        guard commitments.count == 2 else { throw BlobError.tooLarge(what: "the texts", limit: Self.largest) }
        return (commitments[0], commitments[1])
    }

    /// Both texts of an answer.
    func content(of inference: InferenceCompleted) async throws -> (prompt: JSONValue, answer: String) {
        let prompt = try await store.content(owner: inference.payer, commitment: inference.prompt, upTo: Self.largest)
        let answer = try await store.content(owner: inference.payer, commitment: inference.answer, upTo: Self.largest)
        return (try JSON.parse(prompt), String(decoding: answer, as: UTF8.self))
    }
}
