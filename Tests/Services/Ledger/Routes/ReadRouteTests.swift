import Crypto
import EventLog
import Events
import HTTP
import HTTPClient
import HTTPServer
import JSON
import LedgerService
import TestSupport
import Testing
import Threads

@Suite struct ReadRouteTests {
    @Test(arguments: Door.allCases)
    func `a range, one event and a stream are what was appended, byte for byte`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let billing = try api.client(.billing)
            var appended: [[UInt8]] = []
            for index in 0..<20 {
                let events = try Sample.command(
                    "c\(index)", streams: ["account/a", "account/did:key:z/\(index % 3)?&%"], data: ["text": "\"ü\\\n😀"])
                _ = try await billing.append(AppendRequest(events: events))
                appended += events
            }
            let all = try await billing.read(from: 0, limit: 4_096, wait: nil)
            #expect(all.size == 40)
            #expect(all.events.map(\.bytes) == appended)
            #expect(all.events.map(\.position) == Array(0..<40))
            let some = try await billing.read(from: 7, limit: 5, wait: nil)
            #expect(some.events == Array(all.events[7..<12]))
            #expect(try await billing.read(from: 40, limit: 5, wait: nil).events.isEmpty)
            #expect(try await billing.read(from: 4_000_000, limit: 5, wait: nil).events.isEmpty)

            let one = try await api.get("/log/v1/events/13", token: try api.token(.ingest))
            #expect(one.status == 200)
            #expect(try LogWire.decodeEvent(one.bytes) == all.events[13])
            let none = try await api.get("/log/v1/events/40", token: api.person)
            #expect(none.status == 404 && none.problem == "log-not-found")

