import Foundation
import HTTPServer
import LedgerService
import Telemetry
import Web

/// `openledger demo`: shows on this machine, in half a minute, what can be relied on.
enum DemoCommand {
    static let specification = ArgumentSpecification(
        command: "openledger demo",
        summary: "Starts OpenLedger in a folder of its own, drives its log through REST as three services, and proves what came of it.",
        options: [
            .init(name: "events", value: "N", help: "How many events to append; 20000 when left out."),
            .init(name: "keep", value: nil, help: "Leave it running afterwards, until Ctrl-C."),
        ],
        notes: "Shown is what stands today: the ledger. It fails unless every step does what it says.")

    static func run(_ words: [String]) async throws -> Int32 {
        let arguments = try specification.parse(words)
        let count = try arguments.integer("events", in: 300...1_000_000, default: 20_000)
        let keep = arguments.has("keep")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("openledger-demo-\(getpid())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let home = EmbeddedHome(path: folder + "/home")
        Terminal.say("Starting OpenLedger on a private PostgreSQL in \(folder) …")
        let settings = Configuration([:])
        let house = try await EmbeddedHouse.open(home, try Configuration.ofProcess()) { _ in }
        let (outcome, ended) = AsyncStream<Result<Void, any Error>>.makeStream()
        let result = DemoResult()
        var options = try ServingOptions(settings)
        options.application.accessLog = false
        try await house.serve(
            origin: "demo.example/log", at: .ipv4("127.0.0.1", port: 0), options: options, logger: Logger(level: .error),
            until: {
                for await told in outcome {
                    await result.set(told)
                    break
                }
                if keep, case .success? = await result.told { await Signals.stop() }
            }
        ) { port, ledger in
            do {
                try await DemoStory(home: home, folder: folder, url: "http://127.0.0.1:\(port)", key: ledger.verifierKeys[0], count: count)
                    .tell()
                if keep { Terminal.say("\nStill running at http://127.0.0.1:\(port); Ctrl-C stops and removes it.") }
                ended.yield(.success(()))
            } catch {
                ended.yield(.failure(error))
            }
        }
        try await result.told?.get()
        return 0
    }
}

/// How the story ended.
private actor DemoResult {
    private(set) var told: Result<Void, any Error>?
    func set(_ result: Result<Void, any Error>) { told = result }
}
