import Foundation
import Testing

/// For each test, in minutes. The shortest limit of a test and its suites holds, so a long run by OPENLEDGER_TEST_LOAD needs a longer one here.
private let limit = ProcessInfo.processInfo.environment["OPENLEDGER_TEST_LOAD"] == nil ? 5 : 60

/// Everything that the running program must survive, with real processes. One after the other: each test brings the load
/// and the faults that it is about, and shares the machine with no other.
@Suite("Survival", .serialized, .timeLimit(.minutes(limit)))
enum Survival {}