            let a = try #require(StreamName("account/a"))
            #expect(try await billing.read(stream: a, from: 0, limit: 100) == all.events.filter { $0.position % 2 == 0 })
            #expect(try await billing.read(stream: a, from: 18, limit: 1).map(\.position) == [36])
            #expect(try await billing.read(stream: a, from: 20, limit: 10).isEmpty)
            let odd = try #require(StreamName("account/did:key:z/1?&%"))
            #expect(try await billing.read(stream: odd, from: 0, limit: 100).map(\.version) == Array(0..<7))
            #expect(try await billing.read(stream: try #require(StreamName("account/nobody")), from: 0, limit: 10).isEmpty)
        }
    }

    @Test(arguments: Door.allCases)
    func `a query or path that cannot be is refused`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            for path in [
                "/log/v1/events?from=-1", "/log/v1/events?from=x", "/log/v1/events?limit=0", "/log/v1/events?limit=4097",
                "/log/v1/events?wait=31",
                "/log/v1/events?from=1&from=2", "/log/v1/events?more=1", "/log/v1/events?from=18446744073709551616", "/log/v1/events/x",
                "/log/v1/events/-1", "/log/v1/events/99999999999999999999", "/log/v1/streams/A/b", "/log/v1/streams/account/%C3%BC",
                "/log/v1/streams/account/a?from=-1", "/log/v1/subscribe?from=a",
            ] {
                let answer = try await api.get(path, token: api.person)
                #expect(answer.status == 400, "\(path): \(answer.status)")
            }
            for id in ["-1", "x", "1.0", "18446744073709551615", "9223372036854775807", "18446744073709551616"] {
                let answer = try await api.get("/log/v1/subscribe", token: api.person, headers: ["Last-Event-ID": id])
                #expect(answer.status == 400, "\(id): \(answer.status)")
            }
        }
    }

    @Test(arguments: Door.allCases)
    func `a long poll ends with the next append, and empty when its time is up`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let billing = try api.client(.billing)
            let empty = try await billing.read(from: 0, limit: 10, wait: .seconds(1))
            #expect(empty.events.isEmpty && empty.size == 0)
            async let batch = billing.read(from: 2, limit: 10, wait: .seconds(30))
            for index in 0..<3 { _ = try await billing.append(try Sample.append("c\(index)")) }
            let woken = try await batch
            #expect(woken.events.first?.position == 2)
            #expect(woken.size == 3)
        }
    }

    @Test(arguments: Door.allCases)
    func `a subscription begins where it is told, and goes on with what is appended`(door: Door) async throws {
        try await withLedgerAPI(door) { api in
            let billing = try api.client(.billing)
            for index in 0..<5 { _ = try await billing.append(try Sample.append("c\(index)")) }
            let headers: Headers = ["Authorization": "Bearer " + api.person]
            for (query, last, first) in [("", nil, 0), ("?from=3", nil, 3), ("?from=0", "1", 2), ("", "4", 5), ("?from=6", nil, 6)]
                as [(String, String?, UInt64)]
            {
                let response = try await api.transport.send(
                    .serverSentEvents(url: api.base + "/log/v1/subscribe" + query, headers: headers, lastEventID: last))
                #expect(response.headers["Content-Type"]?.hasPrefix("text/event-stream") == true)
                var events = try ServerSentEvents(response).makeAsyncIterator()
                let end = api.ledger.tail.size
                for index in end..<end + 2 { _ = try await billing.append(try Sample.append("more\(index)")) }
                for position in first..<max(first + 1, end + 2) {
                    let event = try #require(try await events.next())
                    #expect(event.id == String(position))
                    #expect(
                        try LogWire.decodeEvent(Array(event.data.utf8))
                            == (try await api.ledger.client(for: .ledger).read(from: position, limit: 1, wait: nil).events[0]))
                }
            }
        }
    }

    @Test(arguments: Door.allCases)
    func `a subscriber that does not read holds back nobody, and misses nothing when it does`(door: Door) async throws {
        // The appends may take their time, and a server cuts off who does not read for longer than this.
        var options = Options()
        options.rateWindow = .seconds(600)
        try await withLedgerAPI(door, server: options) { api in
            let billing = try api.client(.billing)
            let response = try await api.transport.send(
                .serverSentEvents(url: api.base + "/log/v1/subscribe", headers: ["Authorization": "Bearer " + api.person]))
            // 32 MB, more than sockets and buffers take in on the way.
            let large = JSONValue.string(String(repeating: "x", count: 60_000))
            for index in 0..<8 {
                let events = try Sample.command("c\(index)", streams: Array(repeating: "account/a", count: 64), data: large)
                _ = try await billing.append(AppendRequest(events: events))
            }
            #expect(api.ledger.tail.size == 512)
            var next: UInt64 = 0
            for try await event in try ServerSentEvents(response) {
                #expect(event.id == String(next))
                next += 1
                if next == 512 { break }
            }
            #expect(next == 512)
        }
    }

    @Test func `what memory has and what only the database has join without a seam`() async throws {
        try await withLedgerDatabase { database in
            let large = JSONValue.string(String(repeating: "x", count: 60_000))
            try await database.withLedger { ledger in
                // Half again as much as memory keeps.
                for index in 0..<13 {
                    let events = try Sample.command("c\(index)", streams: Array(repeating: "account/a", count: 64), data: large)
                    _ = try await ledger.append(AppendRequest(events: events), writer: .billing)
                }
                let client = ledger.client(for: .billing)
                var read: [LoggedEvent] = []
                while read.count < 832 {
                    let batch = try await client.read(from: UInt64(read.count), limit: 100, wait: nil)
                    #expect(batch.size == 832 && !batch.events.isEmpty)
                    read += batch.events
                }
                #expect(read.map(\.position) == Array(0..<832))
                #expect(read.map(\.version) == Array(0..<832))
                let stored = try await database.database.sql("select encode(leaf, 'hex') from ledger.events order by position")
                #expect(stored.split(separator: "\n").map(String.init) == read.map { Merkle.leaf($0.bytes).hex })
                // A batch has a bound in bytes too, and so has a stream's.
                #expect(try await client.read(from: 0, limit: 4_096, wait: nil).events.count < 300)
                let stream = try await client.read(stream: try #require(StreamName("account/a")), from: 0, limit: 4_096)
                #expect(stream.count < 300)
                #expect(stream == Array(read.prefix(stream.count)))
            }
        }
    }

    @Test(arguments: Door.allCases)
    func `while the database is away the end is read from memory, the rest is 503, and then all goes on`(door: Door) async throws {
        try await withLedgerDatabase { database in
            try await withLedgerAPI(door, database: database) { api in
                let billing = try api.client(.billing)
                for index in 0..<10 { _ = try await billing.append(try Sample.append("c\(index)")) }
                try await database.admit(false)
                for position in 0..<10 {
                    #expect(try await billing.read(from: UInt64(position), limit: 100, wait: nil).events.count == 10 - position)
                }
                async let reading = api.get("/log/v1/streams/account/a", token: api.person)
                async let tiling = api.get("/log/tile/0/000.p/1")
                let (answer, tile) = try await (reading, tiling)
                #expect(answer.status == 503 && answer.problem == "log-unavailable" && answer.headers["Retry-After"] == "1")
                #expect(tile.status == 503)
                try await eventually("the loss is noticed") { !api.ledger.isLeading }
                #expect(try await api.get("/readyz").status == 503)
                let append = await #expect(throws: LogError.self) { try await billing.append(try Sample.append("c10")) }
                guard case .unavailable? = append else { throw append ?? .busy }
                try await database.admit(true)
                try await eventually { try await api.get("/log/v1/streams/account/a", token: api.person).status == 200 }
                try await eventually { api.ledger.isLeading }
                #expect(try await billing.append(try Sample.append("c10")).position == 10)
            }
        }
    }
}
