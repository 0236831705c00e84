import Postgres
import TestSupport
import Testing

@Suite struct ValueTests {
    /// A value, the type it goes through, and the text that the server makes of it.
    static let cases: [(PostgresValue, String, String)] = [
        (.bool(true), "bool", "true"), (.bool(false), "bool", "false"),
        (.int(-32768), "int2", "-32768"), (.int(2_147_483_647), "int4", "2147483647"), (.int(.min), "int8", "-9223372036854775808"),
        (.int(.max), "int8", "9223372036854775807"), (.int(4_294_967_295), "oid", "4294967295"),
        (.double(-0.1), "float8", "-0.1"), (.double(.infinity), "float8", "Infinity"), (.double(0.5), "float4", "0.5"),
        (.text(""), "text", ""), (.text("naïve 🐘 \u{1}"), "text", "naïve 🐘 \u{1}"), (.text("x"), "varchar", "x"),
        (.bytes([]), "bytea", "\\x"), (.bytes([0, 255, 39, 92]), "bytea", "\\x00ff275c"),
        (.uuid(Array(0..<16)), "uuid", "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (.timestamp(0), "timestamptz", "1970-01-01 00:00:00+00"),
        (.timestamp(1_700_000_000_123_456), "timestamptz", "2023-11-14 22:13:20.123456+00"),
        (.timestamp(-1), "timestamp", "1969-12-31 23:59:59.999999"), (.timestamp(.max), "timestamptz", "infinity"),
        (.timestamp(.min), "timestamptz", "-infinity"),
        (.numeric("-12.50"), "numeric", "-12.50"), (.numeric("0.00000001"), "numeric", "0.00000001"), (.numeric("NaN"), "numeric", "NaN"),
        (.numeric("-Infinity"), "numeric", "-Infinity"), (.numeric("0.00"), "numeric", "0.00"), (.numeric("10000"), "numeric", "10000"),
        (.json(Array(#"{"a": 1}"#.utf8)), "json", #"{"a": 1}"#), (.json(Array(#"{"a": 1}"#.utf8)), "jsonb", #"{"a": 1}"#),
        (.int8Array([]), "int8[]", "{}"), (.int8Array([1, -2, .max]), "int8[]", "{1,-2,9223372036854775807}"),
        (.int8Array([7]), "int4[]", "{7}"), (.int8Array([-7]), "int2[]", "{-7}"),
        (.int8ArrayWithNulls([1, nil]), "int8[]", "{1,NULL}"), (.byteaArray([[], [1]]), "bytea[]", #"{"\\x","\\x01"}"#),
        (.byteaArrayWithNulls([nil, [2]]), "bytea[]", #"{NULL,"\\x02"}"#),
        (.textArray(["a,b", "", "{", "\""]), "text[]", #"{"a,b","","{","\""}"#),
        (.textArrayWithNulls([nil, "null"]), "text[]", #"{NULL,"null"}"#),
        (.uuidArrayWithNulls([nil]), "uuid[]", "{NULL}"),
        (.uuidArray([Array(repeating: 1, count: 16)]), "uuid[]", "{01010101-0101-0101-0101-010101010101}"),
        (.boolArray([true, false]), "bool[]", "{t,f}"),
    ]

    @Test func everyTypeGoesThereAndBack() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript("set timezone = 'UTC'")
            for (value, type, text) in Self.cases {
                let row = try await connection.execute(Statement("select $1::\(type) as value, ($1::\(type))::text as text"), [value]).one()
                #expect(try row.value("value") == value, "\(type) \(text)")
                #expect(try row.text("text") == text, "\(type)")
            }
        }
    }

    @Test func nullIsOfEveryType() async throws {
        try await withTestConnection { connection in
            for type in Set(Self.cases.map(\.1)) {
                let row = try await connection.execute(Statement("select $1::\(type) as value"), [.null]).one()
                #expect(try row.value("value") == .null)
                #expect(try row.isNull("value"))
            }
        }
    }

    @Test func typedAccessorsReadWhatTheServerSends() async throws {
        try await withTestConnection { connection in
            let row = try await connection.execute(
                """
                select 7::int2 as i2, 8::int4 as i4, 9::int8 as i8, true as yes, 1.5::float4 as f, 'x'::text as t, '\\x0102'::bytea as b,
                    '170141183460469231731687303715884105727'::numeric as big, 12.00::numeric as whole, null::text as nothing,
                    array['a','b'] as texts, '{1,2}'::int8[] as ints, 'name'::name as n, '"j"'::jsonb as j
                """
            ).one()
            #expect(try row.int("i2") == 7)
            #expect(try row.int("i4") == 8)
            #expect(try row.int(2) == 9)
            #expect(try row.bool("yes"))
            #expect(try row.double("f") == 1.5)
            #expect(try row.text("t") == "x")
            #expect(try row.bytes("b") == [1, 2])
            #expect(try row.int128("big") == .max)
            #expect(try row.int128("whole") == 12)
            #expect(try row.int128("i8") == 9)
            #expect(try row.optionalText("nothing") == nil)
            #expect(try row.textArray("texts") == ["a", "b"])
            #expect(try row.intArray("ints") == [1, 2])
            #expect(try row.text("n") == "name")
            #expect(try row.bytes("j") == Array(#""j""#.utf8))
            #expect(try row.withBytes("b") { span in span.count } == 2)
            #expect(try row.withBytes("j") { span in span[0] } == UInt8(ascii: "\""))
            #expect(try row.withBytes("nothing") { span in span.count } == nil)
        }
    }

    @Test func wrongReadsNameTheColumn() async throws {
        try await withTestConnection { connection in
            let rows = try await connection.execute("select 1::int8 as a, null::text as b, 1.5::numeric as c")
            let row = try rows.one()
            #expect(throws: RowError.noSuchColumn("z", available: ["a", "b", "c"])) { try row.int("z") }
            #expect(throws: RowError.noSuchColumn("3", available: ["a", "b", "c"])) { try row.int(3) }
            #expect(throws: RowError.noSuchColumn("-1", available: ["a", "b", "c"])) { try row.int(-1) }
            #expect(throws: RowError.typeMismatch(column: "a", wanted: "text", found: "bigint")) { try row.text("a") }
            #expect(throws: RowError.unexpectedNull(column: "b")) { try row.text("b") }
            #expect(throws: RowError.outOfRange(column: "c", wanted: "a whole number of 128 bits")) { try row.int128("c") }
            let none = try await connection.execute("select 1 where false")
            #expect(throws: RowError.notOneRow(count: 0)) { try none.one() }
        }
    }

    @Test(arguments: [
        (PostgresValue.int(32768), "int2", SQLState.numericValueOutOfRange), (.int(2_147_483_648), "int4", .numericValueOutOfRange),
        (.int(-1), "oid", .numericValueOutOfRange), (.int(1 << 53 + 1), "float8", .numericValueOutOfRange),
        (.text("a\0b"), "text", .characterNotInRepertoire), (.text("\\x00"), "bytea", .datatypeMismatch),
        (.uuid([1, 2, 3]), "uuid", .invalidTextRepresentation), (.numeric("1,5"), "numeric", .invalidTextRepresentation),
        (.double(1.5), "numeric", .datatypeMismatch), (.double(1.5), "int8", .datatypeMismatch), (.int(1), "text", .datatypeMismatch),
        (.int(1), "bool", .datatypeMismatch), (.bytes([1]), "text", .datatypeMismatch), (.bool(true), "int8", .datatypeMismatch),
        (.int8Array([70000]), "int2[]", .numericValueOutOfRange), (.textArray(["\0"]), "text[]", .characterNotInRepertoire),
        (.uuidArray([[]]), "uuid[]", .invalidTextRepresentation), (.textArray(["a"]), "int8[]", .datatypeMismatch),
        (.timestamp(.min + 1), "timestamptz", .numericValueOutOfRange), (.textArray([]), "text", .datatypeMismatch),
    ])
    func aValueThatDoesNotGoIsRefusedBeforeItIsSent(_ value: PostgresValue, _ type: String, _ code: SQLState) async throws {
        try await withTestConnection { connection in
            let statement = Statement("select $1::int4, $2::\(type)", name: "the statement")
            let error = try await postgresError { try await connection.execute(statement, [1, value]) }
            #expect(error.code == code)
            #expect(error.message.hasPrefix("parameter $2: "))
            #expect(error.statement == "the statement")
            // Nothing was sent: the connection goes on.
            let found1 = try await connection.execute("select 1 as one").one().int("one")
            #expect(found1 == 1)
        }
    }

    @Test func theNumberOfParametersIsChecked() async throws {
        try await withTestConnection { connection in
            let error = try await postgresError { try await connection.execute("select $1::int8, $2::int8", [1]) }
            #expect(error.message == "the statement takes 2 parameters, 1 were given")
        }
    }

    @Test func textGoesIntoWhateverHasATextForm() async throws {
        try await withTestConnection { connection in
            try await connection.executeScript(
                "create type mood as enum ('sad', 'glad'); create domain small as int8 check (value < 10); create domain word as text")
            let row = try await connection.execute(
                "select $1::mood as m, $2::inet::text as i, $3::small as s, $4::word as w, $5::date::text as d, $6::uuid as u",
                ["glad", "10.0.0.1", 7, "hi", "2024-02-29", "00010203-0405-0607-0809-0a0b0c0d0e0f"]
            ).one()
            #expect(try row.text("m") == "glad")
            #expect(try row.text("i") == "10.0.0.1/32")
            #expect(try row.int("s") == 7)
            #expect(try row.text("w") == "hi")
            #expect(try row.text("d") == "2024-02-29")
            #expect(try row.uuid("u") == Array(0..<16))
            let error = try await postgresError { try await connection.execute("select $1::mood", ["angry"]) }
            #expect(error.code == .invalidTextRepresentation)
        }
    }

    /// No parameter, however hostile, is ever read as SQL.
    @Test func hostileTextsComeBackAsTheyWere() async throws {
        var random = Seed.generator()
        let pieces = [
            "'", "''", "\\", "\"", ";", "--", "/*", "*/", "$1", "$$", "$q$", "\n", "\r", "\t", "%", "_", "drop table t", "' or 1=1 --",
            "E'\\x27'", "\u{2019}", "\u{FF07}", "🐘", "\u{202E}", "\u{FEFF}", "\u{1}", "NULL", "{}", "\\x27", "COPY t FROM STDIN", "\\.",
        ]
        try await withTestConnection { connection in
            try await connection.executeScript("create table t (id int8 primary key, text text not null)")
            var texts: [String] = []
            for id in 0..<200 {
                let count = Int.random(in: 0...8, using: &random)
                let text = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
                texts.append(text)
                try await connection.execute("insert into t values ($1, $2)", [.int(Int64(id)), .text(text)])
            }
            let rows = try await connection.execute("select id, text from t order by id")
            let found = try rows.map { try $0.text("text").unicodeScalars.map(\.value) }
            #expect(found == texts.map { $0.unicodeScalars.map(\.value) }, "seed \(random.seed)")
            let counted = try await connection.execute("select count(*) as n from t where text = any($1)", [.textArray(texts)]).one()
            #expect(try counted.int("n") == 200)
        }
    }

    @Test func randomDecimalsAreWhatTheServerPrints() async throws {
        var random = Seed.generator()
        func digits(_ count: Int) -> String { (0..<count).map { _ in String(Int.random(in: 0...9, using: &random)) }.joined() }
        let texts = (0..<500).map { _ in
            let whole = random.chance(0.2) ? "0" : digits(Int.random(in: 1...45, using: &random))
            let scale = random.chance(0.3) ? 0 : Int.random(in: 1...30, using: &random)
            let zeros = random.chance(0.3) ? String(repeating: "0", count: Int.random(in: 0...9, using: &random)) : ""
            return (random.chance(0.5) ? "-" : "") + whole + zeros + (scale > 0 ? "." + zeros + digits(scale) : "")
        }
        let seed = random.seed
        try await withTestConnection { connection in
            for text in texts {
                let row = try await connection.execute(
                    "select $1::numeric as mine, $2::text::numeric as its, $2::text::numeric::text as text, $1::numeric::text as sent",
                    [.numeric(text), .text(text)]
                ).one()
                let printed = try row.text("text")
                #expect(try row.numeric("mine") == printed, "seed \(seed): \(text)")
                #expect(try row.numeric("its") == printed, "seed \(seed): \(text)")
                #expect(try row.text("sent") == printed, "seed \(seed): \(text)")
            }
        }
    }

    @Test(arguments: [Int128.max, .min, 0, 1, -1, 9999, 10000, -10000, 99_999_999, 100_000_000])
    func amountsOf128BitsGoThereAndBack(_ amount: Int128) async throws {
        try await withTestConnection { connection in
            let row = try await connection.execute("select $1::numeric as n, $1::numeric::text as t", [.numeric(amount)]).one()
            #expect(try row.int128("n") == amount)
            #expect(try row.text("t") == String(amount))
        }
    }
}
