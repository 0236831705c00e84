import JSON
import Telemetry
import Testing

@Suite struct LoggerTests {
    private func json(_ recorder: LogRecorder, _ index: Int = 0) throws -> JSONValue { try JSON.parse(recorder.lines[index]) }

    @Test func aLineIsOneJSONObjectWithItsFields() throws {
        let recorder = LogRecorder()
        let log = Logger(level: .info, format: .json, sink: recorder.sink).with(["service": "billing"])
        log.info("hold placed", ["milliseconds": 3, "ratio": 0.5, "again": true, "error": .describing(ProcessError.failed)])
        #expect(recorder.lines.count == 1)
        let line = try json(recorder)
        #expect(line["level"] == "info")
        #expect(line["message"] == "hold placed")
        #expect(line["service"] == "billing")
        #expect(line["milliseconds"] == 3)
        #expect(line["ratio"] == 0.5)
        #expect(line["again"] == true)
        #expect(line["error"] == "failed")
        #expect(line["time"]?.stringValue?.hasSuffix("Z") == true)
    }

    private enum ProcessError: Error { case failed }

    @Test func linesBelowTheLevelAreNotWrittenNorTheirArgumentsEvaluated() {
        let recorder = LogRecorder()
        let log = Logger(level: .warning, format: .json, sink: recorder.sink)
        var evaluated = 0
        func costly() -> String {
            evaluated += 1
            return "x"
        }
        log.info(costly(), ["a": .string(costly())])
        log.debug(costly())
        #expect(evaluated == 0)
        log.error("seen")
        #expect(recorder.lines.count == 1)
    }

    @Test func aChildReplacesAFieldOfTheSameName() throws {
        let recorder = LogRecorder()
        Logger(format: .json, sink: recorder.sink).with(["request": "1"]).with(["request": "2"]).info("x")
        #expect(try json(recorder)["request"] == "2")
    }

    @Test func textCannotBeginAnotherLineOrCommandATerminal() throws {
        let hostile = "a\nlevel=error forged\r\u{1b}[2J\u{9b}31m\u{2028}\u{7f}\0\"\\"
        for format in [LogFormat.json, .human] {
            let recorder = LogRecorder()
            Logger(format: format, sink: recorder.sink).info(hostile, ["field": .string(hostile)])
            let line = try #require(recorder.lines.first)
            #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) || $0.value == 0x2028 })
            if format == .json { #expect(try json(recorder)["field"]?.stringValue == hostile) }
        }
    }

    @Test func longTextIsCutBetweenScalars() throws {
        let recorder = LogRecorder()
        Logger(format: .json, sink: recorder.sink, fieldBound: 10).info("x", ["long": .string(String(repeating: "é", count: 100))])
        #expect(try json(recorder)["long"] == "ééééé…")
    }

    @Test(arguments: [
        "password", "db_password", "secret", "clientSecret", "Authorization", "set-cookie", "api_key", "apiKey", "apikey", "accessToken",
        "token",
        "private.key", "signing_key", "credentials",
    ])
    func secretsAreRedacted(name: String) {
        #expect(Redaction.isSecret(name))
    }

    @Test(arguments: ["token_count", "tokens", "key", "idempotency_key", "cause", "author", "passed", "monkey", "stream", "secretary"])
    func whatIsNoSecretIsShown(name: String) {
        #expect(!Redaction.isSecret(name))
    }

    @Test func aRedactedFieldLeaksNothing() throws {
        let recorder = LogRecorder()
        let name = "api_key"
        Logger(format: .json, sink: recorder.sink).with(["token": "olk_abc"]).info(
            "x", ["dbPassword": .string("hunter2"), "n": .string(name)])
        #expect(!recorder.lines[0].contains("hunter2"))
        #expect(!recorder.lines[0].contains("olk_abc"))
        #expect(try json(recorder)["token"] == "[redacted]")
    }

    @Test(arguments: [
        (0, 0, "1970-01-01T00:00:00.000000Z"), (951_827_696, 1, "2000-02-29T12:34:56.000001Z"),
        (-1, 999_999, "1969-12-31T23:59:59.999999Z"), (1_795_259_310, 123_456, "2026-11-21T11:08:30.123456Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
    ])
    func timeIsWrittenAsRFC3339(seconds: Int64, microseconds: Int32, text: String) {
        #expect(LogTime.text(seconds: seconds, microseconds: microseconds) == text)
    }
}
