import Testing

/// Everything that the running program must survive, with real processes. One after the other: each test brings the load
/// and the faults that it is about, and shares the machine with no other.
@Suite("Survival", .serialized, .timeLimit(.minutes(5)))
enum Survival {}
