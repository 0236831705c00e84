import Crypto
import DatanetDomain
import Events
import JSON
import Money
import TestSupport

/// The state and rules without a log: events go straight back into the state, time is a number that the test moves.
struct Rehearsal {
    var state = DatanetState()
    var now: Int64 = 1_800_000_000_000_000
    private(set) var events: [Occurrence] = []
    private var count = 0

    var time: Timestamp { Timestamp(microseconds: now) }

    mutating func pass(seconds: Int64) { now += seconds * 1_000_000 }

    /// Somebody asks for something.
    @discardableResult
    mutating func act(_ actor: String, _ rule: (DatanetState, Moment) throws -> [Decided]) throws -> [Decided] {
        count += 1
        let number = count
        let moment = Moment(time: time, logTime: time, actor: actor) { "\($0)_\(number)_\($1)" }
        let decided = try rule(state, moment)
        for (ordinal, event) in decided.enumerated() {
            try fold(
                Occurrence(
                    id: EventID(cause: "c\(number)", type: event.type, ordinal: ordinal), type: event.type, time: time, actor: actor,
                    position: nil, correlation: "t", data: event.data))
        }
        return decided
    }

    /// Another service says something.
    mutating func happen<Payload: EventData>(_ payload: Payload) throws {
        count += 1
        try fold(
            Occurrence(
                id: EventID(cause: "f\(count)", type: Payload.type, ordinal: 0), type: Payload.type, time: time, actor: "other",
                position: UInt64(count), correlation: "t", data: payload.json))
    }

    private mutating func fold(_ event: Occurrence) throws {
        events.append(event)
        try state.apply(event)
    }

    // MARK: Usual beginnings

    mutating func create(_ policy: DatanetPolicy = .usual, by owner: String = "olga") throws -> String {
        let events = try act(owner) { try MembershipRules.create("defi", media: "text", policy: policy, $1) }
        return try events.payload(DatanetCreated.self).datanet
    }

    mutating func join(_ datanet: String, _ principal: String, _ role: Role, by actor: String = "olga") throws {
        try act(actor) { try MembershipRules.grant($0, datanet, to: principal, role: role.rawValue, $1) }
    }

    mutating func screen(_ contribution: String, _ datanet: String, by contributor: String = "ann", _ items: [ScreenedItem]) throws {
        try happen(
            ContributionScreened(
                contribution: contribution, datanet: datanet, contributor: contributor, rules: "screening/1",
                accepted: items.count { $0.verdict == "accepted" }, rejected: items.count { $0.verdict != "accepted" },
                items: .entries(items)))
    }

    func prepared(_ contribution: String, judgingQuality: Bool? = nil) throws -> AdmissionRules.Prepared {
        let found = try state.contribution(contribution)
        guard case .entries(let items) = found.items else { throw Unprepared() }
        var already: Set<String> = []
        for case .entries(let list) in found.admitted { already.formUnion(list.map(\.item)) }
        let plan = AdmissionPlan(
            state, found, items: items, judgingQuality: judgingQuality ?? AdmissionRules.judgesQuality(state, found), already: already)
        return AdmissionRules.Prepared(items: items, plan: plan, already: already)
    }

    @discardableResult
    mutating func settle(_ contribution: String) throws -> [Decided] {
        let prepared = try prepared(contribution)
        return try act("datanet") { try AdmissionRules.settle($0, contribution, prepared, $1) }
    }

    /// Items that the Datanet has now.
    func live(_ datanet: String) throws -> [AdmittedItem] {
        try state.datanet(datanet).admitted.flatMap { state.contributions[$0]?.admitted ?? [] }.flatMap { list -> [AdmittedItem] in
            if case .entries(let items) = list { items } else { [] }
        }.filter { !state.isDropped($0) }
    }

    struct Unprepared: Error {}
}

extension [Decided] {
    func payload<Payload: EventData>(_ type: Payload.Type) throws -> Payload {
        guard let event = first(where: { $0.type == Payload.type }) else { throw Rehearsal.Unprepared() }
        return try Payload(event.data.object())
    }
}

extension DatanetPolicy {
    static let terms = GovernanceTerms(
        votingSeconds: 100, timelockSeconds: 50, quorumPoints: 5_000, reviewSeconds: 100, appealSeconds: 1_000, penaltyPoints: 1_000)

    static let usual = DatanetPolicy(
        access: "open", licences: ["CC-BY-4.0", "MIT"], treasuryPoints: 1_000, curatorPoints: 1_000, contributorPoints: 8_000,
        admission: "automatic", minimumQuality: 500, panel: 3, quorum: 2, voting: "role", governance: terms)

    static var reviewed: DatanetPolicy {
        var policy = usual
        policy.admission = "review"
        return policy
    }
}

extension ScreenedItem {
    static func item(
        _ name: String, owner: String = "ann", quality: Int = 900, licence: String = "CC-BY-4.0", verdict: String = "accepted",
        cluster: String? = nil, tokens: Int = 10
    ) -> ScreenedItem {
        ScreenedItem(
            item: name, commitment: SHA256.hash(utf8: "content of \(name)"), owner: owner, licence: licence, language: "en", tokens: tokens,
            bytes: 100, quality: quality, verdict: verdict, reasons: [], cluster: cluster ?? name)
    }
}

/// The rule that refused, or nil.
func refusal(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let refusal as DatanetRefusal { return refusal.code } catch { return "\(error)" }
}
