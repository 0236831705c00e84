import EventLog
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("A graceful stop")
    struct GracefulStopTests {
        @Test("SIGTERM under load: exit status 0, and nothing acknowledged is lost")
        func underLoad() async throws {
            try await House.with { house in
                var ledger = try await house.startLedger()
                let load = Load("stop", at: ledger)
                for _ in 0..<3 {
                    try await load.advance(by: 100)
                    #expect(await ledger.child.stop() == .exited(0), "\(ledger.child.output.suffix(2_000))")
                    ledger = try await ledger.startedAgain()
                }
                try await load.finish()
                let check = try await LogCheck(ledger)
                check.expect(load)
                try await check.expectTree(ledger)
                #expect(await ledger.child.stop() == .exited(0))
            }
        }

        @Test("Requests in hand at SIGTERM get their answers, and no new ones are taken")
        func requestsInHand() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let client = ledger.client()
                let size = try await client.append(try Sample.append("first")).end
                let requests = try (0..<12).map { try Sample.append("in-hand-\($0)") }
                let (appends, reading) = try await house.holdingCommits {
                    let appends = requests.map { request in Task { try await client.append(request) } }
                    let reading = Task { try await client.read(from: size, limit: 100, wait: .seconds(30)) }
                    try await eventually("the writer to wait for the lock") { try await house.waitingWriters() == 1 }
                    // Those that are not in the batch on its way wait behind it; a reader waits for what comes next. One is this question.
                    try await eventually("all requests to be in hand") {
                        try await ledger.metric("openledger_http_open_handlers") ?? 0 >= 14
                    }
                    ledger.child.process.send(signal: 15)
                    try await eventually("the door to be closed") { await HTTPProbe.status(of: ledger.url + "/healthz") == nil }
                    #expect(ledger.child.process.status == nil, "it waits for the requests in hand")
                    return (appends, reading)
                }
                var answers: [Appended] = []
                for append in appends { answers.append(try await append.value) }
                let polled = try await reading.value
                #expect(polled.events.isEmpty && polled.size == size, "a long poll is answered at once: it would hold up the stop")
                #expect(await ledger.child.process.wait(atMost: .seconds(20)) == .exited(0))
                let restarted = try await ledger.startedAgain()
                let check = try await LogCheck(restarted)
                #expect(check.events.count == 13)
                for (index, answer) in answers.enumerated() { #expect(check.positions["in-hand-\(index)"] == [answer.position]) }
                try await check.expectTree(restarted)
                await restarted.child.stop()
            }
        }
    }
}
