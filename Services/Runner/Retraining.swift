public import Crypto
internal import Engine
public import Events
internal import Foundation
public import JSON
internal import Synchronization
internal import Threads

/// Repeats a job of the embedded runner, to see whether the adapter and its attribution rows come out as they did then.
///
/// The engine gives the same bytes for the same base, rows, settings and seed on any processor with a fused multiply-add, with any number of
/// threads, where the system's library of functions gives the same numbers; the recorded level and threads are taken all the same
/// wherever they can be.
public struct Retraining: Sendable {
    /// What is repeated.
    public struct Job: Sendable {
        /// The job's id.
        public var id: String
        /// The base model's name.
        public var base: String
        /// The base model's artefact when the job began.
        public var baseArtefact: Digest
        /// What it learned from.
        public var snapshots: [SnapshotReference]
        /// The settings, as they lie in the evidence store.
        public var settings: JSONValue
        /// What was recorded of it, as it lies in the evidence store.
        public var record: JSONValue

        /// From its parts.
        public init(
            id: String, base: String, baseArtefact: Digest, snapshots: [SnapshotReference], settings: JSONValue, record: JSONValue
        ) {
            self.id = id
            self.base = base
            self.baseArtefact = baseArtefact
            self.snapshots = snapshots
            self.settings = settings
            self.record = record
        }
    }

    /// What came of it.
    public struct Outcome: Sendable {
        /// The adapter's artefact as it came out now.
        public let adapter: Digest
        /// The artefact of its attribution rows; nil where they were not made.
        public let attribution: Digest?
        /// The kernels that computed.
        public let level: String
        /// How many threads did.
        public let threads: Int
        /// Optimiser steps.
        public let steps: Int
        /// The last step's loss in millionths.
        public let finalLossMicros: Int
        /// Rows learned from.
        public let rows: Int
        /// Rows held out.
        public let heldOut: Int
    }

    /// What kept a job from being repeated.
    public enum Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        /// The job was computed by something else.
        case otherEngine(String)
        /// This processor has no kernels that give the recorded ones' bytes.
        case noKernels(String)
        /// The folder holds another base model.
        case otherBase(folder: String, found: Digest, wanted: Digest)
        /// No folder with the base model is known.
        case noBase(String)
        /// There is nothing to learn from.
        case noRows

        /// The reason in one line.
        public var description: String {
            switch self {
            case .otherEngine(let name):
                "the job cannot be repeated: it was computed by \(name), and only jobs of \(TrainingPlan.engine) can be repeated bit for bit by this program"
            case .noKernels(let level):
                "the job cannot be repeated here: it was computed with \(level) kernels, and this processor has none that give the same bytes (it has \(KernelLevel.available.map(\.rawValue).joined(separator: ", ")))"
            case .otherBase(let folder, let found, let wanted):
                "the base model in \(folder) is \(found.prefixed), the job began from \(wanted.prefixed): name its folder with --base"
            case .noBase(let name): "the base model \(name) is nowhere near the program: name its folder with --base"
            case .noRows: "the snapshots have no row to learn from"
            }
        }
    }

    /// Why another outcome than the recorded one would prove nothing: the job was computed with a library of functions whose last places
    /// are not those of this machine's. Nil where the two agree, and where the record names none, as the first ones do.
    public let doubt: String?
    private let job: Job
    private let folder: String
    private let level: KernelLevel
    private let threads: Int

    /// Checks what can be checked before any work.
    /// - Parameters:
    ///   - base: the folder of the base model; the one that ships with the product when left out.
    ///   - threads: in place of the recorded number.
    public init(_ job: Job, base: String? = nil, threads: Int? = nil) throws {
        let record = try job.record.object()
        // The first records name kernels and no engine.
        let unnamed = record.optionalField("kernel_level") == nil ? "an engine that its record does not name" : TrainingPlan.engine
        let engine = try record.optionalString("engine") ?? unnamed
        guard engine == TrainingPlan.engine else { throw Refusal.otherEngine(engine) }
        let recorded = try record.string("kernel_level")
        guard let wanted = KernelLevel(rawValue: recorded) else { throw Refusal.noKernels(recorded) }
        let all = KernelLevel.available
        guard let level = all.first(where: { $0 == wanted }) ?? all.first(where: { $0.agrees(with: wanted) }) else {
            throw Refusal.noKernels(recorded)
        }
        guard let folder = base ?? ModelLibrary.shipped() else { throw Refusal.noBase(job.base) }
        if let digest = try record.optionalDigest("libm_digest"), digest != MathLibrary.digest {
            let named = try record.optionalString("libm") ?? "a library of functions that its record does not name"
            doubt = "it was computed with \(named), whose functions give other last places than \(MathLibrary.name) here"
        } else {
            doubt = nil
        }
        self.job = job
        self.folder = folder
        self.level = level
        self.threads = try threads ?? record.int("threads", in: 1...256)
    }

    /// Learns again from the snapshots' rows, each the items of a snapshot in its order.
    /// - Parameters:
    ///   - attribution: whether its attribution rows are made again too, which decide whom the adapter's answers pay.
    ///   - progress: is told steps done and in all, on a thread of its own.
    public func run(
        rows items: [[JSONValue]], attribution: Bool = true, progress: @escaping @Sendable (_ step: Int, _ steps: Int) -> Void = { _, _ in }
    ) async throws -> Outcome {
        let pool = try ComputePool(threads: threads, level: level)
        let (job, folder) = (job, folder)
        let found = try await OSThread.run(name: "base model") { try ServedModel.artefact(of: folder).digest }
        guard found == job.baseArtefact else { throw Refusal.otherBase(folder: folder, found: found, wanted: job.baseArtefact) }
        let model = try await OSThread.run(name: "base model") { try ServedModel(name: job.base, folder: folder, pool: pool) }
        var plan = try TrainingPlan(job.settings.object())
        if let form = plan.foreignPrecision { throw RunnerError.otherPrecision(form) }
        var rows = plan.rows(for: model)
        for (reference, lines) in zip(job.snapshots, items) {
            for line in lines { try rows.add(line, datanet: reference.datanet) }
        }
        guard !rows.training.isEmpty else { throw Refusal.noRows }
        plan.options.keepsHalf = attribution
        let trainer = try plan.trainer(on: model, pool: pool)
        let (adapter, outcome) = try await trainer.train(rows.training.map(\.example), holdOut: rows.holdout.map(\.example)) { event in
            if case .step(let step) = event { progress(step.step, step.totalSteps) }
            return .proceed
        }
        var made: Digest?
        if attribution {
            let points = AttributionRows.points(half: outcome.half, end: adapter)
            made = try await AttributionRows(job: job.id, model: model, rows: rows, pool: pool, memoryLimit: .max).make(at: points).0.digest
        }
        return Outcome(
            adapter: try TrainingPlan.artefact(of: adapter, job: job.id, base: model, snapshots: job.snapshots).digest,
            attribution: made, level: outcome.kernelLevel.rawValue, threads: threads, steps: outcome.steps,
            finalLossMicros: Int((outcome.finalLoss * 1_000_000).rounded()), rows: rows.training.count, heldOut: rows.holdout.count)
    }
}
