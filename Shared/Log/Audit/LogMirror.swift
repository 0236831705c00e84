internal import Crypto
internal import Glibc
internal import Synchronization
internal import Threads

/// A second party's copy of a log: verified event by event, signed for, and fit to be served.
///
/// Each round takes the log's newest checkpoint, copies and verifies what it has not, and then cosigns. It also answers
/// witness submissions, so a log gets its cosignature at once; both share one memory of what was cosigned, so this key never
/// vouches for two histories. A log that forks or shrinks ends it, with both checkpoints kept as evidence.
public actor LogMirror {
    /// What ends a mirror.
    public struct Stopped: Error, Sendable, CustomStringConvertible {
        /// What is wrong with the log.
        public let fault: AuditFault
        /// Where the contradicting checkpoints were kept; nil when there are no two.
        public let evidence: String?

        /// For a person.
        public var description: String {
            "\(fault)" + (evidence.map { "\nBoth checkpoints were kept in \($0)" } ?? "")
        }
    }

    /// Rounds in which the same log must be bad before it counts: a cache on the way may be behind for a moment.
    private static let patience = 3

    private let upstream: any LogSource
    /// By what the first checkpoints were believed; rotations lead on from it.
    private let given: LogTrust
    private var trust: LogTrust
    private let copy: LogCopy
    private let folder: BundleFolder
    private let desk: WitnessDesk
    private let verifier: VerifierKey
    private var held: SignedCheckpoint?
    private var badRounds = 0
    private var wasSurpassed = false
    /// What is served: the checkpoint that the copy has reached.
    private let shown = Lock<SignedCheckpoint?>(nil)
    private let named: Lock<Named>

    /// The log's keys as far as they are known here, and how each came after the one before.
    private struct Named {
        var keys: [VerifierKey]
        var rotations: [LogRotation]
    }

    /// Opens a mirror's folder, or makes it.
    /// - Parameters:
    ///   - upstream: the log.
    ///   - trust: by what its checkpoints are believed; submissions are believed by its keys.
    ///   - signer: cosigns (``NoteSignatureType/cosignature``), under the mirror's own name.
    ///   - clock: POSIX seconds.
    public init(
        upstream: any LogSource, folder path: String, trust: LogTrust, signer: NoteSigner, entries rule: EntryRule = .events,
        threads: Int = 2,
        clock: @escaping @Sendable () -> UInt64 = LogMirror.systemTime
    ) async throws {
        guard signer.verifier.type == .cosignature else {
            throw NoteError.malformed(what: "mirror key", reason: "must be a cosignature key")
        }
        self.upstream = upstream
        given = trust
        verifier = signer.verifier
        let folder = try await OSThread.run(name: "log-store") { try BundleFolder(path) }
        self.folder = folder
        let rotations = try await folder.source.rotations()
        let trust = try trust.following(rotations)
        self.trust = trust
        named = Lock(Named(keys: trust.keys, rotations: rotations))
        copy = LogCopy(source: upstream, folder: folder, rule: rule, threads: threads)
        desk = WitnessDesk(folder: folder, keys: trust.keys, signer: signer, clock: clock)
        try await desk.open()
        do {
            let signed = try SignedCheckpoint(unverified: try await folder.source.checkpoint())
            held = signed
            shown.withLock { $0 = signed }
        } catch let error as LogSourceError where error.isMissing {}
    }

    /// POSIX seconds by the system's clock; never 0, which in a cosignature means that no time is stated.
    public static let systemTime: @Sendable () -> UInt64 = { UInt64(max(time(nil), 1)) }

    /// The key it cosigns with.
    public nonisolated var cosigner: VerifierKey { verifier }

    /// The copy, for whoever serves it. Serve no more of it than ``checkpoint`` speaks of.
    public nonisolated var source: FolderLogSource { folder.source }

    /// The checkpoint that the copy has reached, with this mirror's cosignature; nil before the first.
    public nonisolated var checkpoint: SignedCheckpoint? { shown.withLock { $0 } }

    /// The log's keys.
    public nonisolated var logKeys: [VerifierKey] { named.withLock { $0.keys } }

    /// Each of those keys' word for the next, oldest first.
    public nonisolated var logRotations: [LogRotation] { named.withLock { $0.rotations } }

    /// The largest checkpoint that was cosigned, by a submission or after copying.
    public var cosigned: SignedCheckpoint? { get async { await desk.latest } }

    /// Answers `POST add-checkpoint` (C2SP tlog-witness).
    /// - Throws: ``WitnessState/Refusal``.
    public nonisolated func submit(_ body: [UInt8]) async throws -> NoteSignature {
        guard let text = String(validating: body, as: UTF8.self) else { throw WitnessState.Refusal.malformed("not UTF-8") }
        let request: AddCheckpointRequest
        do { request = try AddCheckpointRequest(parsing: text) } catch { throw WitnessState.Refusal.malformed("\(error)") }
        do { return try await desk.submit(request) } catch let refusal as WitnessState.Refusal {
            // Signed by the log, and not a continuation of what it signed before: perhaps a fork, so it is not thrown away.
            if case .badProof(let reason) = refusal, let theirs = try? SignedCheckpoint(unverified: request.checkpoint),
                await contradicts(theirs.checkpoint)
            {
                _ = try? await MirrorEvidence(folder: folder).keepSubmitted(
                    ours: await desk.latest?.note.encoded, theirs: theirs, reason: "submitted to this witness: \(reason)")
            }
            throw refusal
        }
    }

    /// Whether a checkpoint that the log signed can't be true beside what was cosigned. That its submitter's proof is bad says nothing:
    /// anybody can send the newest checkpoint with a bad proof. So the proof is looked for where the log is.
    private nonisolated func contradicts(_ theirs: Checkpoint) async -> Bool {
        let known = await desk.known
        if theirs.size == known.size { return theirs.root != known.root }
        if let shown = checkpoint?.checkpoint, shown.size == theirs.size { return shown.root != theirs.root }
        guard theirs.size > known.size else { return false }
        do {
            try await Self.prove(theirs, continues: known, from: upstream)
            return false
        } catch {
            return Self.isContradiction(error)
        }
    }

    /// A log that is not there proves nothing; one that has no such tree has signed for another than it shows.
    private static func isContradiction(_ error: any Error) -> Bool {
        if let error = error as? LogSourceError { return error.isMissing }
        return error is ProofError || error is TileError
    }

    private static func prove(_ theirs: Checkpoint, continues known: WitnessState, from source: some LogSource) async throws {
        let newest = try SignedCheckpoint(unverified: try await source.checkpoint()).checkpoint
        var tree = TileTree(source: CutTiles(source: source, size: newest.size), size: theirs.size)
        let root = try await tree.root()
        guard root == theirs.root else {
            throw ProofError.rootDiffers(what: "checkpoint", expected: theirs.root, computed: root)
        }
        try await tree.consistencyProof(from: known.size).verify(oldRoot: known.root, newRoot: root)
    }

    /// Follows the log until cancelled.
    /// - Parameters:
    ///   - pause: between two looks at a log that has not grown, and after a failure to reach it.
    ///   - report: told of each checkpoint that the copy reached, and of failures that may pass.
    /// - Throws: ``Stopped`` when the log is bad.
    public func run(
        every pause: Duration = .seconds(2), progress: (@Sendable (LogProgress) -> Void)? = nil,
        report: @Sendable (Result<SignedCheckpoint, any Error>) -> Void
    ) async throws {
        while true {
            do {
                if let reached = try await round(progress: progress) { report(.success(reached)) }
            } catch let error where error is Stopped || error is CancellationError {
                throw error
            } catch {
                report(.failure(error))
            }
            try await Task.sleep(for: pause)
        }
    }

    /// One look at the log.
    /// - Returns: the checkpoint that the copy reached, nil when there was nothing new.
    /// - Throws: ``Stopped`` when the log is bad beyond patience; other errors may pass.
    @discardableResult
    public func round(progress: (@Sendable (LogProgress) -> Void)? = nil) async throws -> SignedCheckpoint? {
        let target = try await nextTarget()
        do {
            let reached = try await reach(target, progress)
            badRounds = 0
            return reached
        } catch let fault as AuditFault {
            badRounds += 1
            let contradicts = fault.kind == .history || fault.kind == .shrunk || fault.kind == .root
            // Two roots of one size need no second look.
            let certain = held.map { $0.checkpoint.size == target.checkpoint.size && $0.checkpoint.root != target.checkpoint.root } ?? false
            guard certain || badRounds >= Self.patience else { throw fault }
            let ours = held?.note.encoded
            let place = contradicts ? try await MirrorEvidence(folder: folder).keep(ours: ours, theirs: target, reason: "\(fault)") : nil
            throw Stopped(fault: fault, evidence: place)
        }
    }

    /// The log's newest checkpoint; or the one that was cosigned on submission, where that is newer still, or came while an
    /// older one was being copied, which then could not be cosigned any more.
    private func nextTarget() async throws -> SignedCheckpoint {
        let newest = try await newestCheckpoint()
        guard let submitted = await desk.latest, submitted.checkpoint.size > held?.checkpoint.size ?? 0 else { return newest }
        return submitted.checkpoint.size > newest.checkpoint.size || (wasSurpassed && badRounds == 0) ? submitted : newest
    }

    /// The log's newest checkpoint. Where a key signs it that is not known here, the log is asked for the words of its keys first.
    private func newestCheckpoint() async throws -> SignedCheckpoint {
        let text = try await upstream.checkpoint()
        let signed: SignedCheckpoint
        do { signed = try trust.verify(text).signed } catch {
            guard try await follow() else { throw error }
            return try trust.verify(text).signed
        }
        let name = signed.checkpoint.origin
        if !trust.keys.isEmpty,
            signed.note.signatures.contains(where: { line in line.name == name && !trust.keys.contains(where: line.isBy) })
        {
            // A word may come a moment after the first signature; what is known suffices for this checkpoint.
            _ = try? await follow()
        }
        return signed
    }

    /// Takes up what the log's keys say of those that followed them.
    /// - Returns: whether that led to a key that was not known.
    private func follow() async throws -> Bool {
        let rotations = try await upstream.rotations()
        let next = try given.following(rotations)
        guard !next.keys.allSatisfy(trust.keys.contains) else { return false }
        try await OSThread.run(name: "log-store") { [folder] in
            try folder.keep(rotations: rotations)
            try folder.flush()
        }
        trust = next
        named.withLock { $0 = Named(keys: next.keys, rotations: rotations) }
        await desk.know(next.keys)
        return true
    }

    private func reach(_ target: SignedCheckpoint, _ progress: (@Sendable (LogProgress) -> Void)?) async throws -> SignedCheckpoint? {
        if let held, held.checkpoint.size == target.checkpoint.size, held.checkpoint.root == target.checkpoint.root { return nil }
        let before = held?.checkpoint
        try await copy.copy(from: before, to: target.checkpoint, progress: progress)
        var signed = target
        if let line = try await cosign(target) { signed.add(line) }
        wasSurpassed = !signed.note.signatures.contains { $0.isBy(verifier) }
        try await OSThread.run(name: "log-store") { [folder, signed, keys = trust.keys] in
            try folder.add(keys: keys)
            try folder.keep(signed)
            try folder.publish(signed.note.encoded)
            if let before { folder.removePartials(of: before.size, for: signed.checkpoint.size) }
        }
        held = signed
        shown.withLock { $0 = signed }
        return signed
    }

    /// Cosigns what was copied. The copy's tiles are on disk, so what was cosigned before can be looked up in them.
    private func cosign(_ target: SignedCheckpoint) async throws -> NoteSignature? {
        while true {
            let known = await desk.known
            // Surpassed by a submission; the next round goes for that one.
            guard known.size <= target.checkpoint.size else { return nil }
            if known.size == target.checkpoint.size, target.note.signatures.contains(where: { $0.isBy(verifier) }) { return nil }
            var tree = TileTree(source: folder.source, size: known.size)
            let root = known.size == 0 ? Merkle.emptyRoot : try await tree.root()
            if let line = try await desk.cosign(target, provenFrom: known, rootBefore: root) { return line }
        }
    }
}

/// The tiles of a tree, cut out of those that the log has now: the partial ones of an earlier size need not be there any more.
private struct CutTiles<Source: LogSource>: TileSource {
    let source: Source
    /// How long the log is now.
    let size: UInt64

    func hashes(of tile: Tile) async throws -> [UInt8] {
        guard let grown = Tile.at(level: tile.level, index: tile.index, size: size), grown.width >= tile.width else {
            throw LogSourceError.missing(path: tile.path, source: source.name)
        }
        return Array(try await source.hashes(of: grown).prefix(tile.width * Tile.hashBytes))
    }
}
