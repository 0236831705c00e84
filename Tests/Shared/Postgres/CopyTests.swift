import Postgres
import TestSupport
import Testing

@Suite struct CopyTests {
    private static let into = "copy t from stdin (format binary)"

    private func withTable(_ body: (PostgresConnection) async throws -> Void) async throws {
        try await withTestConnection { connection in
            try await connection.executeScript(
                "create table t (id int8 primary key, data bytea, text text, uid uuid, at timestamptz, ok bool, small int2, mid int4, f float8, j jsonb, n numeric)"
            )
            try await body(connection)
        }
    }

    private func fill(_ copy: inout BinaryCopy, _ id: Int64) {
        copy.append(int8: id)
        copy.append(bytes: [0, 255, UInt8(truncatingIfNeeded: id)])
        copy.append(text: "row \(id) \u{1F418} \t\n\\.")
        copy.append(uuid: Array(repeating: UInt8(truncatingIfNeeded: id), count: 16))
        copy.append(timestamp: id * 1_000_000)
        copy.append(bool: id % 2 == 0)
        copy.append(int2: -1)
        copy.append(int4: Int32(id))
        copy.append(double: 0.25)
        copy.append(jsonb: Array("[\(id)]".utf8))
        if id % 3 == 0 { copy.appendNull() } else { copy.append(numeric: Int128(id) * 10_000_000_000_000_000_000_000) }
    }

    private func check(_ connection: PostgresConnection, _ count: Int64) async throws {
        let rows = try await connection.execute("select * from t order by id")
        #expect(rows.count == Int(count))
        for (index, row) in rows.enumerated() {
            let id = Int64(index)
            #expect(try row.int("id") == id)
            #expect(try row.bytes("data") == [0, 255, UInt8(truncatingIfNeeded: id)])
            #expect(try row.text("text") == "row \(id) \u{1F418} \t\n\\.")
            #expect(try row.uuid("uid") == Array(repeating: UInt8(truncatingIfNeeded: id), count: 16))
            #expect(try row.timestamp("at") == id * 1_000_000)
            #expect(try row.bool("ok") == (id % 2 == 0))
            #expect(try row.int("small") == -1)
            #expect(try row.int("mid") == id)
            #expect(try row.double("f") == 0.25)
            #expect(try row.text("j") == "[\(id)]")
            #expect(try row.optionalInt128("n") == (id % 3 == 0 ? nil : Int128(id) * 10_000_000_000_000_000_000_000))
        }
    }

