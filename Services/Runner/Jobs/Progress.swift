internal import Crypto
internal import Engine
internal import Events
internal import JSON
internal import Synchronization
internal import Threads

/// What the training says while it runs, told to the desk at the desk's pace; and whether it may go on.
final class Progress: Sendable {
    private struct State {
        var last: [(String, JSONValue)] = []
        /// The last one that has not been left yet, with the figures up to there.
        var checkpoint: (state: TrainingCheckpoint, figures: [(String, JSONValue)])?
        var wish = TrainingDesk.Wish.goOn
        var isOver = false
    }

    private let order: TrainingDesk.Order
    private let desk: TrainingDesk
    private let state = Lock(State())

    init(order: TrainingDesk.Order, desk: TrainingDesk) {
        self.order = order
        self.desk = desk
    }

    /// What training wanted last.
    var wish: TrainingDesk.Wish { state.withLock { $0.wish } }

    /// Whether the job may go on.
    var goesOn: Bool { state.withLock { !$0.isOver && $0.wish == .goOn } }

    /// Tells how far the work is while it is done.
    func whileTold<Made: Sendable>(_ work: @Sendable () async throws -> Made) async throws -> Made {
        let reporting = Task { await report() }
        defer {
            end()
            reporting.cancel()
        }
        // A runner that is told to end does not finish the job first: another goes on from the last checkpoint.
        return try await withTaskCancellationHandler {
            try await work()
        } onCancel: {
            end()
        }
    }

    func end() { state.withLock { $0.isOver = true } }

    /// Called on the training's own thread.
    func hear(_ event: TrainingEvent) -> TrainingDecision {
        state.withLock { state in
            switch event {
            case .step(let step):
                state.last = [
                    ("step", .int(Int64(step.step))), ("steps", .int(Int64(step.totalSteps))), ("tokens", .int(Int64(step.tokens))),
                    ("loss_micros", .int(Int64((max(0, step.loss) * 1_000_000).rounded()))),
                ]
            case .evaluation(let measured):
                state.last.removeAll { $0.0 == "holdout_loss_micros" }
                if !state.last.isEmpty {
                    state.last.append(("holdout_loss_micros", .int(Int64((max(0, measured.loss) * 1_000_000).rounded()))))
                }
            case .checkpoint(let checkpoint): state.checkpoint = (checkpoint, state.last)
            }
            if state.isOver { return .cancel }
            switch state.wish {
            case .goOn: return .proceed
            case .leaveCheckpoint: return .pause
            case .stop: return .cancel
            }
        }
    }

    /// Tells until the work is over.
    private func report() async {
        while !Task.isCancelled {
            let (last, checkpoint, isOver) = state.withLock { ($0.last, $0.checkpoint, $0.isOver) }
            if isOver { return }
            do {
                let wish = try await desk.report(order, last.isEmpty ? [("step", 0), ("steps", 0)] : last)
                state.withLock { $0.wish = wish }
                if wish == .goOn, let checkpoint {
                    try await keep(checkpoint.state, checkpoint.figures)
                    left(checkpoint.state.step)
                }
            } catch {
                // A report that is lost is followed by another, and so is a checkpoint; a lease that is lost shows in the next answer.
                if let checkpoint, JobFault.isTaken(error) { left(checkpoint.state.step) }
            }
            try? await Task.sleep(for: desk.pace)
        }
    }

    /// Tells the last figures, which may have come since the last report; one that is lost is missed by nobody.
    func tellLast() async {
        let last = state.withLock { $0.last }
        if !last.isEmpty { _ = try? await desk.report(order, last) }
    }

    /// A checkpoint need not be left any more.
    private func left(_ step: Int) {
        state.withLock { state in if let kept = state.checkpoint, kept.state.step <= step { state.checkpoint = nil } }
    }

    /// Leaves a checkpoint from which another runner can go on.
    func keep(_ checkpoint: TrainingCheckpoint, _ metrics: [(String, JSONValue)]? = nil) async throws {
        let bytes = try await OSThread.run(name: "checkpoint") { try checkpoint.bytes() }
        let artefact = try Artefact(files: [("checkpoint.bin", bytes)])
        try await desk.upload(artefact)
        let figures = metrics ?? state.withLock { $0.last }
        try await desk.checkpoint(order, step: checkpoint.step, artefact.digest, metrics: .object(JSONObject(figures)))
    }
}
