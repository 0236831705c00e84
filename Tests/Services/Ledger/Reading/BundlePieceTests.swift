import EventLog
import Events
import JSON
import TestSupport
import Testing

@testable import LedgerService

@Suite struct BundlePieceTests {
    /// The bundle of so many events, piece by piece.
    private func pieces(_ ledger: Ledger, _ count: UInt64) async throws -> [[UInt8]] {
        var (position, pieces) = (UInt64(0), [[UInt8]]())
        while position < count { pieces.append(try await ledger.reader.bundlePiece(from: &position, to: count)) }
        return pieces
    }

    @Test func `however large its events, a bundle never is in memory as a whole`() async throws {
        try await withLedgerDatabase { database in
            let text = JSONValue.string(String(repeating: "x", count: 60_000))
            let events = try Sample.command("large", streams: (0..<40).map { "account/\($0)" }, data: ["text": text])
            let fromMemory = try await database.withLedger { ledger in
                _ = try await ledger.append(AppendRequest(events: events), writer: .billing)
                return try await pieces(ledger, 40)
            }
            let fromDatabase = try await database.withLedger { ledger in
                try await eventually { ledger.tail.size == 40 }
                return try await pieces(ledger, 40)
            }
            for pieces in [fromMemory, fromDatabase] {
                #expect(Array(pieces.joined()) == EntryBundle.encode(events))
                #expect(pieces.count > 1 && pieces.allSatisfy { $0.count <= LogReader.pieceBytes })
            }
        }
    }
}
