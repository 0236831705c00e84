/// A condition about an outside process did not come true in time.
public struct NotInTime: Error, CustomStringConvertible {
    /// What was waited for, how long, and what went wrong last.
    public let description: String
}

/// Asks again and again until the answer is true; for outside processes only, whose state cannot be awaited. It returns
/// the moment the answer is true, and throws when `timeout` has passed, with the condition's last error if it threw.
public func eventually(
    _ what: String = "the condition", timeout: Duration = .seconds(30), every pause: Duration = .milliseconds(10),
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    var last = ""
    while true {
        do {
            if try await condition() { return }
            last = ""
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            last = "; last: \(error)"
        }
        guard ContinuousClock.now < deadline else { throw NotInTime(description: "\(what) did not come true within \(timeout)\(last)") }
        try await Task.sleep(for: pause)
    }
}
