internal import EventLog
internal import Glibc

/// The options by which a command is told whose signature to believe.
enum TrustOptions {
    static let options: [ArgumentSpecification.Option] = [
        .init(name: "key", value: "VKEY", help: "A verifier key of the log.", isRepeated: true),
        .init(name: "key-file", value: "FILE", help: "Verifier keys of the log, one a line.", isRepeated: true),
        .init(
            name: "rotations", value: "FILE",
            help: "How the log's key was rotated, as LOG/v1/keys/rotations tells it; without it what comes with the log."),
        .init(name: "policy", value: "FILE", help: "Logs, witnesses and a quorum (C2SP tlog-policy)."),
    ]

    static let note = """
        Whom to believe: the keys you give; or a policy, whose witnesses must have cosigned; or, where you give neither, the key that
        comes with the log, which shows that one key signed all of it but not whose key that is. A key that was rotated leads on to the
        next: each must have signed for the one after it.
        """

    /// Reads them.
    /// - Parameters:
    ///   - source: where the log is, which tells how its key was rotated; nil where there is only a file.
    ///   - pinned: the keys that come with the log itself; asked for only where nothing else was given.
    static func read(
        _ arguments: Arguments, from source: (any LogSource)?, pinned: () async throws -> [VerifierKey]
    ) async throws -> LogTrust {
        let keys = try keys(arguments.all("key"), files: arguments.all("key-file"))
        var policy: WitnessPolicy?
        if let file = arguments.value("policy") {
            do { policy = try WitnessPolicy(parsing: try SmallTextFile.read(file)) } catch let error as NoteError {
                throw UsageError("\(file): \(error)")
            }
        }
        let isEnough = !keys.isEmpty || policy.map { !$0.logs.isEmpty || $0.asksForWitnesses } ?? false
        let trust: LogTrust
        do { trust = try LogTrust(keys: keys, policy: policy, pinned: isEnough ? [] : try await pinned()) } catch let error as NoteError {
            throw UsageError("\(error)")
        }
        if trust.keys.isEmpty { return trust }
        if let file = arguments.value("rotations") {
            let text = try SmallTextFile.read(file)
            do { return try trust.following(try LogRotation.list(text)) } catch { throw UsageError("\(file): \(error)") }
        }
        let rotations = try await source?.rotations() ?? []
        do { return try trust.following(rotations) } catch {
            throw AuditFault(.checkpoint, position: nil, "how its key was rotated: \(error)")
        }
    }

    /// Verifier keys from the command line and from files.
    static func keys(_ typed: [String], files: [String]) throws(UsageError) -> [VerifierKey] {
        var keys: [VerifierKey] = []
        func add(_ text: some StringProtocol, _ from: String) throws(UsageError) {
            do { keys.append(try VerifierKey(vkey: String(text))) } catch { throw UsageError("\(from): \(error)") }
        }
        for text in typed { try add(text, "--key") }
        for file in files {
            for line in try SmallTextFile.read(file).split(separator: "\n") where !line.hasPrefix("#") { try add(line, file) }
        }
        return keys
    }
}

/// A small file that somebody named on the command line.
enum SmallTextFile {
    /// Reads it whole.
    static func read(_ path: String, limit: Int = 1 << 20) throws(UsageError) -> String {
        guard let text = String(validating: try bytes(path, limit: limit), as: UTF8.self) else {
            throw UsageError("\(path) is not UTF-8 text")
        }
        return text
    }

    /// Reads it whole.
    static func bytes(_ path: String, limit: Int = 1 << 20) throws(UsageError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw UsageError("cannot read \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got = Glibc.read(file, &piece, piece.count)
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else { throw UsageError("cannot read \(path): \(String(cString: strerror(errno)))") }
            if got == 0 { return bytes }
            bytes += piece[..<got]
            guard bytes.count <= limit else { throw UsageError("\(path) has more than \(limit) bytes") }
        }
    }
}
