internal import AttributionDomain
internal import Decisions
internal import EventLog
internal import Events
internal import JSON
internal import Telemetry

/// Answers: each attributed once, in the log's order.
extension AttributionDesk {
    /// Attributes the first answers that wait, in their order. One that cannot be attributed now holds up those after it for some tries, and
    /// is then passed over, if others can.
    /// - Returns: whether there may be more to do.
    func attributeNext() async throws -> Bool {
        if try await correctNext() { return true }
        let tasks = try await nextTasks()
        let (skipped, stuck) = (unbuildable, late.snapshots.failing(LateWork.patience))
        var ready: [AttributionTask] = []
        var isPassedOver = false
        for task in tasks {
            let lacking = task.sources.first { $0.index == nil && !skipped.contains($0.published.snapshot) }?.published.snapshot
            guard let lacking else {
                ready.append(task)
                continue
            }
            // An index that is being built is waited for: what an answer is paid for must not hang on who was faster.
            guard stuck.contains(lacking) else { break }
            late.block(answer: task.trigger.position, by: lacking)
            isPassedOver = true
        }
        guard !ready.isEmpty else { return isPassedOver }
        let attempts = await AnswerComputing(gathering: gathering, evidence: evidence).compute(ready)
        let (done, stopped) = passing(ready, attempts)
        var failure = stopped
        for (one, result) in zip(done, await maker.decide(all: done.map(Self.request))) {
            if case .failure(let error) = result {
                failure = failure ?? error
                continue
            }
            late.settle(answer: one.task.trigger.position)
            figures.attributed.add(1)
        }
        if let failure { throw failure }
        return true
    }

    /// The answers that can go on: those before the first that failed, and what is behind one that failed again and again while others did
    /// not.
    private func passing(
        _ tasks: [AttributionTask], _ attempts: [AnswerComputing.Attempt]
    ) -> (done: [(task: AttributionTask, computed: AnswerComputing.Computed)], failure: (any Error)?) {
        let areOthersFine = attempts.contains { if case .success = $0.outcome { true } else { false } }
        var done: [(task: AttributionTask, computed: AnswerComputing.Computed)] = []
        for (task, attempt) in zip(tasks, attempts) {
            switch attempt.outcome {
            case .success(let computed): done.append((task, computed))
            case .failure(let error):
                let position = task.trigger.position
                guard late.failed(answer: position, areOthersFine: areOthersFine, "\(error)") else { return (done, error) }
                logger.warning(
                    "an answer is passed over", ["inference": .string(task.inference.inference), "error": .describing(error)])
            }
        }
        return (done, nil)
    }

    /// The first answers that wait and are not put off. What is not kept of them is read from the log.
    private func nextTasks() async throws -> [AttributionTask] {
        let (putOff, all) = (late.answers.waiting(at: .now), late.answers.keys)
        let (waiting, gone, places, tasks) = try await maker.query { state in
            let places = state.waiting.first(AnswerComputing.width, without: putOff)
            let entries = places.compactMap(\.entry)
            let gone = all.filter { !state.waiting.contains(position: $0) }
            return (state.waiting.count, gone, places, entries.count == places.count ? entries.map(state.task) : [])
        }
        figures.waiting.set(Double(waiting))
        // Another instance may have attributed what was put off here.
        for position in gone { late.answers.done(position) }
        guard tasks.count < places.count else { return tasks }
        var entries: [WaitingInferences.Entry] = []
        for place in places {
            if let entry = place.entry {
                entries.append(entry)
                continue
            }
            guard let logged = try await log.read(from: place.position, limit: 1, wait: nil).events.first else { break }
            let fact = try Fact(logged)
            entries.append(
                WaitingInferences.Entry(
                    completed: try InferenceCompleted(fact.data.object()), trigger: Trigger(fact, position: place.position)))
        }
        let read = entries
        return try await maker.query { state in read.map(state.task) }
    }

    private static func request(
        _ done: (task: AttributionTask, computed: AnswerComputing.Computed)
    ) -> DecisionMaker<AttributionState>.Request {
        let (trigger, computed) = (done.task.trigger, done.computed)
        return DecisionMaker<AttributionState>.Request(
            trigger.cause, causePosition: trigger.position, time: trigger.time, actor: Service.attribution.rawValue,
            correlation: trigger.correlation
        ) { state, _ in
            state.byInference[computed.event.inference] == nil ? [NewEvent(computed.event, stream: computed.stream)] : []
        }
    }
}
