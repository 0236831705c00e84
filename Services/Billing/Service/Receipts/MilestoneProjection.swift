internal import Events
internal import JSON
internal import Postgres
internal import Projections

/// Where on the log stands what a receipt leads through, by type and subject.
struct MilestoneProjection: Projection {
    let name = "milestones"
    let schema = "billing"
    let version = 4
    let tables = ["milestones"]
    let types: Set<String>? = Milestone.types

    func apply(_ events: [ProjectedEvent], in session: PostgresSession, tables: TableNames) throws {
        var found: [(type: String, subject: String, position: Int64)] = []
        for event in events {
            for subject in try Milestone.subjects(event.header.type, event.members) {
                found.append((event.header.type, subject, Int64(event.position)))
            }
        }
        guard !found.isEmpty else { return }
        var rows = BinaryCopy(columns: 3, capacity: found.count * 80)
        for milestone in found {
            rows.startRow()
            rows.append(text: milestone.type)
            rows.append(text: milestone.subject)
            rows.append(int8: milestone.position)
        }
        try session.copyIn("copy \(tables["milestones"]) (type, subject, position) from stdin (format binary)", payload: rows)
    }
}

/// What each type of event is about, as receipts look for it.
enum Milestone {
    /// The types that receipts lead through.
    static let types: Set<String> = Set(members.keys).union([
        SettlementPosted.type, SettlementReleased.type, SettlementRulesSet.type, ModelPublished.type, AdmissionGranted.type,
        PayoutEpochClosed.type, SnapshotPublished.type,
    ])

    /// The member of the data that says it.
    private static let members: [String: String] = [
        SettlementCorrected.type: "settlement", RulingMade.type: "ruling", RefundPosted.type: "settlement",
        DisputeOpened.type: "settlement", DisputeResolved.type: "settlement",
        HoldCaptured.type: "reference", JournalPosted.type: "reference", PayoutRequested.type: "id", PayoutFinished.type: "id",
        PayoutClaimed.type: "address", WalletSet.type: "owner", InferenceCompleted.type: "inference", JobCompleted.type: "job",
        BaseModelRegistered.type: "model", ContributionSubmitted.type: "contribution",
        ContributionScreened.type: "contribution", DatanetCreated.type: "datanet", DatanetPolicyChanged.type: "datanet",
        MemberGranted.type: "datanet", MemberRevoked.type: "datanet",
    ]

    /// What an event is about; no two alike.
    static func subjects(_ type: String, _ data: EventMembers) throws(JSONError) -> [String] {
        switch type {
        case SettlementReleased.type: Set((try data.value("settlements")?.arrayValue ?? []).compactMap(\.stringValue)).sorted()
        // Whoever has an answer knows its own id alone.
        case SettlementPosted.type: Set([data.text("id"), data.text("reference")].compactMap { $0 }).sorted()
        // A task's receipt looks for a Datanet's newest.
        case SnapshotPublished.type: Set([data.text("snapshot"), data.text("datanet")].compactMap { $0 }).sorted()
        case SettlementRulesSet.type: [""]
        case PayoutEpochClosed.type: [epoch(data.text("asset") ?? "", data.int("epoch") ?? 0)]
        case ModelPublished.type: [model(data.text("model") ?? "", data.int("version") ?? 0)]
        case AdmissionGranted.type: [admission(data.text("contribution") ?? "", data.text("datanet") ?? "")]
        default: members[type].flatMap { data.text($0) }.map { [$0] } ?? []
        }
    }

    /// A closed epoch of an asset.
    static func epoch(_ asset: String, _ number: Int) -> String { "\(asset)@\(number)" }

    /// A version of a model.
    static func model(_ name: String, _ version: Int) -> String { "\(name)@\(version)" }

    /// A contribution's way into a Datanet.
    static func admission(_ contribution: String, _ datanet: String) -> String { "\(contribution)@\(datanet)" }
}

/// Reads the rows of ``MilestoneProjection``.
struct MilestoneReader: Sendable {
    let pool: PostgresPool

    private static let range = Statement(
        """
        select position from billing.milestones where type = $1 and subject = $2 and position > $3 and position < $4
        order by position limit $5
        """, name: "milestones")
    private static let newest = Statement(
        "select position from billing.milestones where type = $1 and subject = $2 and position < $3 order by position desc limit 1",
        name: "last milestone")

    /// The positions of a subject's events between two others, in order.
    func all(_ type: String, _ subject: String, after: Int = -1, before: Int = .max, limit: Int = 10_000) async throws -> [Int] {
        let rows = try await pool.execute(
            Self.range, [.text(type), .text(subject), .int(Int64(after)), .int(Int64(before)), .int(Int64(limit))])
        return try rows.map { Int(try $0.int(0)) }
    }

    /// The last of a subject's events before another.
    func last(_ type: String, _ subject: String, before: Int = .max) async throws -> Int? {
        try await pool.execute(Self.newest, [.text(type), .text(subject), .int(Int64(before))]).first.map { Int(try $0.int(0)) }
    }

    private static let firsts = Statement(
        "select subject, min(position) from billing.milestones where type = $1 and subject = any($2) group by subject",
        name: "first milestones")

    /// The first event of each of many subjects.
    func first(_ type: String, of subjects: [String]) async throws -> [String: Int] {
        var found: [String: Int] = [:]
        for start in stride(from: 0, to: subjects.count, by: 1_000) {
            let part = Array(subjects[start..<min(start + 1_000, subjects.count)])
            for row in try await pool.execute(Self.firsts, [.text(type), .textArray(part)]) {
                found[try row.text(0)] = Int(try row.int(1))
            }
        }
        return found
    }
}
