public import Crypto

/// How far an audit or a copy has come.
public struct LogProgress: Sendable {
    /// Events done.
    public let done: UInt64
    /// Events in all.
    public let total: UInt64
    /// Bytes of events done.
    public let bytes: UInt64
    /// Since the start.
    public let elapsed: Duration

    /// Events a second so far.
    public var rate: Double {
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
        return seconds > 0 ? Double(done) / seconds : 0
    }
}

/// What an audit found.
public struct AuditReport: Sendable {
    /// What the log commits to; nil when there was no readable one.
    public let checkpoint: Checkpoint?
    /// Who vouches for it.
    public let voucher: Voucher?
    /// How far it went: events, bytes, time.
    public let progress: LogProgress
    /// Tiles that were compared, of all levels.
    public let tiles: UInt64
    /// Sizes of kept checkpoints whose roots were found again.
    public let kept: [UInt64]
    /// The first fault; nil when everything holds.
    public let fault: AuditFault?

    /// Whether everything holds.
    public var isGood: Bool { fault == nil }
}

/// Goes through a whole log once, in order, and checks everything about it: the checkpoint's signature, every event's
/// bytes, form and id, every tile of every level, the root, and that the tree continues each checkpoint that was kept.
///
/// Memory does not grow with the log. The first fault ends it, since the first bad position is what one wants to know.
public struct LogAudit: Sendable {
    private let source: any LogSource
    private let trust: LogTrust
    private let rule: EntryRule
    private let kept: [any LogSource]
    private let threads: Int
    private let earlier: KnownTree?

    /// A tree that somebody saw and wrote down.
    public struct KnownTree: Sendable, Hashable {
        /// How many events it has.
        public let size: UInt64
        /// Its root.
        public let root: Digest

        /// Pairs them.
        public init(size: UInt64, root: Digest) {
            self.size = size
            self.root = root
        }
    }

    /// - Parameters:
    ///   - entries: what the log should hold.
    ///   - kept: further places where checkpoints were kept.
    ///   - threads: how many tiles are checked at once, each on a thread of its own.
    ///   - earlier: the tree that an earlier run had come to, which this one must continue.
    public init(
        _ source: any LogSource, trust: LogTrust, entries rule: EntryRule = .events, kept: [any LogSource] = [], threads: Int = 2,
        earlier: KnownTree? = nil
    ) {
        self.earlier = earlier
        self.source = source
        self.trust = trust
        self.rule = rule
        self.kept = kept
        self.threads = max(threads, 1)
    }

    /// Runs it.
    /// - Throws: ``LogSourceError`` when the log can't be read. What is wrong with a log that can is in the report.
    public func run(progress: (@Sendable (LogProgress) -> Void)? = nil) async throws -> AuditReport {
        try await run(following: NobodyFollows(), progress: progress)
    }

    /// Runs it, and shows every event to somebody who follows, in order, once its bytes, form and hash have been checked. Whether the
    /// tree over all events was signed for shows only at the end.
    /// - Throws: ``LogSourceError``, or what the follower throws.
    public func run(following follower: some LogFollower, progress: (@Sendable (LogProgress) -> Void)? = nil) async throws -> AuditReport {
        let text = try await source.checkpoint()
        let verified: (signed: SignedCheckpoint, voucher: Voucher)
        do { verified = try trust.verify(text) } catch {
            return report(
                nil, nil, nil, LogPipeline.Meter(total: 0).progress, AuditFault(.checkpoint, position: nil, "the checkpoint: \(error)"))
        }
        let target = verified.signed.checkpoint
        var meter = LogPipeline.Meter(total: target.size)
        var sequence = LogSequence(source: source, target: target)
        do {
            var milestones = try await LogHistory.milestones(of: [source] + kept, trust: trust, target: target)
            if let earlier, earlier.size > 0 {
                guard earlier.size <= target.size else {
                    throw AuditFault(
                        .shrunk, position: target.size, below: earlier.size,
                        "the log ends at \(target.size), but an earlier audit saw \(earlier.size) events: its tail was removed")
                }
                milestones.append(.init(size: earlier.size, root: earlier.root))
            }
            sequence.expect(milestones)
            let check = LeafCheck(rule: rule)
            let pipeline = LogPipeline(source: source, size: target.size, from: 0, threads: threads)
            try await pipeline.run({ leaf in
                let outcome = check.check(leaf)
                let isRead = follower.looksAtEvents && outcome.fault == nil
                let page = isRead ? Self.events(of: leaf).map { follower.read($0, leaves: outcome.leaves) } : nil
                return ReadLeaf(outcome: outcome, page: page)
            }) { leaf in
                _ = try await sequence.take(leaf.outcome)
                meter.add(events: leaf.outcome.leaves.count, bytes: leaf.outcome.bytes)
                if let page = leaf.page { try await follower.take(page) }
            } eachBatch: {
                try await follower.reached(KnownTree(size: sequence.size, root: sequence.root))
                progress?(meter.progress)
            }
            _ = try await sequence.finish()
            return report(target, verified.voucher, sequence, meter.progress, nil)
        } catch let fault as AuditFault {
            return report(target, verified.voucher, sequence, meter.progress, fault)
        }
    }

    /// A checked tile, with what a follower read in it.
    private struct ReadLeaf<Page: Sendable>: Sendable {
        let outcome: LeafOutcome
        let page: Page?
    }

    private static func events(of leaf: LeafTile) -> [LoggedEvent]? {
        guard let entries = leaf.entries, let ranges = EntryBundle.ranges(of: entries, count: leaf.tile.width) else { return nil }
        let start = leaf.tile.index << UInt64(Tile.height)
        return ranges.enumerated().map { LoggedEvent(position: start + UInt64($0), version: 0, bytes: Array(entries[$1])) }
    }

    private func report(
        _ checkpoint: Checkpoint?, _ voucher: Voucher?, _ sequence: LogSequence?, _ progress: LogProgress, _ fault: AuditFault?
    ) -> AuditReport {
        AuditReport(
            checkpoint: checkpoint, voucher: voucher, progress: progress, tiles: sequence?.tiles ?? 0, kept: sequence?.milestonesMet ?? [],
            fault: fault)
    }
}

/// Checkpoints that were kept.
enum LogHistory {
    /// Reads and verifies the kept checkpoints that a log of this checkpoint must continue.
    static func milestones(
        of sources: [any LogSource], trust: LogTrust, target: Checkpoint
    ) async throws -> [LogSequence.Milestone] {
        var milestones: [LogSequence.Milestone] = []
        // A kept checkpoint need not have been cosigned yet; by whom it was signed is what counts.
        for source in sources {
            for size in try await source.keptSizes() {
                let old: Checkpoint
                do { old = try trust.verifyKept(try await source.keptCheckpoint(size)) } catch let error as NoteError {
                    throw AuditFault(.keptCheckpoint, position: nil, "the checkpoint kept at size \(size) in \(source.name): \(error)")
                }
                guard old.origin == target.origin, old.size == size else {
                    throw AuditFault(
                        .keptCheckpoint, position: nil, "the checkpoint kept at size \(size) is of \(old.origin) at size \(old.size)")
                }
                guard size <= target.size else {
                    throw AuditFault(
                        .shrunk, position: target.size, below: size,
                        "the log ends at \(target.size), but a checkpoint kept from it has \(size) events: its tail was removed")
                }
                if size == 0, old.root != Merkle.emptyRoot {
                    throw AuditFault(.keptCheckpoint, position: nil, "the checkpoint kept at size 0 has a root other than the empty tree's")
                }
                milestones.append(.init(size: size, root: old.root))
            }
        }
        return milestones
    }
}
