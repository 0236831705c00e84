internal import BillingDomain
internal import Events
internal import JSON
internal import Money

/// One line of a statement.
struct StatementLine: Sendable {
    let position: UInt64
    let time: Timestamp
    let type: String
    let subject: String
    /// The answer, training or task that was paid for; empty for none, and for what pays for several.
    let reference: String
    let amount: Amount
    let balance: Amount
    /// Of what became available: the settlements that it is of, as far as they are shown.
    var shares: [PaidShare] = []
    /// How many those are in all.
    var shareCount = 0

    /// How many shares stand beside a line; the others have an address.
    static let shownShares = 20

    /// Whether it makes available what settlements gave before.
    var isRelease: Bool { type == SettlementReleased.type }

    /// As it is shown.
    /// - Parameter account: whose statement it is.
    func json(of account: AccountID) -> JSONValue {
        let links = links
        return .members([
            "position": .count(Int(position)), "time": .string(time.description), "type": .string(type), "subject": .string(subject),
            "reference": reference.isEmpty ? nil : .string(reference), "amount": amount.json, "balance": balance.json,
            "links": .members([
                "proof": .string(links.proof), "answer": links.answer.map { .string($0) },
                "attribution": links.attribution.map { .string($0) }, "answers": isRelease ? .string(answers(of: account)) : nil,
            ]),
            "answers": isRelease ? .array(shares.prefix(Self.shownShares).map(\.json)) : nil,
            "answers_count": isRelease ? .count(shareCount) : nil,
        ])
    }

    /// Where what it is about can be looked at, relative to the house's address.
    var links: AnswerLinks { AnswerLinks(reference: reference, position: position) }

    /// Where all answers of a release are listed.
    func answers(of account: AccountID) -> String {
        "/v1/statements/answers?account=\(Self.encoded(account.text))&asset=\(Self.encoded(amount.asset.text))&position=\(position)"
    }

    private static func encoded(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            let isPlain =
                (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
                || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ":"), UInt8(ascii: "/")]
                    .contains(byte)
            encoded += isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return encoded
    }

    static let header = "position,time,type,subject,reference,amount,balance,asset,proof,answer,attribution\r\n"

    /// A line of RFC 4180; what people made cannot begin a formula in a spreadsheet. What a release is made of stands in its `reference`,
    /// divided by blanks, as far as it is shown, and all of it at the address under `answer`.
    func csv(of account: AccountID) -> String {
        let links = links
        var about = reference
        if isRelease {
            about = shares.prefix(Self.shownShares).map(\.reference).joined(separator: " ")
            if shareCount > Self.shownShares { about += " +\(shareCount - Self.shownShares)" }
        }
        let texts = "\(CSVText.cell(subject)),\(CSVText.cell(about))"
        let places = [links.proof, isRelease ? answers(of: account) : links.answer ?? "", links.attribution ?? ""].map { CSVText.cell($0) }
        return "\(position),\(time),\(type),\(texts),\(amount.decimal),\(balance.decimal),\(amount.asset),"
            + places.joined(separator: ",") + "\r\n"
    }
}

/// What a settlement gave of what became available.
struct PaidShare: Sendable {
    let settlement: String
    let kind: String
    /// The answer, training or task that was settled.
    let reference: String
    /// Where the settlement stands on the log.
    let position: UInt64
    let amount: Amount

    var links: AnswerLinks { AnswerLinks(reference: reference, position: position) }

    var json: JSONValue {
        let links = links
        return [
            "settlement": .string(settlement), "kind": .string(kind), "reference": .string(reference), "amount": amount.json,
            "links": .members([
                "proof": .string(links.proof), "answer": links.answer.map { .string($0) },
                "attribution": links.attribution.map { .string($0) },
            ]),
        ]
    }
}

/// Where an answer, its attribution and the proof of an event can be looked at, relative to the house's address.
struct AnswerLinks: Sendable {
    let proof: String
    let answer: String?
    let attribution: String?

    init(reference: String, position: UInt64) {
        proof = "/log/v1/events/\(position)/proof"
        // A task's stage is named by the task and its number.
        let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let name = parts.first.map { String($0) } ?? ""
        let isPlain = name.utf8.allSatisfy { byte in
            (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39) || byte == 0x5F || byte == 0x2D
        }
        guard isPlain, !name.isEmpty else {
            (answer, attribution) = (nil, nil)
            return
        }
        if parts.count > 1 {
            (answer, attribution) = ("/v1/tasks/" + name, nil)
        } else if name.hasPrefix("job_") {
            (answer, attribution) = ("/v1/training-jobs/" + name, nil)
        } else {
            (answer, attribution) = ("/v1/inferences/" + name, "/v1/attributions/" + name)
        }
    }
}
