import BillingDomain
import EventLog
import Foundation
import HTTP
import HTTPClient
import JSON
import TestSupport
import Testing
import Threads

@testable import openledger

/// Receipts as Tests/Receipts/make_receipts.py makes them: not by our code.
private final class MadeReceipts: Sendable {
    let folder: TemporaryFolder
    let key: String

    init() async throws {
        let folder = try TemporaryFolder("receipts")
        let script = TestInput.migrations + "/../Tests/Receipts/make_receipts.py"
        let path = folder.path
        let status = try await OSThread.run(name: "python") {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["python3", "-B", script, path]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        try #require(status == 0)
        self.folder = folder
        key = try String(contentsOfFile: folder.path("key"), encoding: .utf8)
    }

    func path(_ name: String) -> String { folder.path(name + ".json") }
    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }
}

@Suite struct ReceiptCommandTests {
    @Test func `every receipt gets the verdict that it was made for`() async throws {
        let made = try await MadeReceipts()
        let names = try FileManager.default.contentsOfDirectory(atPath: made.folder.path).filter { $0.hasSuffix(".json") }
        #expect(names.count > 90)
        let log = try LogTrust(keys: [try VerifierKey(vkey: made.key)])
        for name in names.map({ String($0.dropLast(5)) }).sorted() {
            let word = try String(contentsOfFile: made.folder.path(name + ".word"), encoding: .utf8)
            var verdict = "holds"
            // Some are for who believes witnesses.
            let policy = try? String(contentsOfFile: made.folder.path(name + ".policy"), encoding: .utf8)
            let trust = try policy.map { try LogTrust(keys: [], policy: try WitnessPolicy(parsing: $0), pinned: []) } ?? log
            do throws(ReceiptFault) {
                let bytes = (try? made.bytes(name)) ?? []
                _ = try ReceiptCheck.check(try Receipt(parsing: bytes), trust: trust)
            } catch { verdict = error.kind.rawValue }
            #expect(verdict == word, "\(name)")
        }
    }

    @Test func `verify tells receipts from proofs, says who gets what and why, and ends with a status`() async throws {
        let made = try await MadeReceipts()
        let written = Written()
        #expect(await VerifyCommand.run([made.path("good-paid"), "--key", made.key], console: written.console) == 0)
        for words in ["payee    contributor:ann", "the answer in_0 by acme/defi", "words of the answer stand in it", "paid out", "holds."] {
            #expect(written.out.contains(words), "\(written.out)")
        }
        let bad = Written()
        #expect(await VerifyCommand.run([made.path("bad-split-points"), "--key", made.key], console: bad.console) == 1)
        #expect(bad.err.contains("THE RECEIPT DOES NOT HOLD: terms:") && bad.out.isEmpty)
        let machine = Written()
        #expect(await VerifyCommand.run([made.path("bad-item-proof"), "--key", made.key, "--json"], console: machine.console) == 1)
        #expect(try JSON.parse(machine.out)["fault"]?.stringValue == "item")
        let json = Written()
        #expect(await VerifyCommand.run([made.path("good-two"), "--key", made.key, "--json"], console: json.console) == 0)
        #expect(try JSON.parse(json.out)["settlements"]?.arrayValue?.count == 2)
        #expect(await VerifyCommand.run([made.path("good-paid")], console: Written().console) == 2)
        #expect(await VerifyCommand.run([made.path("none"), "--key", made.key], console: Written().console) == 2)
    }

    @Test func `receipt fetches, checks and writes; what does not hold is not written`() async throws {
        let made = try await MadeReceipts()
        let good = try made.bytes("good-paid")
        let bad = try made.bytes("bad-units")
        let transport = InProcessTransport { request in
            guard request.headers["Authorization"] == "Bearer secret" else { return Response(status: 401, body: .bytes([])) }
            switch request.path {
            case "/v1/receipts/good": return Response(body: .bytes(good))
            case "/v1/receipts/bad": return Response(body: .bytes(bad))
            default: return Response(status: 404, body: .bytes(Array(#"{"detail":"there is no such thing"}"#.utf8)))
            }
        }
        func run(_ words: [String], token: String = "secret") async -> (status: Int32, written: Written) {
            let written = Written()
            let status = await ReceiptCommand.run(
                words + ["--url", "http://house"], console: written.console, environment: ["OPENLEDGER_TOKEN": token]
            ) { _ in transport }
            return (status, written)
        }
        let file = made.folder.path("fetched")
        #expect(await run(["good", "-o", file, "--key", made.key]).status == 0)
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: file))) == good)
        let unsigned = await run(["good"])
        #expect(unsigned.status == 0 && unsigned.written.out.contains("openledger/receipt/v1"))
        #expect(unsigned.written.err.contains("Nobody's signature"))
        let refused = await run(["bad", "-o", file + "2"])
        #expect(refused.status == 1 && !FileManager.default.fileExists(atPath: file + "2"))
        let missing = await run(["none"])
        #expect(missing.status == 2 && missing.written.err.contains("there is no such thing"))
        #expect(await run(["good"], token: "").status == 2)
        #expect(await run(["good", "--account", "nobody"]).status == 2)
        #expect(await run([]).status == 2)
    }

    @Test func `whatever is altered in a file, there is a verdict, and what is signed never changes`() async throws {
        let made = try await MadeReceipts()
        let trust = try LogTrust(keys: [try VerifierKey(vkey: made.key)])
        let good = try made.bytes("good-wallet")
        let events = try Receipt(parsing: good).events
        var generator = Seed.generator()
        for _ in 0..<300 {
            var bytes = good
            let place = Int.random(in: bytes.indices, using: &generator)
            bytes[place] = UInt8.random(in: 0x20...0x7E, using: &generator)
            guard let receipt = try? Receipt(parsing: bytes), (try? ReceiptCheck.check(receipt, trust: trust)) != nil else { continue }
            #expect(receipt.events == events, "seed \(generator.seed), byte \(place)")
        }
    }

    @Test func `its help fits a terminal`() {
        #expect(
            ReceiptCommand.specification.help.split(separator: "\n").allSatisfy { $0.count <= 140 }, "\(ReceiptCommand.specification.help)")
    }
}
