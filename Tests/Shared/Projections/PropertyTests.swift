import EventLog
import Events
import LedgerService
import Postgres
import Projections
import Synchronization
import TestSupport
import Testing
import Threads

/// Decides by chance, from the connection's thread.
final class Dice: Sendable {
    private let random: Lock<SeededGenerator>
    init(seed: UInt64) { random = Lock(SeededGenerator(seed: seed)) }
    func chance(_ probability: Double) -> Bool { random.withLock { $0.chance(probability) } }
    func below(_ bound: Int) -> Int { random.withLock { Int.random(in: 0..<bound, using: &$0) } }
}

@Suite struct PropertyTests {
    @Test(arguments: 0..<6) func `whatever is repeated, reordered, lost or killed, the rows are the fold of the log`(round: Int)
        async throws
    {
        let seed = Seed.value &+ UInt64(round)
        try await withProjectionDatabase { database in
            try await database.withLedger { ledger in
                let client = ledger.client(for: .billing)
                let dice = Dice(seed: seed)
                let trouble = Switch(true)
                // Each kind of trouble that a transaction can meet, before and after the work.
                @Sendable func strike(_ events: [ProjectedEvent], _ session: PostgresSession) throws {
                    guard trouble.isOn, dice.chance(0.08) else { return }
                    switch dice.below(3) {
                    case 0: _ = try session.execute("select pg_terminate_backend(pg_backend_pid())")
                    case 1: throw PostgresError(.serializationFailure, "made up")
                    default: throw ProjectionError.cannotApply("made up")
                    }
                }
                let balances = Balances(before: strike, after: strike)
                var options = ProjectionOptions.quick
                options.batch = 1 + dice.below(80)
                let deposits = Deposits("property-\(round)", client)
                let runners = try (0..<2).map { index in
                    try ProjectionRunner(
                        balances, carrier: UnreliableCarrier(client, seed: seed &+ UInt64(index) &* 977), client: client,
                        database: try database.role("billing"), options: options)
                }
                // Whoever stopped for what was made up is told to go on, as an operator would after a fix.
                let operate = Task {
                    while !Task.isCancelled {
                        for runner in runners { runner.resume() }
                        try await Task.sleep(for: .milliseconds(3))
                    }
                }
                var tasks = runners.map { runner in Task { await runner.run() } }
                var end: UInt64 = 0
                for _ in 0..<40 {
                    end = try await deposits.append(random: 1 + dice.below(12))
                    if dice.chance(0.2) {
                        // A process that is stopped and started again.
                        let index = dice.below(2)
                        tasks[index].cancel()
                        await tasks[index].value
                        tasks[index] = Task { await runners[index].run() }
                    }
                    if dice.chance(0.1) {
                        _ = try await ProjectionRebuild(Balances(), client: client, database: database.owner, batch: 1 + dice.below(50))
                            .run()
                    }
                }
                trouble.isOn = false
                try await eventually("seed \(seed): all is applied", timeout: .seconds(60)) {
                    runners.contains { $0.status.next == end } && runners.allSatisfy { $0.status.notReady == nil }
                }
                operate.cancel()
                for task in tasks {
                    task.cancel()
                    await task.value
                }
                #expect(try await database.rows() == Balances.rows(of: try await wholeLog(client)), "seed \(seed)")
            }
        }
    }
}
