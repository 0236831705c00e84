internal import Synchronization
internal import Threads

/// Calls back when a time has come, by few sleeping tasks: a cancelled sleep lives on in the runtime until its time has come, so one for
/// each answer would keep each of them for minutes.
final class Alarms: Sendable {
    /// Those of this process.
    static let shared = Alarms()

    private struct Entry {
        let time: ContinuousClock.Instant
        let ring: @Sendable () -> Void
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var last: UInt64 = 0
        /// The earliest sweep that is on its way.
        var nextSweep: ContinuousClock.Instant?
    }

    private let state = Lock(State())

    /// Calls once at that time, unless the alarm is put off before.
    func set(at time: ContinuousClock.Instant, _ ring: @escaping @Sendable () -> Void) -> Alarm {
        let number = state.withLock { state in
            state.last += 1
            state.entries[state.last] = Entry(time: time, ring: ring)
            return state.last
        }
        plan(time)
        return Alarm(alarms: self, number: number)
    }

    /// Calls once after so long.
    func set(after time: Duration, _ ring: @escaping @Sendable () -> Void) -> Alarm { set(at: .now + time, ring) }

    fileprivate func end(_ number: UInt64) { state.withLock { $0.entries[number] = nil } }

    private func plan(_ time: ContinuousClock.Instant) {
        let isEarlier = state.withLock { state in
            if let planned = state.nextSweep, planned <= time { return false }
            state.nextSweep = time
            return true
        }
        guard isEarlier else { return }
        Task.detached { [self] in
            try? await Task.sleep(until: time, clock: .continuous)
            sweep(time)
        }
    }

    private func sweep(_ time: ContinuousClock.Instant) {
        let now = ContinuousClock.now
        let (due, next) = state.withLock { state in
            if state.nextSweep == time { state.nextSweep = nil }
            let due = state.entries.filter { $0.value.time <= now }
            for number in due.keys { state.entries[number] = nil }
            return (due.values.map(\.ring), state.entries.values.map(\.time).min())
        }
        for ring in due { ring() }
        if let next { plan(next) }
    }
}

/// An alarm that was set.
struct Alarm: Sendable {
    fileprivate let alarms: Alarms
    fileprivate let number: UInt64

    /// It is wanted no more.
    func end() { alarms.end(number) }
}
