import Foundation
import Telemetry
import Testing

@Suite struct ConfigurationTests {
    private enum Mode: String, CaseIterable { case fast, safe }

    @Test func valuesAreReadByTheirTypes() throws {
        let settings = Configuration([
            "OPENLEDGER_PORT": "7401", "OPENLEDGER_WAIT": "250ms", "OPENLEDGER_SIZE": "10MiB", "OPENLEDGER_ON": "yes",
            "OPENLEDGER_MODE": "safe", "OPENLEDGER_HOSTS": "a, b,,c ", "OPENLEDGER_LOG_LEVEL": "debug", "OPENLEDGER_EMPTY": "",
        ])
        #expect(try settings.integer("PORT", in: 1...65_535, default: 1) == 7401)
        #expect(try settings.duration("WAIT", in: .zero ... .seconds(1), default: .zero) == .milliseconds(250))
        #expect(try settings.bytes("SIZE", in: 0...(1 << 30), default: 0) == 10 << 20)
        #expect(try settings.boolean("ON", default: false))
        #expect(try settings.choice("MODE", default: Mode.fast) == .safe)
        #expect(settings.list("HOSTS") == ["a", "b", "c"])
        #expect(try settings.logLevel() == .debug)
        #expect(settings.string("EMPTY", default: "d") == "d")
        #expect(try settings.integer("MISSING", in: 0...9, default: 5) == 5)
    }

    @Test(arguments: ["", "7x", "0", "65536", "1e3", " 7401", "٣"])
    func aBadNumberNamesItsKeyAndTheBounds(text: String) {
        let settings = Configuration(["OPENLEDGER_PORT": text])
        if text.isEmpty { return }
        let error = #expect(throws: ConfigurationError.self) { try settings.integer("PORT", in: 1...65_535, default: 1) }
        #expect(error?.description == "OPENLEDGER_PORT must be a whole number from 1 to 65535, but is \"\(text)\"")
    }

    @Test(arguments: ["5", "5 s", "-5s", "s", "99999999999999999999d", "3h"])
    func aBadDurationIsRefused(text: String) {
        let settings = Configuration(["OPENLEDGER_WAIT": text])
        #expect(throws: ConfigurationError.self) { try settings.duration("WAIT", in: .zero ... .seconds(60), default: .zero) }
    }

    @Test func whatMustBeThereIsAskedFor() {
        let error = #expect(throws: ConfigurationError.self) { try Configuration([:]).required("DATABASE", "the address of the database") }
        #expect(error?.description == "OPENLEDGER_DATABASE must be the address of the database")
    }

    @Test func keysThatNobodyAsksForAreTold() throws {
        let settings = Configuration(["OPENLEDGER_PORT": "1", "OPENLEDGER_PROT": "2"])
        _ = try settings.integer("PORT", in: 0...9, default: 0)
        #expect(settings.unknownKeys() == ["OPENLEDGER_PROT"])
    }

    @Test func aSecretComesFromItsFileWithoutTheLastNewline() throws {
        let path = try file("hunter2\n")
        #expect(try Configuration(["OPENLEDGER_KEY_FILE": path]).secret("KEY") == "hunter2")
        #expect(try Configuration(["OPENLEDGER_KEY": "plain"]).secret("KEY") == "plain")
        #expect(try Configuration([:]).secret("KEY") == nil)
    }

    @Test func aSecretSetTwiceOrUnreadableIsAnErrorThatDoesNotShowIt() throws {
        let path = try file("hunter2\n")
        let twice = #expect(throws: ConfigurationError.self) {
            try Configuration(["OPENLEDGER_KEY": "swordfish", "OPENLEDGER_KEY_FILE": path]).secret("KEY")
        }
        #expect(twice?.key == "OPENLEDGER_KEY_FILE")
        #expect(twice?.description.contains("swordfish") == false)
        let missing = #expect(throws: ConfigurationError.self) { try Configuration(["OPENLEDGER_KEY_FILE": path + "-none"]).secret("KEY") }
        #expect(missing?.description.contains("No such file") == true)
        #expect(throws: ConfigurationError.self) { try Configuration(["OPENLEDGER_KEY_FILE": try file("")]).secret("KEY") }
    }

    @Test func theFileIsReadAndTheEnvironmentWins() throws {
        let path = try file("# comment\n\nOPENLEDGER_A = 1 \r\nOPENLEDGER_B=\"two words\"\nOPENLEDGER_C=a=b\n")
        let settings = try Configuration.merge(environment: ["OPENLEDGER_CONFIG": path, "OPENLEDGER_A": "9", "HOME": "/"])
        #expect(settings.string("A") == "9")
        #expect(settings.string("B") == "two words")
        #expect(settings.string("C") == "a=b")
        #expect(settings.unknownKeys().isEmpty)
    }

    @Test(arguments: [
        ("OPENLEDGER_A", "line 1"), ("\nHOME=/", "line 2"), ("OPENLEDGER_A=1\nOPENLEDGER_A=2", "line 2"), ("OPENLEDGER_a=1", "line 1"),
        ("OPENLEDGER_=1", "line 1"),
    ])
    func aBadLineIsNamed(content: String, place: String) throws {
        let path = try file(content)
        let error = #expect(throws: ConfigurationError.self) { try Configuration.merge(environment: ["OPENLEDGER_CONFIG": path]) }
        #expect(error?.key.hasSuffix(place) == true)
    }

    @Test func aMissingFileIsNamed() {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.merge(environment: ["OPENLEDGER_CONFIG": "/nowhere/x"]) }
        #expect(error?.key == "OPENLEDGER_CONFIG")
    }

    private func file(_ content: String) throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("configuration-\(UUID().uuidString)").path
        try content.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }
}
