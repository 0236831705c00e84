internal import Events
internal import Identity
internal import JSON
internal import ServiceShell
internal import Web

/// What may be read by the Model Context Protocol: the caller's receipts. Billing is asked in the caller's own name, so that it decides who
/// may see what.
struct ReceiptResources: Sendable {
    let peers: Peers
    let signer: TokenSigner

    private static let prefix = "openledger://receipts/"
    /// The accounts of a principal whose entries have receipts.
    private static let kinds = ["payer", "model-owner", "contributor"]
    /// Most receipts that are listed.
    private static let most = 200

    static let templates: JSONValue = [
        [
            "uriTemplate": .string(prefix + "{id}"), "name": "receipt", "title": "Receipt", "mimeType": "application/json",
            "description":
                "Who was paid what for an answer (in_…), a training (job_…), a stage of a task (tk_…%230) or a payout (po_…), and why, with every proof.",
        ]
    ]

    /// The billing that this caller sees.
    private func billing(_ caller: Caller) -> Peers {
        peers.using { [signer] _ in
            try signer.mint(subject: caller.subject, audience: "openledger", kind: caller.kind, scopes: caller.scopes, lifetime: 60)
        }
    }

    /// Receipts of what the caller paid or earned, the newest last. One of an answer that was charged and is not settled yet is listed, and
    /// can be read once it is.
    func list(_ caller: Caller) async throws -> JSONValue {
        let billing = billing(caller)
        var found: [(id: String, position: Int64)] = []
        for kind in Self.kinds {
            let account = "\(kind):\(caller.subject)"
            let shown: JSONValue
            do {
                shown = try await relayed { try await billing.call("GET", .billing, "/v1/accounts/" + account) }
            } catch let problem as Problem where problem.status == 404 || problem.status == 422 { continue }
            for asset in shown["assets"]?.arrayValue ?? [] {
                guard let name = asset["balance"]?["asset"]?.stringValue else { continue }
                let path = "/v1/statements?account=\(account)&asset=\(PercentEncoding.encode(name))&limit=1000"
                let lines = try await relayed { try await billing.call("GET", .billing, path) }
                for line in lines["items"]?.arrayValue ?? [] {
                    guard let id = line["reference"]?.stringValue ?? line["subject"]?.stringValue,
                        ["in_", "job_", "tk_"].contains(where: { id.hasPrefix($0) }), let position = line["position"]?.intValue
                    else { continue }
                    // The number of a task's stage stands behind a sign that ends a URI's path.
                    found.append((PercentEncoding.encode(id), position))
                }
            }
        }
        var listed: Set<String> = []
        let shown = found.sorted { $0.position < $1.position }.filter { listed.insert($0.id).inserted }.suffix(Self.most)
        return .array(
            shown.map { receipt in
                [
                    "uri": .string(Self.prefix + receipt.id), "name": .string(receipt.id), "title": .string("Receipt of \(receipt.id)"),
                    "mimeType": "application/json",
                ]
            })
    }

    /// What a resource holds.
    /// - Parameter isModern: whether it is asked for by a revision without a handshake, whose error for what is not there is another.
    func read(_ uri: String, _ caller: Caller, isModern: Bool) async throws -> JSONValue {
        let id = String(uri.dropFirst(Self.prefix.count))
        guard uri.hasPrefix(Self.prefix), id.utf8.count <= 200, Self.isID(id) else { throw Self.missing(uri, isModern) }
        let file: [UInt8]
        do {
            file = try await relayed {
                try await billing(caller).bytes("GET", .billing, "/v1/receipts/" + id, timeout: .seconds(60))
            }
        } catch let problem as Problem where problem.status == 404 { throw Self.missing(uri, isModern) }
        return [["uri": .string(uri), "mimeType": "application/json", "text": .string(String(decoding: file, as: UTF8.self))]]
    }

    /// A plain name, for a task's stage with its number.
    private static func isID(_ text: String) -> Bool {
        let (name, stage) = text.firstRange(of: "%23").map { (text[..<$0.lowerBound], text[$0.upperBound...]) } ?? (text[...], "0")
        return !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") } && !stage.isEmpty
            && stage.allSatisfy { $0.isASCII && $0.isNumber }
    }

    /// As the protocol says it: the parameter is wrong, and which. Before 2026-07-28 that had a code of its own (2025-11-25,
    /// server/resources, Error Handling).
    private static func missing(_ uri: String, _ isModern: Bool) -> JSONRPC.Fault {
        JSONRPC.Fault(
            code: isModern ? -32_602 : -32_002, message: "there is no resource \(uri.prefix(300))",
            data: ["uri": .string(String(uri.prefix(300)))])
    }
}
