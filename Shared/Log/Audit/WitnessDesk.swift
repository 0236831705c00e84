internal import Crypto
internal import Threads

/// Cosigns checkpoints of one log and remembers the largest it cosigned. It runs on a thread of its own, where it may wait for
/// the disk: between looking at the state and having stored the next one nothing else happens.
actor WitnessDesk {
    private let executor = ThreadExecutor(name: "witness")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let folder: BundleFolder
    private var keys: [VerifierKey]
    private let signer: NoteSigner
    private let clock: @Sendable () -> UInt64
    private var state = WitnessState()
    /// The largest checkpoint it cosigned, with its line.
    private(set) var latest: SignedCheckpoint?
    private static let file = "cosigned"

    init(folder: BundleFolder, keys: [VerifierKey], signer: NoteSigner, clock: @escaping @Sendable () -> UInt64) {
        self.folder = folder
        self.keys = keys
        self.signer = signer
        self.clock = clock
    }

    deinit { executor.stop() }

    /// Takes up what was remembered.
    func open() throws {
        guard let bytes = try Files.read("\(folder.path)/\(Self.file)", limit: SignedNote.maximumBytes) else { return }
        do {
            let signed = try SignedCheckpoint(unverified: try LogBounds.text(bytes, path: Self.file))
            try signed.note.verify(by: signer.verifier)
            state = WitnessState(size: signed.checkpoint.size, root: signed.checkpoint.root)
            latest = signed
        } catch let error as NoteError {
            // To forget what was cosigned would allow a second history to be cosigned.
            throw LogSourceError.malformed(
                path: "\(folder.path)/\(Self.file)", reason: "\(error); it must be the checkpoint this key last cosigned")
        }
    }

    /// What it remembers.
    var known: WitnessState { state }

    /// Submissions are believed by these keys from now on.
    func know(_ keys: [VerifierKey]) { self.keys = keys }

    /// Answers a submission (C2SP tlog-witness).
    func submit(_ request: AddCheckpointRequest) throws -> NoteSignature {
        var next = state
        return try remember(try next.accept(request, log: keys), next)
    }

    /// Cosigns a checkpoint that the copy has reached, unless a larger one was cosigned meanwhile.
    /// - Parameter rootBefore: the copy's own root at the size that was remembered when the copy was compared.
    /// - Returns: nil when what it remembers has changed since, or is beyond this checkpoint.
    func cosign(_ signed: SignedCheckpoint, provenFrom before: WitnessState, rootBefore: Digest) throws -> NoteSignature? {
        guard state == before, before.size <= signed.checkpoint.size else { return nil }
        guard before.size == 0 || before.root == rootBefore else {
            throw AuditFault(
                .history, position: 0, below: before.size,
                "a checkpoint with \(before.size) events was cosigned here whose root is not that of the events that the log has now")
        }
        return try remember(signed, WitnessState(size: signed.checkpoint.size, root: signed.checkpoint.root))
    }

    /// Stored first, given away second: who crashes in between has cosigned nothing that anybody saw.
    private func remember(_ signed: SignedCheckpoint, _ next: WitnessState) throws -> NoteSignature {
        let line = try signer.sign(signed.note.text, time: clock())
        var cosigned = signed
        cosigned.add(line)
        try Files.replace("\(folder.path)/\(Self.file)", with: Array(cosigned.note.encoded.utf8), syncingFolder: true)
        state = next
        latest = cosigned
        return line
    }
}