    @Test func wholeNumbersOfAllSizesComeBackAsTheyWere() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("create table whole (id int8 primary key, n numeric)")
            var values: [Int128] = [0, 1, -1, 9_999, 10_000, 10_001, -10_000, 99_990_000, 100_000_000, .max, .min, .max - 9_999, .min + 1]
            values += [Int128(Int64.max), Int128(Int64.max) + 1, Int128(UInt64.max), Int128(UInt64.max) + 1, -Int128(UInt64.max) * 10_000]
            var generator = Seed.generator()
            for bits in 0..<127 { values.append(Int128.random(in: -(1 << bits)...(1 << bits), using: &generator)) }
            var copy = BinaryCopy(columns: 2)
            for (id, value) in values.enumerated() {
                copy.startRow()
                copy.append(int8: Int64(id))
                copy.append(numeric: value)
            }
            let payload = copy
            _ = try await connection.copyIn("copy whole from stdin (format binary)", payload: payload)
            let rows = try await connection.execute("select n::text, n from whole order by id")
            #expect(try rows.map { try $0.text(0) } == values.map { String($0) })
            #expect(try rows.map { try $0.int128(1) } == values)
        }
    }

    @Test func aPayloadGoesIn() async throws {
        try await withTable { connection in
            var copy = BinaryCopy(columns: 11)
            for id in 0..<100 {
                copy.startRow()
                fill(&copy, Int64(id))
            }
            let payload = copy
            #expect(payload.rows == 100)
            let found1 = try await connection.copyIn(Self.into, payload: payload)
            #expect(found1 == 100)
            try await check(connection, 100)
        }
    }

    @Test func aBufferCanBeUsedAgain() async throws {
        try await withTable { connection in
            var copy = BinaryCopy(columns: 1)
            for batch in 0..<3 {
                copy.reset()
                for row in 0..<10 {
                    copy.startRow()
                    copy.append(int8: Int64(batch * 10 + row))
                }
                let payload = copy
                let found2 = try await connection.copyIn("copy t (id) from stdin (format binary)", payload: payload)
                #expect(found2 == 10)
            }
            let found3 = try await connection.execute("select count(*) as n from t").one().int("n")
            #expect(found3 == 30)
        }
    }

    @Test func aWriterStreamsMoreThanItsBufferHolds() async throws {
        try await withTable { connection in
            let taken = try await connection.copyIn(Self.into, columns: 11) { writer in
                for id in 0..<3000 { try writer.row { fill(&$0, Int64(id)) } }
                #expect(writer.rows == 3000)
            }
            #expect(taken == 3000)
            try await check(connection, 3000)
        }
    }

    @Test func anEmptyCopyIsNoRow() async throws {
        try await withTable { connection in
            let found4 = try await connection.copyIn(Self.into, payload: BinaryCopy(columns: 11))
            #expect(found4 == 0)
            let found5 = try await connection.copyIn(Self.into, columns: 11) { _ in }
            #expect(found5 == 0)
        }
    }

    @Test func aDuplicateKeyUndoesAll() async throws {
        try await withTable { connection in
            var copy = BinaryCopy(columns: 1)
            for id: Int64 in [1, 2, 1] {
                copy.startRow()
                copy.append(int8: id)
            }
            let payload = copy
            let error = try await postgresError { try await connection.copyIn("copy t (id) from stdin (format binary)", payload: payload) }
            #expect(error.code == .uniqueViolation)
            try await check(connection, 0)
        }
    }

    @Test func aThrowInTheWriterUndoesAll() async throws {
        struct Stop: Error {}
        try await withTable { connection in
            await #expect(throws: Stop.self) {
                try await connection.copyIn(Self.into, columns: 11) { writer in
                    for id in 0..<2000 { try writer.row { fill(&$0, Int64(id)) } }
                    throw Stop()
                }
            }
            try await check(connection, 0)
        }
    }

    @Test func aMalformedRowIsNamedBeforeItIsSent() async throws {
        try await withTable { connection in
            var short = BinaryCopy(columns: 2)
            short.startRow()
            short.append(int8: 1)
            short.append(bytes: [])
            short.startRow()
            short.append(int8: 2)
            let tooFew = short
            let few = try await postgresError {
                try await connection.copyIn("copy t (id, data) from stdin (format binary)", payload: tooFew)
            }
            #expect(few.message.hasPrefix("row 1 "))
            short.appendNull()
            short.appendNull()
            let tooMany = short
            let many = try await postgresError {
                try await connection.copyIn("copy t (id, data) from stdin (format binary)", payload: tooMany)
            }
            #expect(many.code == .badCopyFileFormat)
            let streamed = try await postgresError {
                try await connection.copyIn("copy t (id, data) from stdin (format binary)", columns: 2) { writer in
                    try writer.row { $0.append(int8: 1) }
                }
            }
            #expect(streamed.message.hasPrefix("row 0 "))
            try await check(connection, 0)
        }
    }

    @Test func theServersColumnsAndFormatAreChecked() async throws {
        try await withTable { connection in
            var copy = BinaryCopy(columns: 2)
            copy.startRow()
            copy.append(int8: 1)
            copy.appendNull()
            let payload = copy
            let columns = try await postgresError {
                try await connection.copyIn("copy t (id) from stdin (format binary)", payload: payload)
            }
            #expect(columns.message == "the table takes 1 columns, the copy has 2")
            for sql in ["copy t (id, data) from stdin", "copy t to stdout (format binary)", "select 1"] {
                let error = try await postgresError { try await connection.copyIn(sql, payload: payload) }
                #expect(error.code == .badCopyFileFormat, "\(sql)")
            }
            for sql in ["copy t to stdout", "copy t from stdin (format binary)", "select 1"] {
                let error = try await postgresError { try await connection.copyOut(sql) { _ in } }
                #expect(error.code == .badCopyFileFormat, "\(sql)")
            }
            let missing = try await postgresError { try await connection.copyOut("copy nowhere to stdout (format binary)") { _ in } }
            #expect(missing.code == .undefinedTable)
            try await check(connection, 0)
        }
    }

    @Test func whatComesOutGoesInAgain() async throws {
        try await withTable { connection in
            try await connection.copyIn(Self.into, columns: 11) { writer in
                for id in 0..<5000 { try writer.row { fill(&$0, Int64(id)) } }
            }
            let chunks = Notes<[UInt8]>()
            let found6 = try await connection.copyOut("copy (select * from t order by id) to stdout (format binary)") { chunks.add($0) }
            #expect(found6 == 5000)
            #expect(chunks.all.count > 5)
            try await connection.executeScript("truncate t")
            // The file's own header and trailer are part of the stream.
            var reader = BinaryCopyReader()
            let rows = Notes<Int64>()
            for chunk in chunks.all {
                try reader.read(chunk) { row in rows.add(try row.int8(0)) }
            }
            try reader.finish()
            #expect(rows.all == Array(0..<5000))
        }
    }

    @Test func aThrowInTheReaderEndsTheCopyAndTheConnectionGoesOn() async throws {
        struct Stop: Error {}
        try await withTestConnection { connection in
            await #expect(throws: Stop.self) {
                try await connection.copyOut("copy (select generate_series(1, 100000000)) to stdout (format binary)") { _ in throw Stop() }
            }
            let one = try await connection.execute("select 1::int8 as n").one().int("n")
            #expect(one == 1)
        }
    }
}
