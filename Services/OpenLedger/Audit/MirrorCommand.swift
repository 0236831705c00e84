internal import Crypto
internal import EventLog
internal import HTTPServer
internal import Identity
internal import Telemetry
internal import Threads
internal import Web

/// `openledger mirror URL`: keeps a second party's verified copy of a log, cosigns it, and serves it.
enum MirrorCommand {
    static let specification = ArgumentSpecification(
        command: "openledger mirror", summary: "Keeps a verified copy of somebody's log, cosigns it and serves it.",
        operands: ["LOG"],
        options: [
            .init(name: "folder", value: "FOLDER", help: "Where the copy is, or is to be."),
            LogPlace.ca,
            .init(
                name: "key", value: "FILE",
                help: "This mirror's private key, made where there is none; FOLDER/mirror.key unless said otherwise."),
            .init(
                name: "name", value: "NAME",
                help: "The name to cosign under, such as mirror.example.com; made from the key unless said otherwise."),
            .init(name: "listen", value: "ADDRESS", help: "Serve the copy here: PORT, HOST:PORT or unix:PATH."),
            .init(name: "log-key", value: "VKEY", help: "A verifier key of the log.", isRepeated: true),
            .init(name: "log-key-file", value: "FILE", help: "Verifier keys of the log, one a line.", isRepeated: true),
            .init(name: "every", value: "SECONDS", help: "How often to look for news; 2 unless said otherwise."),
            .init(name: "any-entries", value: nil, help: "The log holds something other than OpenLedger's events."),
            .init(name: "once", value: nil, help: "Copy what there is, cosign it, and end."),
        ],
        notes: [
            "Whom to believe: --log-key; without it the key that the folder began with; in a new folder the key that the log names.",
            "A log that forks, shrinks or holds what it did not sign for ends the mirror with status 1; both checkpoints are kept in\n"
                + "FOLDER/evidence. Logs may also ask for a cosignature at ADDRESS/log/add-checkpoint (C2SP tlog-witness).",
            LogCommand.statusNote,
        ].joined(separator: "\n\n"))

    /// Runs it; without `--once` until the process is asked to stop.
    /// - Returns: the exit status.
    static func run(_ typed: [String]) async -> Int32 { await run(typed, console: .standard, until: Signals.stop) }

    static func run(_ typed: [String], console: Console, until stop: @escaping @Sendable () async -> Void) async -> Int32 {
        await LogCommand.run(typed, specification, console) { arguments in
            let folder = try arguments.required("folder")
            let mirror = try await open(arguments, folder, console)
            let server = try await serve(mirror, arguments, console)
            let status = try await follow(mirror, arguments, console, stop)
            await server?.stop(grace: .seconds(2))
            return status
        }
    }

    private static func open(_ arguments: Arguments, _ folder: String, _ console: Console) async throws -> LogMirror {
        let source = try LogPlace.source(arguments.operands[0], local: folder, ca: arguments.value("ca"))
        let keys = try TrustOptions.keys(arguments.all("log-key"), files: arguments.all("log-key-file"))
        let first = try await FolderLogSource(folder).keysIfThere()
        let pinned = keys.isEmpty && first.isEmpty ? try await source.pinnedKeys() : first
        let trust: LogTrust
        do { trust = try LogTrust(keys: keys, pinned: pinned) } catch { throw UsageError("\(error)") }
        if trust.origin == .pinned, first.isEmpty {
            console.err("The log's key was taken from the log itself; compare it: \(pinned.map(\.description).joined(separator: ", "))")
        }
        let keyPath = arguments.value("key") ?? folder + "/mirror.key"
        let key = try await OSThread.run(name: "key-file") {
            try FolderLogSource.prepare(folder)
            return try KeyFile.loadOrCreate(keyPath)
        }
        let name = arguments.value("name") ?? "openledger-mirror/" + SHA256.hash(key.publicKey.rawBytes).hex.prefix(16)
        guard let signer = NoteSigner(name: name, type: .cosignature, key: key) else {
            throw UsageError("--name \(name): a name has neither spaces nor a plus")
        }
        let mirror = try await LogMirror(
            upstream: source, folder: folder, trust: trust, signer: signer, entries: arguments.has("any-entries") ? .anything : .events)
        console.err("Cosigning as \(mirror.cosigner)")
        return mirror
    }

    private static func serve(_ mirror: LogMirror, _ arguments: Arguments, _ console: Console) async throws -> RunningApplication? {
        guard let text = arguments.value("listen") else { return nil }
        guard let address = MirrorAddress.parse(text) else {
            throw UsageError("--listen \(text): not PORT, HOST:PORT with a numeric host, or unix:PATH")
        }
        var options = ApplicationOptions()
        options.accessLog = false
        let application = try Application(
            name: "OpenLedger mirror", version: "1.0", mounts: [MirrorRoutes(mirror: mirror).mount], authenticator: .nobody,
            log: Logger(level: .warning), metrics: Metrics(), options: options)
        let running = try await application.serve([address])
        console.err("Serving on \(text)\(running.port > 0 ? " (port \(running.port))" : ""), below /log")
        return running
    }

    private static func follow(
        _ mirror: LogMirror, _ arguments: Arguments, _ console: Console, _ stop: @escaping @Sendable () async -> Void
    ) async throws -> Int32 {
        let line = ProgressLine("copied", console)
        let tell: @Sendable (SignedCheckpoint) -> Void = { signed in
            line.finish()
            console.err("Copied and cosigned \(Text.grouped(signed.checkpoint.size)) events of \(signed.checkpoint.origin)")
        }
        do {
            let show: @Sendable (LogProgress) -> Void = { line.show(done: $0.done, total: $0.total, rate: $0.rate) }
            if arguments.has("once") {
                if let signed = try await mirror.round(progress: show) { tell(signed) } else { console.err("There is nothing new.") }
                return 0
            }
            let pause = try arguments.integer("every", in: 1...86_400, default: 2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await stop() }
                group.addTask {
                    try await mirror.run(every: .seconds(pause), progress: show) { result in
                        switch result {
                        case .success(let signed): tell(signed)
                        case .failure(let error): console.err("Not now: \(error)")
                        }
                    }
                }
                defer { group.cancelAll() }
                try await group.next()
            }
            return 0
        } catch let stopped as LogMirror.Stopped {
            line.finish()
            console.err("THE LOG IS BAD, AND THIS MIRROR STOPS: \(stopped)")
            return LogCommand.bad
        } catch is CancellationError {
            return 0
        }
    }
}

/// What a person types for an address to serve on.
enum MirrorAddress {
    /// `PORT` (of 127.0.0.1), `HOST:PORT` with a numeric host, `[IPv6]:PORT`, or `unix:PATH`.
    static func parse(_ text: String) -> Address? {
        if text.hasPrefix("unix:") { return text.utf8.count > 5 ? .unix(String(text.dropFirst(5))) : nil }
        guard let colon = text.lastIndex(of: ":") else { return port(text[...]).map { .ipv4("127.0.0.1", port: $0) } }
        guard let port = port(text[text.index(after: colon)...]) else { return nil }
        let host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { return .ipv6(String(host.dropFirst().dropLast()), port: port) }
        return host.isEmpty || host.contains(":") ? nil : .ipv4(String(host), port: port)
    }

    private static func port(_ text: Substring) -> Int? {
        guard let port = Int(text), String(port) == text, (0...65_535).contains(port) else { return nil }
        return port
    }
}
