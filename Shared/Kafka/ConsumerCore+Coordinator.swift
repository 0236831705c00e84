internal import Threads

extension ConsumerCore {
    /// How long a commit may wait for a group's coordinator to be found.
    static var longestSearch: Duration { .seconds(10) }

    /// Runs a call to the group's coordinator, again when that is only just starting or moving to another broker:
    /// librdkafka looks for it then, but hands the error on. Committing and asking twice is the same as once.
    func withCoordinator<Result>(
        until deadline: ContinuousClock.Instant, _ body: () throws(KafkaError) -> Result
    ) throws(KafkaError) -> Result {
        var pause = Duration.milliseconds(20)
        while true {
            do { return try body() } catch {
                guard KafkaError.Code.coordinatorMoves.contains(error.code), .now + pause < deadline else { throw error }
            }
            // A signal that nobody raises.
            _ = ThreadSignal().wait(atMost: pause)
            pause = min(pause * 2, .milliseconds(500))
        }
    }
}
