internal import EventLog
internal import Events
internal import Telemetry

/// How the state keeps up with the log.
extension DecisionMaker {
    /// Follows the log until the task is cancelled. A service runs this for as long as it serves.
    public func run() async {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled, failure == nil {
            do {
                let started = generation
                let batch = try await log.read(from: fold.next, limit: 1_000, wait: .seconds(20))
                if started == generation { try take(batch) }
                pause = .milliseconds(50)
                // A log that is about to stop answers at once with nothing: ask it gently.
                if batch.events.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            } catch is CancellationError {
                return
            } catch let error as DecisionError {
                fail(error)
            } catch {
                if Task.isCancelled { return }
                logger.warning("the log can't be read, tries again: \(error)")
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
    }

    /// Waits until everything before `position` has been applied.
    /// - Throws: ``DecisionError/stopped(position:reason:)`` when it never will be, or `CancellationError`.
    public func waitUntil(_ position: UInt64) async throws {
        guard fold.next < position else { return }
        for await _ in changes() {
            if let failure { throw failure }
            if fold.next >= position { return }
        }
        throw CancellationError()
    }

    /// Yields whenever the state may have changed; several changes may be one.
    public func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        lastWatcher += 1
        let number = lastWatcher
        watchers[number] = continuation
        continuation.onTermination = { [weak self] _ in Task { await self?.forget(number) } }
        continuation.yield()
        return stream
    }

    /// The next position that it wants.
    public var next: UInt64 { fold.next }

    /// Why it can't be used; nil when it can.
    public var notReady: String? {
        if let failure { return failure.description }
        return hasCaughtUp ? nil : "position \(fold.next) of \(size) has been read"
    }

    func forget(_ number: Int) { watchers[number] = nil }

    func ring() { for watcher in watchers.values { watcher.yield() } }

    func take(_ batch: LogBatch) throws {
        guard batch.events.isEmpty || batch.events[0].position == fold.next else { return }
        size = batch.size
        let isSame = try fold.take(batch.events)
        // Another instance decided the same command otherwise: what stands on the log counts.
        if !isSame { reset() }
        if isSame, fold.next >= batch.size { hasCaughtUp = true }
        ring()
    }

    /// Reads up to what the log holds at this moment.
    func freshen() async {
        var goal: UInt64?
        while failure == nil {
            do {
                let started = generation
                let batch = try await log.read(from: fold.next, limit: 1_000, wait: nil)
                if goal == nil { goal = batch.size }
                if started == generation { try take(batch) }
                if fold.next >= goal ?? 0 { return }
            } catch let error as DecisionError {
                return fail(error)
            } catch {
                // Who waits is told by the append, or decides on what is known.
                logger.warning("the log can't be read: \(error)")
                return
            }
        }
    }

    /// Throws away a state that holds what the log does not, and folds the log again.
    func startAfresh() async {
        logger.info("folds the log anew", ["next": .integer(Int64(fold.next))])
        reset()
        await freshen()
    }

    func reset() {
        fold = Fold(service: service, state: makeState())
        hasCaughtUp = false
        generation += 1
    }

    func fail(_ error: DecisionError) {
        failure = error
        logger.error("\(error)")
        ring()
    }
}
