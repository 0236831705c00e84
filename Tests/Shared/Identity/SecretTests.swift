import Foundation
import Identity
import Testing

@Suite("Secrets")
struct SecretTests {
    @Test("a secret shows itself only when asked by name")
    func hidden() {
        let secret = SecretString("hunter2")
        var dumped = ""
        dump(["k": secret], to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), String(describing: [secret]), "\(Optional(secret) as Any)", dumped] {
            #expect(!text.contains("hunter2"))
        }
        #expect(secret.reveal() == "hunter2")
    }

    @Test("it comes from the variable or from the file that the other variable names, less one line end")
    func sources() async throws {
        #expect(try Secret.read("PASS", environment: [:]) == nil)
        #expect(try Secret.read("PASS", environment: ["PASS": "a b\n"])?.reveal() == "a b\n")
        try await withFolder { folder in
            for (content, want) in [("s", "s"), ("s\n", "s"), ("s\r\n", "s"), ("s\n\n", "s\n"), (" é ", " é ")] {
                try Data(content.utf8).write(to: URL(fileURLWithPath: folder + "/s"))
                #expect(try Secret.read("PASS", environment: ["PASS_FILE": folder + "/s"])?.reveal() == want)
            }
        }
    }

    @Test("empty, double, missing and unreadable secrets are refused by the variable's name")
    func refusals() async throws {
        #expect(throws: SecretError.empty("PASS")) { try Secret.read("PASS", environment: ["PASS": ""]) }
        #expect(throws: SecretError.ambiguous("PASS")) { try Secret.read("PASS", environment: ["PASS": "a", "PASS_FILE": "/b"]) }
        let error = #expect(throws: SecretError.self) { try Secret.read("PASS", environment: ["PASS_FILE": "/no/such"]) }
        #expect(error.map { "\($0)" } == "PASS_FILE: cannot read /no/such: No such file or directory")
        try await withFolder { folder in
            for content in [Data("\n".utf8), Data(), Data([0xff]), Data(count: 70_000)] {
                try content.write(to: URL(fileURLWithPath: folder + "/s"))
                #expect(throws: SecretError.self) { try Secret.read("PASS", environment: ["PASS_FILE": folder + "/s"]) }
            }
        }
    }
}
