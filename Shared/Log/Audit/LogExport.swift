internal import Threads

/// Makes a bundle out of a log: a folder that can be audited, served and proved from with nothing else at hand.
///
/// An older bundle in the folder is continued, once it is proven to be the log's beginning; an export that was broken off
/// goes on from what it has. The bundle keeps every checkpoint that it ever ended at, which is what shows a later rewriting.
public struct LogExport: Sendable {
    /// What was made.
    public struct Result: Sendable {
        /// What the folder now holds.
        public let checkpoint: Checkpoint
        /// Who vouches for it.
        public let voucher: Voucher
        /// How many events the folder held before.
        public let before: UInt64
        /// What of the evidence came along; nil when none was asked for.
        public let evidence: EvidenceCopied?
    }

    private let source: any LogSource
    private let folder: String
    private let trust: LogTrust
    private let rule: EntryRule
    private let threads: Int
    private let evidence: (any LogSource)?

    /// An export of a log into a folder.
    /// - Parameter evidence: where the documents that events name are taken from; nil to take none.
    public init(
        _ source: any LogSource, to folder: String, trust: LogTrust, entries rule: EntryRule = .events, threads: Int = 2,
        evidence: (any LogSource)? = nil
    ) {
        self.evidence = evidence
        self.source = source
        self.folder = folder
        self.trust = trust
        self.rule = rule
        self.threads = max(threads, 1)
    }

    /// Runs it.
    /// - Throws: ``AuditFault`` when the log is bad, ``LogSourceError`` when it can't be read or the folder not be written.
    public func run(progress: (@Sendable (LogProgress) -> Void)? = nil) async throws -> Result {
        let text = try await source.checkpoint()
        let signed: SignedCheckpoint
        let voucher: Voucher
        do { (signed, voucher) = try trust.verify(text) } catch {
            throw AuditFault(.checkpoint, position: nil, "the checkpoint: \(error)")
        }
        let bundle = try await OSThread.run(name: "log-store") { [folder] in try BundleFolder(folder) }
        let rotations = try await source.rotations()
        do { try LogRotation.check(rotations) } catch { throw AuditFault(.checkpoint, position: nil, "\(error)") }
        try await OSThread.run(name: "log-store") { try bundle.keep(rotations: rotations) }
        let old = try await Self.held(in: bundle.source, of: signed.checkpoint.origin)
        if let old, old.size == signed.checkpoint.size, old.root == signed.checkpoint.root {
            let copied = try await evidence?.copyEvidence(into: bundle, size: old.size)
            try await OSThread.run(name: "log-store") { try bundle.flush() }
            return Result(checkpoint: old, voucher: voucher, before: old.size, evidence: copied)
        }
        let copy = LogCopy(source: source, folder: bundle, rule: rule, threads: threads)
        try await copy.copy(from: old, to: signed.checkpoint, progress: progress)
        let copied = try await evidence?.copyEvidence(into: bundle, size: signed.checkpoint.size)
        let keys = voucher.signers.isEmpty ? try await source.pinnedKeys() : voucher.signers
        try await OSThread.run(name: "log-store") {
            try bundle.add(keys: keys)
            try bundle.keep(signed)
            try bundle.publish(text)
            if let old { bundle.removePartials(of: old.size, for: signed.checkpoint.size) }
        }
        return Result(checkpoint: signed.checkpoint, voucher: voucher, before: old?.size ?? 0, evidence: copied)
    }

    /// What the folder holds already; nil for a new one. Its checkpoint was verified before it was written; what matters now
    /// is that the tiles and the log agree with it.
    static func held(in folder: FolderLogSource, of origin: String) async throws -> Checkpoint? {
        let text: String
        do { text = try await folder.checkpoint() } catch let error as LogSourceError where error.isMissing { return nil }
        do {
            let held = try SignedCheckpoint(unverified: text).checkpoint
            guard held.origin == origin else { throw NoteError.foreignOrigin(expected: origin, found: held.origin) }
            return held
        } catch let error as NoteError {
            throw LogSourceError.malformed(path: folder.path + "/checkpoint", reason: "\(error)")
        }
    }
}
