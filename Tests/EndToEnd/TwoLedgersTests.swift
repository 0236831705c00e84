import EventLog
import Events
import Glibc
import JSON
import Postgres
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("Two ledgers over one database")
    struct TwoLedgersTests {
        @Test("Started at once, one leads; the other refuses appends, serves every read, and takes over when the first is killed")
        func takesOver() async throws {
            try await House.with { house in
                async let one = house.startLedger("one")
                async let two = house.startLedger("two")
                let both = try await [one, two]
                let leading = await [both[0].isLeading(), both[1].isLeading()]
                #expect(leading.filter(\.self).count == 1, "exactly one leads")
                let (leader, standby) = leading[0] ? (both[0], both[1]) : (both[1], both[0])

                let load = Load("pair", at: leader, standby)
                try await load.advance(by: 100)
                let error = await #expect(throws: LogError.self) { try await standby.client().append(try Sample.append("other-refused")) }
                guard case .notLeader? = error else {
                    Issue.record("refused by \(String(describing: error)) instead")
                    return
                }
                let raw = try await standby.ask("POST", "/log/v1/append", body: LogWire.encode(try Sample.append("other-refused")))
                #expect(raw.status == 503 && raw.problem == "not-leader")
                // What the leader acknowledged the standby soon reads.
                let told = try await leader.client().append(try Sample.append("other-read"))
                let seen = try await standby.client().read(from: told.position, limit: 1, wait: .seconds(10))
                #expect(seen.events.first?.position == told.position)
                #expect(try await standby.client().read(stream: #require(StreamName("account/a")), from: 0, limit: 10).isEmpty == false)
                #expect(try await standby.ask("GET", "/readyz", token: "").status == 200)

                let start = ContinuousClock.now
                await leader.child.kill()
                try await eventually("the standby to lead", timeout: .seconds(15)) { await standby.isLeading() }
                #expect(ContinuousClock.now - start < .seconds(10))
                try await load.advance(by: 100)
                // The killed one comes back as the standby.
                let back = try await leader.startedAgain()
                #expect(await back.isLeading() == false)
                try await load.advance(by: 50)
                try await load.finish()
                let check = try await LogCheck(standby)
                check.expect(load)
                #expect(check.positions["other-refused"] == nil)
                try await check.expectTree(standby)
                try await back.follow(standby)
                try await check.expectTree(back)
                #expect(try await LogCheck.expectTerms(house).map(\.holder) == [leader.name, standby.name])
                await back.child.stop()
                await standby.child.stop()
            }
        }

        @Test("A service that knows both writes on when the one that leads is killed, and when that one comes back and leads again")
        func servicesFollowTheLead() async throws {
            try await House.with { house in
                let one = try await house.startLedger("one")
                try await eventually("the first to lead") { await one.isLeading() }
                let two = try await house.startLedger("two")
                let billing = try await BillingProcess.start("billing", in: house, ledger: "\(one.url),\(two.url)")
                var number = 0
                func open() async throws -> Int {
                    number += 1
                    return try await billing.ask(
                        "POST", "/v1/accounts", ["account": .string("payer:p\(number)"), "asset": "USDC/6"], key: "open-\(number)"
                    ).status
                }
                #expect(try await open() == 200)
                await one.child.kill()
                try await eventually("the other to lead", timeout: .seconds(15)) { await two.isLeading() }
                #expect(try await open() == 200)
                let back = try await one.startedAgain()
                #expect(try await open() == 200)
                await two.child.kill()
                try await eventually("the first to lead again", timeout: .seconds(15)) { await back.isLeading() }
                #expect(try await open() == 200)
                let seen = try await billing.ask("GET", "/v1/accounts/payer:p1")
                #expect(seen.status == 200)
                await billing.child.stop()
                await back.child.stop()
            }
        }

        @Test("A leader that was held still, lost its connection and wakes up never writes in its old term, and becomes the standby")
        func heldStill() async throws {
            try await House.with { house in
                let held = try await house.startLedger("held")
                let other = try await house.startLedger("other")
                let load = Load("held", at: other, held)
                try await load.advance(by: 100)
                #expect(await held.isLeading())

                // The callers' commands of this moment are in its hands too, and stay there with the ghosts.
                kill(held.pid, SIGSTOP)
                // These lie in its sockets while it can't move.
                let ghosts = try (0..<8).map { try Sample.append("ghost-\($0)") }
                let sent = ghosts.map { request in Task { try await held.client().append(request) } }
                try await house.withOwner { owner in
                    let ended = try await owner.execute(
                        """
                        select pg_terminate_backend(pid) from pg_locks
                        where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())
                        """)
                    #expect(ended.count == 1, "one connection holds the lead")
                }
                try await eventually("the other to lead", timeout: .seconds(15)) { await other.isLeading() }
                let fresh = Load("fresh", at: other)
                try await fresh.advance(by: 100)
                kill(held.pid, SIGCONT)
                for task in sent {
                    let error = await #expect(throws: LogError.self) { try await task.value }
                    switch error {
                    case .notLeader?, .unavailable?: break
                    default: Issue.record("a leader of the past answered \(String(describing: error))")
                    }
                }
                try await eventually("the held one to step down", timeout: .seconds(15)) {
                    let answer = try await held.ask("POST", "/log/v1/append", body: LogWire.encode(try Sample.append("ghost-late")))
                    return answer.status == 503 && answer.problem == "not-leader"
                }
                #expect(await held.isLeading() == false)
                #expect(await other.isLeading())
                try await load.advance(by: 50)
                try await load.finish()
                try await fresh.finish()
                #expect(load.repeated > 0 && fresh.repeated == 0, "\(load.failures) \(fresh.failures)")
                let check = try await LogCheck(other)
                check.expect(load, fresh)
                for command in check.positions.keys { #expect(!command.hasPrefix("ghost"), "\(command) was written by nobody who leads") }
                try await check.expectTree(other)
                // And the standby follows what the leader does, by its own reading.
                try await held.follow(other)
                try await (try await LogCheck(held)).expectTree(held)
                #expect(try await LogCheck.expectTerms(house).map(\.holder) == ["held", "other"])
                await held.child.stop()
                await other.child.stop()
            }
        }

        @Test("A leader whose term was taken writes nothing more in it")
        func termTaken() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                let load = Load("term", at: ledger)
                try await load.advance(by: 50)
                for _ in 0..<3 {
                    try await house.withLedgerRole { role in
                        _ = try await role.execute("insert into ledger.terms (holder) values ('usurper')")
                    }
                    try await load.advance(by: 50)
                }
                try await load.finish()
                let check = try await LogCheck(ledger)
                check.expect(load)
                try await check.expectTree(ledger)
                let holders = try await LogCheck.expectTerms(house).map(\.holder)
                #expect(holders == ["ledger", "usurper", "ledger", "usurper", "ledger", "usurper", "ledger"])
                await ledger.child.stop()
            }
        }

        @Test("A checkpoint that a leader of the past kept at the last moment does not stop the next one from signing")
        func checkpointOfThePast() async throws {
            try await House.with { house in
                let ledger = try await house.startLedger()
                for round in 0..<3 {
                    _ = try await ledger.client().append(try Sample.append("other-\(round)"))
                    try await (try await LogCheck(ledger)).expectTree(ledger)
                    try await house.withLedgerRole { role in
                        _ = try await role.execute(
                            "insert into ledger.checkpoints (number, size, note) select number + 1, size, note from ledger.checkpoints order by number desc limit 1"
                        )
                    }
                }
                _ = try await ledger.client().append(try Sample.append("other-last"))
                try await (try await LogCheck(ledger)).expectTree(ledger)
                await ledger.child.stop()
            }
        }

        @Test("A standby waits for the lead as long as it takes")
        func waits() async throws {
            try await House.with { house in
                let leader = try await house.startLedger("leader")
                let standby = try await house.startLedger("standby")
                // Longer than a statement elsewhere may wait for a lock.
                try await eventually(
                    "the standby to have waited for eleven seconds in one go", timeout: .seconds(25), every: .milliseconds(200)
                ) {
                    try await house.withOwner { owner in
                        try await owner.execute(
                            """
                            select count(*) from pg_stat_activity
                            where application_name = 'openledger-writer' and wait_event = 'advisory' and now() - query_start > '11 seconds'
                            """
                        ).one().int(0) == 1
                    }
                }
                #expect(!standby.child.output.contains("does not lead"), "\(standby.child.output)")
                let error = await #expect(throws: LogError.self) { try await standby.client().append(try Sample.append("other-refused")) }
                if case .notLeader? = error {} else { Issue.record("refused by \(String(describing: error)) instead") }
                await leader.child.stop()
                try await eventually("the standby to lead") { await standby.isLeading() }
                await standby.child.stop()
            }
        }
    }
}
