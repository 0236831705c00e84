internal import BillingDomain
internal import EventLog
internal import Events
internal import Foundation
internal import HTTP
internal import HTTPClient
internal import JSON

/// `openledger receipt ID`: fetches the receipt of a settlement or payout, checks it, and writes it to a file.
enum ReceiptCommand {
    static let specification = ArgumentSpecification(
        command: "openledger receipt", summary: "Fetches the receipt of a settlement or payout: who gets what, and why, with all proofs.",
        operands: ["ID"],
        options: [
            .init(name: "url", value: "URL", help: "Where billing answers; http://127.0.0.1:7400 when left out."),
            .init(name: "account", value: "ACCOUNT", help: "The payee, such as contributor:ann; your own account when left out."),
            .init(name: "token-file", value: "FILE", help: "An API key or token; the variable OPENLEDGER_TOKEN when left out."),
            LogPlace.ca,
            .init(name: "output", value: "FILE", help: "Where to write it, also -o; standard output when left out."),
        ] + TrustOptions.options,
        notes: [
            "Payers, payees (their own account) and auditors (scope billing:read) get it. With --key, --key-file or --policy the checkpoint's\n"
                + "signatures are checked as well; openledger verify FILE does so at any time, without a server.",
            "Exit status: 0 it holds and was written, 1 it does not hold, 2 it could not be had or the command not be understood.",
        ].joined(separator: "\n\n"))

    /// Runs it.
    /// - Returns: the exit status.
    static func run(_ typed: [String]) async -> Int32 {
        await run(typed, console: .standard, environment: ProcessInfo.processInfo.environment) { try LogPlace.transport(ca: $0) }
    }

    static func run(
        _ typed: [String], console: Console, environment: [String: String],
        transport: @escaping @Sendable (_ ca: String?) throws -> any Transport
    ) async -> Int32 {
        await LogCommand.run(typed.map { $0 == "-o" ? "--output" : $0 }, specification, console) { arguments in
            let bytes = try await fetch(arguments, environment, try transport(arguments.value("ca")))
            let isTrusted = ["key", "key-file", "policy"].contains { !arguments.all($0).isEmpty }
            let trust = isTrusted ? try await TrustOptions.read(arguments, from: nil) { [] } : nil
            do throws(ReceiptFault) { try check(bytes, trust) } catch {
                console.err("THE RECEIPT DOES NOT HOLD: \(error)")
                return LogCommand.bad
            }
            if trust == nil { console.err("Nobody's signature was looked at: openledger verify FILE --key VKEY does.") }
            guard let path = arguments.value("output") else {
                console.out(String(decoding: bytes, as: UTF8.self))
                return 0
            }
            do { try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
                throw UsageError("cannot write \(path): \(error.localizedDescription)")
            }
            console.err("The receipt is in \(path).")
            return 0
        }
    }

    private static func check(_ bytes: [UInt8], _ trust: LogTrust?) throws(ReceiptFault) {
        let receipt = try Receipt(parsing: bytes)
        if let trust {
            _ = try ReceiptCheck.check(receipt, trust: trust)
        } else {
            _ = try ReceiptCheck.checkUnsigned(receipt)
        }
    }

    private static func fetch(
        _ arguments: Arguments, _ environment: [String: String], _ transport: any Transport
    ) async throws -> [UInt8] {
        var url = arguments.value("url") ?? "http://127.0.0.1:7400"
        while url.hasSuffix("/") { url.removeLast() }
        let id = arguments.operands[0]
        guard let path = encode(id) else { throw UsageError("\(id) is no id of a settlement or payout") }
        var query = ""
        if let account = arguments.value("account") {
            guard AccountID(account) != nil, let text = encode(account) else {
                throw UsageError("--account \(account) must be <kind>:<owner>, such as contributor:ann")
            }
            query = "?account=" + text
        }
        let token: String
        if let file = arguments.value("token-file") {
            token = try SmallTextFile.read(file).trimmingCharacters(in: .whitespacesAndNewlines)
        } else {
            token = environment["OPENLEDGER_TOKEN"] ?? ""
        }
        guard !token.isEmpty else { throw UsageError("who asks? Give --token-file, or set OPENLEDGER_TOKEN to an API key or token") }
        var request = ClientRequest(
            url: url + "/v1/receipts/" + path + query, timeout: .seconds(90), maximumBodyBytes: Receipt.maximumBytes)
        request.headers.set("Authorization", "Bearer " + token)
        let response = try await transport.send(request)
        let body = try await response.body.collect(upTo: Receipt.maximumBytes)
        guard response.status == 200 else {
            let detail = (try? JSON.parse(body))?["detail"]?.stringValue ?? String(decoding: body.prefix(200), as: UTF8.self)
            throw UsageError("\(url) answered \(response.status): \(detail)")
        }
        return body
    }

    private static func encode(_ text: String) -> String? {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~:")
        return text.isEmpty ? nil : text.addingPercentEncoding(withAllowedCharacters: allowed)
    }
}
