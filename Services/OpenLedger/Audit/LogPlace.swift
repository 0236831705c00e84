internal import EventLog
internal import HTTPClient

/// What a person types for a log: a URL or a folder.
enum LogPlace {
    static let note = "LOG is a log's URL, such as http://127.0.0.1:7400/log, or the folder of a bundle."

    /// Whom a server that stands behind its own TLS is to be trusted by.
    static let ca = ArgumentSpecification.Option(
        name: "ca", value: "FILE", help: "The certificate (PEM) that a server's TLS is trusted by, where it is no public authority's.")

    /// The source behind it. A bare address means the log of the server there.
    /// - Parameters:
    ///   - local: a folder that may hold some of it already.
    ///   - ca: the certificate that TLS is trusted by; nil for those that the machine trusts.
    static func source(_ text: String, local: String? = nil, ca: String? = nil) throws -> any LogSource {
        guard text.hasPrefix("http://") || text.hasPrefix("https://") else { return FolderLogSource(text) }
        var url = text[...]
        while url.hasSuffix("/") { url = url.dropLast() }
        let authority = url.drop { $0 != ":" }.dropFirst(3)
        if !authority.contains("/") { url += "/log" }
        return HTTPLogSource(transport: try transport(ca: ca), url: String(url), local: local.map { FolderLogSource($0) })
    }

    /// What carries requests.
    static func transport(ca: String?) throws -> CurlTransport {
        // A file that is not there would show as a server that is not trusted.
        if let ca { _ = try SmallTextFile.bytes(ca) }
        return try CurlTransport(options: CurlOptions(caFile: ca))
    }
}

/// What all commands that read logs have in common: what they say when something fails, and their exit status.
enum LogCommand {
    /// The log is bad.
    static let bad: Int32 = 1
    /// The command could not be understood, or the log not be read.
    static let usage: Int32 = 2

    static let statusNote = "Exit status: 0 all is well, 1 the log is bad, 2 it could not be read or the command not be understood."

    /// Runs a command's body; turns what it throws into words and a status.
    static func run(
        _ typed: [String], _ syntax: ArgumentSpecification, _ console: Console, _ body: (Arguments) async throws -> Int32
    ) async -> Int32 {
        do {
            return try await body(try syntax.parse(typed))
        } catch let error as UsageError {
            if error.isHelp {
                console.out(error.description)
                return 0
            }
            console.err("\(syntax.command): \(error)")
            return usage
        } catch let fault as AuditFault {
            console.err("\(syntax.command): THE LOG IS BAD: \(fault)")
            return bad
        } catch {
            console.err("\(syntax.command): \(error)")
            return usage
        }
    }
}
