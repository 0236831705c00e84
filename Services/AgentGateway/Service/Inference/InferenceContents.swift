internal import AgentGatewayDomain
internal import Blobs
internal import Crypto
internal import Events
internal import JSON
internal import ServiceShell
internal import Threads
internal import Synchronization
internal import Telemetry

/// What was asked and answered: sealed under a key of the payer's, so that erasing the key erases the texts and the log stays whole.
///
/// Texts that are kept until a certain day are sealed under keys of that day, which are destroyed together when it is over.
final class InferenceContents: Sendable {
    private let lasting: SealedStore
    private let blobs: any BlobStore
    private let master: MasterKey
    private let folder: String
    private let logger: Logger
    /// Stores by their last day; those that were used lately.
    private let passing = Lock<[String: SealedStore]>([:])

    /// The most bytes of one text. A request has at most 4 MiB; what it says is written down again with members of our own.
    private static let largest = 8 << 20
    private static let rememberedDays = 16

    /// The keys of those who keep something here.
    var keys: OwnerKeys { lasting.keys }

    init(_ context: ServiceContext) throws {
        folder = context.folder
        logger = context.logger
        master = try MasterKey.loadOrCreate(folder + "/content.key")
        blobs = try context.openBlobs()
        lasting = try Self.store(blobs, master, folder + "/owners")
    }

    private static func store(_ blobs: any BlobStore, _ master: MasterKey, _ keys: String) throws -> SealedStore {
        try SealedStore(
            blobs: blobs, keys: try OwnerKeys(masters: [master], records: try FolderKeyRecords(root: keys)), space: "inferences",
            domain: CommitmentDomain("openledger/inference"))
    }

    private var daysFolder: String { folder + "/owners-until" }

    private func store(until day: String?) throws -> SealedStore {
        guard let day else { return lasting }
        if let known = passing.withLock({ $0[day] }) { return known }
        let made = try Self.store(blobs, master, daysFolder + "/" + day)
        return passing.withLock { stores in
            if let known = stores[day] { return known }
            if stores.count >= Self.rememberedDays, let oldest = stores.keys.min() { stores[oldest] = nil }
            stores[day] = made
            return made
        }
    }

    /// Keeps both texts, to the end of a day where one is given.
    /// - Returns: the commitments to them.
    func put(
        _ inference: String, payer: String, until day: String?, prompt: JSONValue, answer: String
    ) async throws -> (prompt: Digest, answer: Digest) {
        let store = try store(until: day)
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
        if let day = inference.keptUntil, !FolderKeyRecords.exists(daysFolder + "/" + day) {
            throw BlobError.erased(owner: inference.payer)
        }
        let store = try store(until: inference.keptUntil)
        let prompt = try await store.content(owner: inference.payer, commitment: inference.prompt, upTo: Self.largest)
        let answer = try await store.content(owner: inference.payer, commitment: inference.answer, upTo: Self.largest)
        return (try Self.prompt(prompt), String(decoding: answer, as: UTF8.self))
    }

    /// What was stored of a prompt: as large and as deep as requests may be.
    static func prompt(_ bytes: [UInt8]) throws -> JSONValue {
        try JSON.parse(bytes, limits: JSONLimits(depth: 128, bytes: largest, items: largest))
    }

    /// Destroys all keys of a payer: the texts of its answers and its files are unreadable from now on.
    func erase(_ payer: String, at time: Timestamp) async throws -> [ErasureReceipt] {
        var receipts: [ErasureReceipt] = []
        for day in [nil] + (try await FolderKeyRecords.roots(in: daysFolder)).map(Optional.some) {
            do { receipts.append(try await store(until: day).keys.destroy(owner: payer, time: time.description)) } catch BlobError.noKey {}
        }
        return receipts
    }

    // MARK: The end of a day

    /// Destroys the keys of days that are over, until the task is cancelled.
    func forgetInTime(_ clock: @Sendable () -> Timestamp) async {
        repeat {
            do { try await forget(before: Retention.day(from: clock())) } catch {
                logger.error("texts that were to be kept until a day that is over are still there: \(error)")
            }
        } while (try? await Task.sleep(for: .seconds(600))) != nil
    }

    /// Destroys the keys of all days before `today`, which is a day such as `2026-12-01`.
    func forget(before today: String) async throws {
        for day in try await FolderKeyRecords.roots(in: daysFolder) where day < today {
            passing.withLock { $0[day] = nil }
            let count = try await FolderKeyRecords.destroy(root: daysFolder + "/" + day)
            logger.info("texts were kept until \(day) and are unreadable from now on", ["payers": .integer(Int64(count))])
        }
    }
}
