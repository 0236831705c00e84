import Events
import Identity
import Threads

/// `openledger token`: a token for a person, an agent or a service, signed by a key file.
enum TokenCommand {
    static let specification = ArgumentSpecification(
        command: "openledger token", summary: "Makes a signed token (EdDSA JWT) and prints it.",
        options: [
            .init(name: "key-file", value: "FILE", help: "The issuer's key (PEM)."),
            .init(
                name: "data", value: "FOLDER",
                help: "With --service: the embedded folder that has the service's key; .openledger when left out."),
            .init(name: "service", value: "NAME", help: "Speak as this service: issuer and subject are its name."),
            .init(name: "issuer", value: "NAME", help: "Who vouches, as the key set names it."),
            .init(name: "subject", value: "ID", help: "Whom the token is about."),
            .init(name: "kind", value: "KIND", help: "person, organisation, agent or service; person when left out."),
            .init(name: "audience", value: "NAME", help: "Which service is to accept it; ledger when left out."),
            .init(name: "scope", value: "SCOPE", help: "What it allows, such as log:read.", isRepeated: true),
            .init(name: "minutes", value: "N", help: "How long it holds, a day at most; 5 when left out."),
        ],
        notes: "Example: openledger token --service billing --scope log:append --scope log:read")

    static func run(_ words: [String]) async throws -> Int32 {
        let arguments = try specification.parse(words)
        let service = arguments.value("service")
        if let service, Service(rawValue: service) == nil {
            throw UsageError("there is no service \(service); services are \(Service.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let path: String
        if let file = arguments.value("key-file") {
            path = file
        } else if let service, let known = Service(rawValue: service) {
            path = EmbeddedHome(path: arguments.value("data") ?? ".openledger").serviceKey(known)
        } else {
            throw UsageError("--key-file is missing (or --service, to use a key of the embedded folder)")
        }
        let issuer = try service ?? arguments.required("issuer")
        let subject = try service ?? arguments.required("subject")
        let kindText = arguments.value("kind") ?? (service == nil ? "person" : "service")
        guard let kind = Caller.Kind(rawValue: kindText) else {
            throw UsageError("--kind must be one of \(Caller.Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let minutes = try arguments.integer("minutes", in: 1...1_440, default: 5)
        let key = try await OSThread.run(name: "key") { try KeyFile.load(path) }
        let signer = TokenSigner(key: key, issuer: issuer)
        Terminal.say(
            try signer.mint(
                subject: subject, audience: arguments.value("audience") ?? "ledger", kind: kind, scopes: Set(arguments.all("scope")),
                lifetime: Int64(minutes) * 60))
        return 0
    }
}
