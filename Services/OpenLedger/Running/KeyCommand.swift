import EventLog
import Crypto
import Identity
import Threads

/// `openledger key`: makes key files, shows their public side, rotates the log's key.
enum KeyCommand {
    static let specification = ArgumentSpecification(
        command: "openledger key", summary: "Makes an Ed25519 key file where there is none, and shows its public side.",
        operands: ["FILE?"],
        options: [
            .init(name: "origin", value: "NAME", help: "Also show the verifier key of a log of this name."),
            .init(
                name: "rotate-log", value: nil, help: "Make a new log key in the embedded folder; the present one goes on signing along."),
            .init(
                name: "new-administrator", value: nil,
                help: "Make a new administrator's API key for the embedded folder and print it; those before it count no longer."),
            .init(name: "data", value: "FOLDER", help: "The embedded folder; .openledger when left out."),
        ],
        notes:
            "After --rotate-log start `openledger up` again: it puts log-key.rotated, signed by the old key, on the log. What runs takes the key\n"
            + "of --new-administrator at its next start.")

    static func run(_ words: [String]) async throws -> Int32 {
        let arguments = try specification.parse(words)
        if arguments.has("rotate-log") {
            let home = EmbeddedHome(path: arguments.value("data") ?? ".openledger")
            let kept = try await OSThread.run(name: "keys") { try home.rotateLogKey() }
            Terminal.say("new key: \(home.logKey)")
            Terminal.say("the key before signs along for as long as its file is there: \(kept)")
            return 0
        }
        if arguments.has("new-administrator") {
            let home = EmbeddedHome(path: arguments.value("data") ?? ".openledger")
            let key = try await home.replaceAdministrator()
            Terminal.say("The administrator's API key, shown this once: \(key.reveal())")
            Terminal.say("It counts from the next start of `openledger up` on; the one before it counts no longer then.")
            return 0
        }
        guard let path = arguments.operands.first else { throw UsageError("FILE is missing; see openledger key --help") }
        let key = try await OSThread.run(name: "keys") { try KeyFile.loadOrCreate(path) }
        Terminal.say("did      \(DIDKey.text(for: key.publicKey))")
        Terminal.say("key id   \(PublicKeySet.thumbprint(of: key.publicKey))")
        if let origin = arguments.value("origin") {
            guard let verifier = VerifierKey(name: origin, publicKey: key.publicKey.rawBytes) else {
                throw UsageError("\(origin) can't be the name of a log: it may not have spaces or a plus")
            }
            Terminal.say("verifier \(verifier)")
        }
        return 0
    }
}
