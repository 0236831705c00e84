import Events
import HTTPClient
import LedgerService
import Telemetry
import TestSupport
import Testing

@Suite struct InstrumentsTests {
    @Test func `the pool, the oldest append and the log's size are there to be asked for`() async throws {
        try await withLedgerDatabase { database in
            let metrics = Metrics()
            let ledger = try await Ledger.make(
                try database.settings(), transport: try CurlTransport(), logger: .silent, metrics: metrics, clock: .frozen)
            let running = Task { await ledger.run() }
            try await eventually { ledger.isLeading }
            _ = try await ledger.append(try Sample.append("c1"), writer: .billing)
            let text = metrics.render()
            for line in [
                "openledger_log_size 1\n", "openledger_log_oldest_append_seconds 0\n", "openledger_pool_connections{pool=\"ledger\"} ",
            ] {
                #expect(text.contains(line), "\(line)")
            }
            running.cancel()
            await running.value
        }
    }
}
