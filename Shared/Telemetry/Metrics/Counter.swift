internal import Synchronization

/// A count that only grows.
public final class Counter: Sendable {
    private let total = Atomic<UInt64>(0)

    init() {}

    /// Adds `amount`.
    public func add(_ amount: UInt64 = 1) { total.wrappingAdd(amount, ordering: .relaxed) }

    /// The count so far.
    public var value: UInt64 { total.load(ordering: .relaxed) }
}

/// A number that goes up and down.
public final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    init() {}

    /// Sets the number.
    public func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }

    /// Adds `amount`, which may be negative.
    public func add(_ amount: Double) { bits.addDouble(amount) }

    /// The number now.
    public var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

extension Atomic<UInt64> {
    /// Treats the word as the bits of a double and adds to it.
    func addDouble(_ amount: Double) {
        var old = load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + amount).bitPattern
            let (done, seen) = weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if done { return }
            old = seen
        }
    }
}
