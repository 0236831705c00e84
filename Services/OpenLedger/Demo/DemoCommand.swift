import EventLog
import Foundation
import HTTPClient
import HTTPServer
import Identity
import LedgerService
import Telemetry
import Web

/// `openledger demo`: the whole way of the data on this machine, or the ledger's part of it alone.
enum DemoCommand {
    static let specification = ArgumentSpecification(
        command: "openledger demo",
        summary:
            "Starts OpenLedger in a folder of its own and drives the whole way through REST, as several people: data, model, answers, money, audit.",
        options: [
            .init(
                name: "data", value: "FOLDER",
                help: "Bring in these .jsonl files (prompt, completion, author or contributor) instead of the sample data."),
            .init(name: "epochs", value: "N", help: "How often the model sees each row; 10 when left out."),
            .init(name: "log", value: nil, help: "Show the ledger alone, with events that nobody acts on."),
            .init(name: "events", value: "N", help: "With --log: how many events to append; 20000 when left out."),
            .init(name: "keep", value: nil, help: "Leave it running afterwards, until Ctrl-C."),
            .init(name: "at", value: "URL", help: "Drive a house that runs already, whose people and money are then those of the story."),
            .init(name: "administrator", value: "FILE", help: "With --at: a file with an administrator's token or API key."),
            .init(name: "key", value: "VKEY", help: "With --at: the verifier key of its log."),
            .init(name: "ca", value: "FILE", help: "With --at: the certificate (PEM) that its TLS is to be trusted by."),
        ],
        notes: "It fails unless every step does what it says, and cleans up after itself.")

    static func run(_ words: [String]) async throws -> Int32 {
        let arguments = try specification.parse(words)
        let count = try arguments.integer("events", in: 300...1_000_000, default: 20_000)
        // A model that has learned all rows by heart quotes them, and leaves influence nothing to say.
        let epochs = try arguments.integer("epochs", in: 1...100, default: 10)
        let isLogOnly = arguments.has("log")
        let given = arguments.value("data")
        let data = isLogOnly ? [] : try WayData.read(try given ?? WayData.shipped(), authors: 4, rows: given == nil ? 12 : 4)
        let place = try await DemoFolder.make()
        defer { place.remove() }
        let folder = place.path
        do {
            if let url = arguments.value("at") {
                try await elsewhere(url, arguments, folder: folder, data: data, epochs: epochs)
            } else {
                try await here(arguments, folder: folder, data: data, epochs: epochs, events: isLogOnly ? count : nil)
            }
        } catch let interrupted as Interrupted {
            Terminal.error("\(interrupted)")
            return Interrupted.status
        }
        return 0
    }

    /// In a house of its own; `events` tells how many of them the ledger's part alone is shown with.
    private static func here(_ arguments: Arguments, folder: String, data: [WayData], epochs: Int, events: Int?) async throws {
        let keep = arguments.has("keep")
        let home = EmbeddedHome(path: folder + "/home")
        Terminal.say("Starting OpenLedger on a private PostgreSQL in \(folder) …")
        let settings = try Configuration.ofProcess()
        let house = try await EmbeddedHouse.open(home, settings) { _ in }
        let (outcome, ended) = AsyncStream<Result<Void, any Error>>.makeStream()
        let result = DemoResult()
        var options = try ServingOptions(Configuration([:]))
        options.application.accessLog = false
        try await house.serve(
            origin: "demo.example/log", services: events == nil ? ServiceList.all : [], at: .ipv4("127.0.0.1", port: 0), options: options,
            logger: Logger(level: try settings.string("LOG_LEVEL") == nil ? .error : settings.logLevel()),
            until: {
                for await told in outcome {
                    await result.set(told)
                    break
                }
                if keep, case .success? = await result.told { await Signals.stop() }
            }
        ) { port, ledger in
            let url = "http://127.0.0.1:\(port)"
            do {
                try await Interrupted.unless {
                    if let events {
                        try await LogStory(home: home, folder: folder, url: url, key: ledger.verifierKeys[0], count: events).tell()
                        return
                    }
                    let transport = try CurlTransport()
                    guard let administrator = house.newAdministrator?.reveal() else { throw CommandError("the folder is not new") }
                    try await WayStory(
                        folder: folder, client: WayClient(transport: transport, url: url), log: ledger.verifierKeys[0],
                        administrator: administrator, data: data, epochs: epochs
                    ).tell()
                    await transport.close()
                }
                if keep { Terminal.say("\nStill running at \(url); Ctrl-C stops and removes it.") }
                ended.yield(.success(()))
            } catch {
                ended.yield(.failure(error))
            }
        }
        try await result.told?.get()
    }
}

extension DemoCommand {
    /// The same story at a house that somebody else runs.
    private static func elsewhere(_ url: String, _ arguments: Arguments, folder: String, data: [WayData], epochs: Int) async throws {
        if let other = ["log", "keep"].first(where: { arguments.has($0) }) { throw UsageError("--at does not go with --\(other)") }
        guard let file = arguments.value("administrator"), let key = arguments.value("key") else {
            throw UsageError("--at needs --administrator FILE and --key VKEY")
        }
        let secret = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let log: VerifierKey
        do { log = try VerifierKey(vkey: key) } catch { throw UsageError("--key: \(error)") }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let transport = try CurlTransport(options: CurlOptions(caFile: arguments.value("ca")))
        try await Interrupted.unless {
            try await WayStory(
                folder: folder, client: WayClient(transport: transport, url: url), log: log, administrator: secret, data: data,
                epochs: epochs
            ).tell()
        }
        await transport.close()
    }
}

/// How the story ended.
private actor DemoResult {
    private(set) var told: Result<Void, any Error>?
    func set(_ result: Result<Void, any Error>) { told = result }
}
