import Crypto
import EventLog
import Identity
import Postgres
import PrivatePostgres
import TestSupport
import Testing

extension Survival {
    @Suite("A second party")
    struct SecondPartyTests {
        @Test("A mirror copies the log and cosigns its checkpoints; the ledger goes on without it, and is cosigned again when it is back")
        func cosigned() async throws {
            try await House.with { house in
                let key = try KeyFile.loadOrCreate(house.folder.path("mirror.pem"))
                let cosigner = try #require(VerifierKey(name: "mirror.example", type: .cosignature, publicKey: key.publicKey.rawBytes))
                let port = try freePort()
                let ledger = try await house.startLedger(environment: ["OPENLEDGER_WITNESSES": "\(cosigner) http://127.0.0.1:\(port)/log"])
                let load = Load("mirror", at: ledger, callers: 2)
                try await load.advance(by: 50)

                func startMirror() async throws -> ChildProcess {
                    let mirror = try await ChildProcess([
                        "mirror", ledger.url + "/log", "--folder", house.folder.path("mirror"), "--key", house.folder.path("mirror.pem"),
                        "--name",
                        "mirror.example", "--listen", "\(port)", "--log-key", house.verifier.description, "--every", "1",
                    ])
                    try await mirror.waitUntilReady("http://127.0.0.1:\(port)/readyz")
                    return mirror
                }
                func cosignedSize() async throws -> UInt64 {
                    let answer = try await ledger.ask("GET", "/log/v1/cosigned-checkpoint", token: "")
                    guard answer.status == 200 else { return 0 }
                    let signed = try SignedCheckpoint(parsing: answer.text, keys: [house.verifier])
                    try signed.note.verify(by: cosigner)
                    return signed.checkpoint.size
                }

                let mirror = try await startMirror()
                try await load.advance(by: 50)
                let reached = try await ledger.status().size
                try await eventually("a cosigned checkpoint over \(reached)", timeout: .seconds(20)) { try await cosignedSize() >= reached }

                await mirror.kill()
                try await load.advance(by: 50)
                try await load.finish()
                #expect(load.repeated == 0, "nobody waits for a witness: \(load.failures)")
                let check = try await LogCheck(ledger)
                check.expect(load)
                try await check.expectTree(ledger)
                let again = try await startMirror()
                let size = UInt64(check.events.count)
                try await eventually("all of it to be cosigned", timeout: .seconds(40)) { try await cosignedSize() == size }
                try await eventually("all of it to be copied", timeout: .seconds(20)) {
                    let answer = try await house.ask("http://127.0.0.1:\(port)/log/checkpoint")
                    return try SignedCheckpoint(parsing: answer.text, keys: [house.verifier]).checkpoint.size == size
                }
                #expect(await again.stop() == .exited(0))

                // Both copies hold, each by the log's key.
                for place in [ledger.url + "/log", house.folder.path("mirror")] {
                    let audit = try await house.run("audit", "--log-only", place, "--key", house.verifier.description)
                    #expect(audit.status == .exited(0) && audit.output.contains("The log is sound"), "\(place): \(audit.output)")
                }
                // After a restart the ledger still has the cosignature.
                let restarted = try await ledger.killAndRestart()
                let kept = try await restarted.ask("GET", "/log/v1/cosigned-checkpoint", token: "")
                #expect(try SignedCheckpoint(parsing: kept.text, keys: [house.verifier]).checkpoint.size == size)
                await restarted.child.stop()
            }
        }

        @Test("What whoever owns the database changes in it, audit finds: a flipped bit, a swapped pair, a removed tail")
        func changedStore() async throws {
            try await House.with { house in
                var ledger = try await house.startLedger()
                let load = Load("changed", at: ledger)
                try await load.advance(by: 300)
                try await load.finish()
                let check = try await LogCheck(ledger)
                try await check.expectTree(ledger)
                let last = check.events.count - 1
                let exported = try await house.run("export", ledger.url + "/log", house.folder.path("bundle"))
                #expect(exported.status == .exited(0), "\(exported.output)")

                let flip = "update ledger.events set bytes = set_bit(bytes, 100, 1 - get_bit(bytes, 100)) where position = 123"
                let swap = """
                    create temporary table pair as select * from ledger.events where position in (40, 41);
                    delete from ledger.events where position in (40, 41);
                    insert into ledger.events select 81 - position, stream, version, command, leaf, bytes from pair
                    """
                let restore = """
                    delete from ledger.events where position in (40, 41); insert into ledger.events select * from pair
                    """
                let changes: [(what: String, sql: String, undo: String?, names: [String])] = [
                    ("a flipped bit", flip, flip, ["position 123"]), ("a swapped pair", swap, restore, ["position 40"]),
                    ("a removed tail", "delete from ledger.events where position >= \(last - 9)", nil, ["position \(last - 9)"]),
                    (
                        "a removed tail, and the checkpoints that tell of it",
                        "delete from ledger.cosignatures; delete from ledger.checkpoints where size > \(last - 9)", nil,
                        ["tail was removed", "\(last + 1)"]
                    ),
                ]
                for change in changes {
                    // A ledger that keeps what it wrote in memory would go on serving it: the next one reads what is there.
                    await ledger.child.stop()
                    let withoutTriggers = "set session_replication_role = replica;"
                    try await house.withOwner { owner in
                        _ = try await owner.executeScript(withoutTriggers + change.sql)
                        ledger = try await ledger.startedAgain(awaitReady: false)
                        try await eventually("it to serve") { try await ledger.ask("GET", "/log/checkpoint", token: "").status == 200 }
                        if change.what == "a removed tail" { try await Self.expectRefusal(ledger, size: last - 9, signed: last + 1) }
                        let audit = try await house.run(
                            "audit", "--log-only", ledger.url + "/log", "--key", house.verifier.description, "--checkpoints",
                            house.folder.path("bundle"))
                        #expect(audit.status == .exited(1), "\(change.what): \(audit.output)")
                        for name in change.names { #expect(audit.output.contains(name), "\(change.what) names \(name): \(audit.output)") }
                        guard let undo = change.undo else { return }
                        await ledger.child.stop()
                        _ = try await owner.executeScript(withoutTriggers + undo)
                        ledger = try await ledger.startedAgain()
                        let sound = try await house.run(
                            "audit", "--log-only", ledger.url + "/log", "--key", house.verifier.description)
                        #expect(sound.status == .exited(0), "\(change.what) undone: \(sound.output)")
                    }
                }
                await ledger.child.stop()
            }
        }

        /// Over a store that lost what was signed for, nothing is written, and readyz says why.
        private static func expectRefusal(_ ledger: LedgerProcess, size: Int, signed: Int) async throws {
            try await eventually("readyz to say what is lost") {
                let answer = try await ledger.ask("GET", "/readyz", token: "")
                return answer.status == 503 && answer.text.contains("has \(size) events") && answer.text.contains("over \(signed)")
            }
            let error = await #expect(throws: LogError.self) { try await ledger.client().append(try Sample.append("other-refused")) }
            if case .unavailable? = error {} else { Issue.record("refused by \(String(describing: error))") }
            #expect(try await ledger.status() == (UInt64(size), false))
        }
    }
}
