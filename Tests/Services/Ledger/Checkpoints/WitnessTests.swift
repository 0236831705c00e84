import Crypto
import EventLog
import Events
import TestSupport
import Testing

@testable import LedgerService

@Suite struct WitnessTests {
    /// A ledger's settings with the witness in them.
    private func settings(_ database: LedgerDatabase, _ witness: FakeWitness) throws -> LedgerSettings {
        var settings = try database.settings()
        settings.witnesses = [(key: witness.key, url: "http://witness.example/w")]
        return settings
    }

    private func withWitness(_ body: (LedgerDatabase, FakeWitness) async throws -> Void) async throws {
        try await withLedgerDatabase { database in
            let keys = [try #require(VerifierKey(name: "test.example/log", publicKey: database.key.publicKey.rawBytes))]
            try await body(database, try FakeWitness { keys })
        }
    }

    private func cosigned(_ ledger: Ledger, _ size: UInt64, by witness: FakeWitness) async throws -> SignedCheckpoint {
        try await eventually("size \(size) is cosigned") { ledger.checkpointer.cosigned?.checkpoint.size == size }
        let cosigned = try #require(ledger.checkpointer.cosigned)
        try cosigned.note.verify(by: witness.key)
        for key in ledger.verifierKeys { try cosigned.note.verify(by: key) }
        return cosigned
    }

    @Test func `each checkpoint is cosigned, and a restart goes on from what the witness knows`() async throws {
        try await withWitness { database, witness in
            let settings = try settings(database, witness)
            try await database.withLedger(settings, transport: witness) { ledger in
                for index in 1...3 as ClosedRange<UInt64> {
                    _ = try await ledger.append(try Sample.append("c\(index)"), writer: .billing)
                    let cosigned = try await cosigned(ledger, index, by: witness)
                    #expect(ledger.checkpointer.latest?.note == cosigned.note)
                }
            }
            #expect(!witness.answers.contains { $0 != 200 && $0 != 409 })
            let before = witness.answers.count
            try await database.withLedger(settings, transport: witness) { ledger in
                #expect(try await cosigned(ledger, 3, by: witness).checkpoint.size == 3, "kept over the restart")
                _ = try await ledger.append(try Sample.append("c4"), writer: .billing)
                _ = try await cosigned(ledger, 4, by: witness)
            }
            // The new process did not know what the witness knew: it was told by 409, and was right with the second try.
            #expect(Array(witness.answers[before...]) == [409, 200])
            #expect(witness.cosigned.suffix(2) == [3, 4])
        }
    }

    @Test func `a witness that was away is offered the newest checkpoint, by this process or the next`() async throws {
        try await withWitness { database, witness in
            let settings = try settings(database, witness)
            witness.refuse(with: 503)
            try await database.withLedger(settings, transport: witness) { ledger in
                _ = try await ledger.append(try Sample.append("c1"), writer: .billing)
                try await eventually { ledger.checkpointer.latest?.checkpoint.size == 1 && !witness.answers.isEmpty }
                #expect(ledger.checkpointer.cosigned == nil)
                witness.refuse(with: nil)
                _ = try await cosigned(ledger, 1, by: witness)
                witness.refuse(with: 503)
                let asked = witness.answers.count
                _ = try await ledger.append(try Sample.append("c2"), writer: .billing)
                try await eventually { ledger.checkpointer.latest?.checkpoint.size == 2 && witness.answers.count > asked }
            }
            witness.refuse(with: nil)
            try await database.withLedger(settings, transport: witness) { ledger in
                _ = try await cosigned(ledger, 2, by: witness)
            }
        }
    }

    @Test func `a witness that knows another log's tree cosigns nothing, and the log goes on`() async throws {
        try await withWitness { database, witness in
            witness.know(Checkpoint(origin: "test.example/log", size: 2, root: Merkle.leaf([1])))
            try await database.withLedger(try settings(database, witness), transport: witness) { ledger in
                for index in 1...4 as ClosedRange<UInt64> {
                    _ = try await ledger.append(try Sample.append("c\(index)"), writer: .billing)
                    try await eventually { ledger.checkpointer.latest?.checkpoint.size == index }
                }
                try await eventually { witness.answers.contains(422) }
                #expect(ledger.checkpointer.cosigned == nil && witness.cosigned.isEmpty)
            }
        }
    }
}
