import Crypto
import EventLog
import Foundation
import HTTP
import HTTPClient
import JSON
import Money
import Replay

/// The whole way of the data, through public REST alone, as several people: contributions, Datanets, snapshots, a fine-tuning, answers,
/// attribution, settlement, audit. Every step is checked; what does not happen fails the story.
struct WayStory: Sendable {
    let client: WayClient
    let log: VerifierKey
    let administrator: String
    let data: [WayData]
    /// How long the model learns.
    let epochs: Int
    /// Where the receipts and the copy of the log go.
    let shelf: WayShelf
    /// Whether the house is somebody else's, who has rules, models and payees of their own.
    let isGuest: Bool

    func tell() async throws {
        let cast = try await people()
        try await underRules { try await tell(cast) }
        try await audit()
    }

    private func tell(_ cast: Cast) async throws {
        let datanets = try await bringIn(cast)
        let model = try await learn(cast, datanets)
        let answers = try await ask(cast, model)
        let earned = try await settle(answers)
        let refunded = try await contestFee(cast, answers, earned)
        // What was given back moved nothing.
        try checkMethods(earned.filter { $0.key != refunded })
        let corrected = try await contestShares(cast, answers, earned, besides: refunded)
        try await withdraw(cast, datanets)
        let paidOut = try await payOut(cast, stillOpen: corrected)
        try await receipts(answers, earned, corrected, paidOut)
        let names = Dictionary(datanets.map { ($0.id, $0.name) }) { first, _ in first }
        try WaySummary(
            cast: cast, datanets: names, answers: answers, earned: earned, refunded: refunded, final: try await whatCameOfIt(earned)
        ).tell()
    }

    /// Who takes part.
    struct Cast: Sendable {
        let maya: WayPerson
        let app: WayPerson
        let agent: WayPerson
        /// Who review what comes in.
        let validators: [WayPerson]
        /// By author's name.
        let authors: [String: WayPerson]

        func name(of principal: String) -> String {
            if let author = authors.first(where: { $0.value.principal == principal }) { return author.key }
            return ([maya, app, agent] + validators).first { $0.principal == principal }?.name ?? principal
        }
    }

    // MARK: People

    private func people() async throws -> Cast {
        let names = data.flatMap { $0.authors.map(\.name) }
        Terminal.say("\n1. \(Set(names).count + 6) people, apps and agents register, each by a key of their own.")
        let maya = try await WayPerson.arrive("Maya", client)
        let app = try await WayPerson.arrive("the Almanac app", kind: "organisation", client)
        let agent = try await WayPerson.arrive("Almanac's agent", kind: "agent", of: app, client)
        var validators: [WayPerson] = []
        for name in ["Vera", "Viktor", "Wanda"] { validators.append(try await WayPerson.arrive(name, client)) }
        var authors: [String: WayPerson] = [:]
        for name in names where authors[name] == nil { authors[name] = try await WayPerson.arrive(name, client) }
        for person in [maya] + authors.values {
            _ = try await client.call(
                "POST", "/v1/principals/\(person.principal)/claims", as: administrator, json: ["claim": "vouched"])
        }
        Terminal.say("   Maya opens the Datanets; \(authors.count) authors are vouched for, so that what they earn can be paid.")
        return Cast(maya: maya, app: app, agent: agent, validators: validators, authors: authors)
    }

    // MARK: Audit

    private func audit() async throws {
        Terminal.say(
            "\n10. A stranger copies the log with its evidence, and computes everything on it again, trusting nothing but its key:")
        let trust = try LogTrust(keys: [log])
        let source = HTTPLogSource(transport: client.transport, url: client.url + "/log")
        _ = try await LogExport(source, to: shelf.bundle, trust: trust, evidence: source).run()
        let bundle = FolderLogSource(shelf.bundle)
        let report = try await FullAudit(log: bundle, trust: trust, evidence: bundle).run()
        if let fault = report.log.fault { throw CommandError("the audit failed: \(fault)") }
        if let fault = report.replay.faults.first { throw CommandError("the audit failed: \(fault)") }
        var checked: [String: Int] = [:]
        for service in report.replay.services { checked.merge(service.checked) { $0 + $1 } }
        // What came to pass on the way has been decided again, or the audit looked at something else.
        for what in ["attributions", "settlements", "snapshots' roots", "pieces of evidence", "contributors' signatures"]
        where checked[what] ?? 0 == 0 {
            throw CommandError("the audit is green and checked no \(what)")
        }
        guard checked["settlements", default: 0] >= checked["attributions", default: 0] else {
            throw CommandError("the audit found \(checked["attributions", default: 0]) attributions and fewer settlements")
        }
        let decided = report.replay.services.reduce(0) { $0 + Int($1.events) }
        Terminal.say("   \(DemoText.number(Int(report.log.progress.done))) events: every entry, every tile, the root, the signature.")
        Terminal.say(
            "   \(DemoText.number(decided)) decisions made again: \(checked["attributions"] ?? 0) attributions, \(checked["settlements"] ?? 0) settlements, \(checked["snapshots' roots"] ?? 0) snapshots, \(checked["pieces of evidence"] ?? 0) pieces of evidence."
        )
        guard let checkpoint = report.log.checkpoint else { throw CommandError("the copy of the log has no checkpoint") }
        Terminal.say("   Checkpoint: \(checkpoint.origin), \(DemoText.number(Int(checkpoint.size))) events, root \(checkpoint.root.hex)")
        if shelf.isKept {
            try shelf.keep(key: log)
            Terminal.say("   It is in \(shelf.path), with the receipts, to check anywhere:\n   \(shelf.advice)")
        }
        Terminal.say("\naudit: green")
    }
}
