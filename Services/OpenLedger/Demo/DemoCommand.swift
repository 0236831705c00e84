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
                help: "Bring in rows of these .jsonl files: of the first three, four rows each of four authors."
            ),
            .init(name: "epochs", value: "N", help: "How often the model sees each row; 10 when left out."),
            .init(name: "log", value: nil, help: "Show the ledger alone, with events that nobody acts on."),
            .init(name: "events", value: "N", help: "With --log: how many events to append; 20000 when left out."),
            .init(name: "keep", value: nil, help: "Leave it running afterwards, until Ctrl-C."),
            .init(
                name: "save", value: "FOLDER",
                help: "Leave the copy of the log, its evidence and the receipts there, to audit and verify them elsewhere."),
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
        let saved = try arguments.value("save").map(emptyFolder)
        if saved != nil, isLogOnly { throw UsageError("--save does not go with --log") }
        let place = try await DemoFolder.make()
        defer { place.remove() }
        let folder = place.path
        let told = Told(data: data, epochs: epochs, shelf: saved ?? folder + "/shelf", isKept: saved != nil)
        do {
            if let url = arguments.value("at") {
                try await elsewhere(url, arguments, told)
            } else {
                try await here(arguments, folder: folder, told, events: isLogOnly ? count : nil)
            }
        } catch let interrupted as Interrupted {
            Terminal.error("\(interrupted)")
            return Interrupted.status
        }
        return 0
    }

    /// What the story is told with, and where it leaves what it made.
    struct Told: Sendable {
        let data: [WayData]
        let epochs: Int
        let shelf: String
        let isKept: Bool

        func story(_ client: WayClient, _ log: VerifierKey, administrator: String, isGuest: Bool) -> WayStory {
            WayStory(
                client: client, log: log, administrator: administrator, data: data, epochs: epochs,
                shelf: WayShelf(path: shelf, isKept: isKept), isGuest: isGuest)
        }
    }

    /// A folder that is empty or not there yet: what lies in it already is somebody's.
    private static func emptyFolder(_ path: String) throws -> String {
        let path = URL(fileURLWithPath: path).path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            guard try FileManager.default.contentsOfDirectory(atPath: path).isEmpty else {
                throw UsageError("--save: \(path) is not empty; name another folder")
            }
        } catch let error as CocoaError { throw UsageError("--save: cannot make \(path): \(error.localizedDescription)") }
        return path
    }

    /// In a house of its own; `events` tells how many of them the ledger's part alone is shown with.
    private static func here(_ arguments: Arguments, folder: String, _ told: Told, events: Int?) async throws {
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
                    try await told.story(
                        WayClient(transport: transport, url: url), ledger.verifierKeys[0], administrator: administrator, isGuest: false
                    ).tell()
                    await transport.close()
                }
                if keep { stillRunning(url, house.newAdministrator?.reveal(), ledger.verifierKeys[0]) }
                ended.yield(.success(()))
            } catch {
                ended.yield(.failure(error))
            }
        }
        try await result.told?.get()
    }
}

extension DemoCommand {
    private static func stillRunning(_ url: String, _ administrator: String?, _ key: VerifierKey) {
        Terminal.say("\nStill running at \(url) until Ctrl-C, which removes it.")
        if let administrator { Terminal.say("   administrator's API key  \(administrator)") }
        Terminal.say("   audit it                 openledger audit \(url)/log --key '\(key)'")
    }

    /// The same story at a house that somebody else runs.
    private static func elsewhere(_ url: String, _ arguments: Arguments, _ told: Told) async throws {
        if let other = ["log", "keep"].first(where: { arguments.has($0) }) { throw UsageError("--at does not go with --\(other)") }
        guard let file = arguments.value("administrator"), let key = arguments.value("key") else {
            throw UsageError("--at needs --administrator FILE and --key VKEY")
        }
        let secret = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let log: VerifierKey
        do { log = try VerifierKey(vkey: key) } catch { throw UsageError("--key: \(error)") }
        let transport = try CurlTransport(options: CurlOptions(caFile: arguments.value("ca")))
        try await Interrupted.unless {
            try await told.story(WayClient(transport: transport, url: url), log, administrator: secret, isGuest: true).tell()
        }
        await transport.close()
    }
}

/// How the story ended.
private actor DemoResult {
    private(set) var told: Result<Void, any Error>?
    func set(_ result: Result<Void, any Error>) { told = result }
}
