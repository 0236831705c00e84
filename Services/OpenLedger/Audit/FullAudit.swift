internal import AgentEconomyDomain
internal import AgentGatewayDomain
internal import AttributionDomain
internal import BillingDomain
internal import Crypto
internal import DatanetDomain
internal import EventLog
internal import IngestDomain
internal import LedgerDomain
internal import Replay
internal import TrainingDomain

/// The audit of everything that is on a log: bytes, tree and signatures, and every decision of every service made again.
struct FullAudit: Sendable {
    let log: any LogSource
    let trust: LogTrust
    /// Where evidence is read from.
    let evidence: any LogSource
    var kept: [any LogSource] = []
    var threads = 2
    /// What an earlier run had come to, whose decisions are not made again.
    var earlier: LogAudit.KnownTree?
    /// Called when everything up to a tree has been found to be right.
    var whenReached: (@Sendable (LogAudit.KnownTree) async throws -> Void)?

    /// What both parts found.
    struct Report: Sendable {
        let log: AuditReport
        let replay: ReplayReport

        var isGood: Bool { log.isGood && replay.isGood }
    }

    /// Runs it.
    /// - Throws: `LogSourceError` when the log can't be read.
    func run(progress: (@Sendable (LogProgress) -> Void)? = nil) async throws -> Report {
        let origin = (try? SignedCheckpoint(unverified: try await log.checkpoint()).checkpoint.origin) ?? ""
        let from = earlier?.size ?? 0
        let replay = LogReplay(
            Self.services(origin: origin, evidence: EvidenceShelf(SourceEvidence(evidence)), from: from), rooted: DatanetLaw.rooted,
            from: from, whenReached: whenReached)
        let audit = LogAudit(log, trust: trust, kept: kept, threads: threads, earlier: earlier)
        let report = try await audit.run(following: replay, progress: progress)
        return Report(log: report, replay: await replay.report(isWhole: report.isGood))
    }

    /// Who replays, in the order of the data's way.
    static func services(origin: String, evidence: EvidenceShelf, from: UInt64) -> [any ServiceReplaying] {
        [
            ServiceReplay(LedgerLaw(origin: origin), evidence: evidence, from: from),
            ServiceReplay(IngestLaw(evidence), evidence: evidence, from: from),
            ServiceReplay(DatanetLaw(evidence), evidence: evidence, from: from),
            ServiceReplay(TrainingLaw(evidence), evidence: evidence, from: from),
            ServiceReplay(AttributionLaw(evidence), evidence: evidence, from: from),
            ServiceReplay(BillingLaw(evidence), evidence: evidence, from: from),
            ServiceReplay(GatewayLaw(evidence), evidence: evidence, from: from),
            ServiceReplay(EconomyLaw(), evidence: evidence, from: from),
        ]
    }
}
