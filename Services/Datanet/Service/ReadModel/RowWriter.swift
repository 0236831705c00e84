internal import Crypto
internal import DatanetDomain
internal import Events
internal import JSON
internal import Postgres
internal import Projections

/// Writes the rows of one event.
struct RowWriter {
    let event: ProjectedEvent
    let session: PostgresSession
    let tables: TableNames
    let lists: ItemLists

    mutating func write() throws {
        let data = try JSON.parse(Array(event.data)).object()
        switch event.header.type {
        case DatanetCreated.type:
            let created = try DatanetCreated(data)
            try run(
                "insert into \(tables["datanets"]) (id, owner, domain, media, policy, created, position) values ($1,$2,$3,$4,$5,$6,$7)",
                [
                    .text(created.datanet), .text(created.owner), .text(created.domain), .text(created.media),
                    try json(created.policy.json),
                    time, position,
                ])
            try member(created.datanet, created.owner, Role.owner.rawValue)
        case DatanetPolicyChanged.type:
            let changed = try DatanetPolicyChanged(data)
            try run("update \(tables["datanets"]) set policy = $2 where id = $1", [.text(changed.datanet), try json(changed.policy.json)])
            if let proposal = changed.proposal {
                try run("update \(tables["proposals"]) set enacted = true where id = $1", [.text(proposal)])
            }
        case MemberGranted.type:
            let granted = try MemberGranted(data)
            try member(granted.datanet, granted.principal, granted.role)
        case MemberRevoked.type:
            let revoked = try MemberRevoked(data)
            try run(
                "delete from \(tables["members"]) where datanet = $1 and principal = $2 and role = $3",
                [.text(revoked.datanet), .text(revoked.principal), .text(revoked.role)])
        case SnapshotPublished.type: try snapshot(SnapshotPublished(data))
        case AccessRequested.type:
            let requested = try AccessRequested(data)
            try access("requested", requested.datanet, requested.request, requested.requester, data)
        case AccessGranted.type:
            let granted = try AccessGranted(data)
            try access("granted", granted.datanet, granted.grant, granted.grantee, data)
        case AccessRevoked.type:
            let revoked = try AccessRevoked(data)
            try access("revoked", revoked.datanet, revoked.grant, event.header.actor, data)
        case AccessUsed.type:
            let used = try AccessUsed(data)
            try access("used", used.datanet, used.access, used.reader, data)
        case AccessSearched.type:
            let searched = try AccessSearched(data)
            try access("searched", searched.datanet, searched.access, searched.reader, data)
        case InferenceCompleted.type: try retrieved(InferenceCompleted(data))
        case RulingMade.type:
            let ruling = try RulingMade(data)
            try run(
                "insert into \(tables["rulings"]) (id, about, subject, upheld, data, time, position) values ($1,$2,$3,$4,$5,$6,$7)",
                [
                    .text(ruling.ruling), .text(ruling.about), .text(ruling.subject), .bool(ruling.upheld), try json(ruling.json), time,
                    position,
                ])
        default:
            try content(data)
            try votes(data)
        }
    }

    private func votes(_ data: JSONFields) throws {
        switch event.header.type {
        case ReviewOpened.type:
            let opened = try ReviewOpened(data)
            try run(
                """
                insert into \(tables["reviews"]) (id, datanet, contribution, round, opened, outcome, admit, refuse, position)
                values ($1,$2,$3,$4,$5,'',0,0,$6)
                """,
                [
                    .text(opened.review), .text(opened.datanet), .text(opened.contribution), .int(Int64(opened.round)), time, position,
                ])
            if opened.round == 1 { try status(opened.contribution, "review", "") }
        case ReviewClosed.type:
            let closed = try ReviewClosed(data)
            try run(
                "update \(tables["reviews"]) set outcome = $2, admit = $3, refuse = $4 where id = $1",
                [.text(closed.review), .text(closed.outcome), .int(Int64(closed.admit)), .int(Int64(closed.refuse))])
        case ProposalOpened.type:
            let opened = try ProposalOpened(data)
            try run(
                """
                insert into \(tables["proposals"])
                (id, datanet, proposer, policy, voting, opened, closes, outcome, in_favour, against, enacted, position)
                values ($1,$2,$3,$4,$5,$6,$7,'',0,0,false,$8)
                """,
                [
                    .text(opened.proposal), .text(opened.datanet), .text(opened.proposer), try json(opened.policy.json),
                    .text(opened.voting),
                    time, .timestamp(opened.closes.microseconds), position,
                ])
        case ProposalVoted.type:
            let voted = try ProposalVoted(data)
            let column = voted.inFavour ? "in_favour" : "against"
            try run(
                "update \(tables["proposals"]) set \(column) = \(column) + $2 where id = $1",
                [.text(voted.proposal), .numeric(voted.weight)])
        case ProposalClosed.type:
            let closed = try ProposalClosed(data)
            try run("update \(tables["proposals"]) set outcome = $2 where id = $1", [.text(closed.proposal), .text(closed.outcome)])
        default: break
        }
    }

    private func snapshot(_ published: SnapshotPublished) throws {
        try run(
            """
            insert into \(tables["snapshots"])
            (id, datanet, number, root, list, manifest, items, tokens, owners, publisher, published, position)
            values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)
            """,
            [
                .text(published.snapshot), .text(published.datanet), .int(Int64(published.number)), .bytes(published.root.bytes),
                .bytes(published.list.bytes), .bytes(published.manifest.bytes), .int(Int64(published.items)), .int(Int64(published.tokens)),
                .int(Int64(published.owners)), .text(event.header.actor),
                .timestamp((published.published ?? event.header.time).microseconds),
                position,
            ])
    }

    private func access(_ what: String, _ datanet: String, _ id: String, _ principal: String, _ data: JSONFields) throws {
        try access(what, datanet, id, principal, .object(data.object))
    }

    private func access(_ what: String, _ datanet: String, _ id: String, _ principal: String, _ data: JSONValue) throws {
        try run(
            "insert into \(tables["accesses"]) (position, datanet, what, id, principal, data, time) values ($1,$2,$3,$4,$5,$6,$7)",
            [position, .text(datanet), .text(what), .text(id), .text(principal), try json(data), time])
    }

    /// The answer's own event is the record of what was looked up for it: an access to each Datanet that passages came from.
    private func retrieved(_ answer: InferenceCompleted) throws {
        let passages = try lists.waitForEntries(answer.passages)
        for (datanet, found) in Dictionary(grouping: passages, by: \.datanet).sorted(by: { $0.key < $1.key }) {
            try access(
                "retrieved", datanet, answer.inference, answer.actor,
                [
                    "inference": .string(answer.inference), "datanet": .string(datanet), "purpose": "retrieve",
                    "model": .string(answer.model),
                    "version": .count(answer.version), "items": .array(found.map { .string($0.item) }),
                ])
        }
    }

    private func member(_ datanet: String, _ principal: String, _ role: String) throws {
        try run(
            "insert into \(tables["members"]) (datanet, principal, role) values ($1,$2,$3) on conflict do nothing",
            [.text(datanet), .text(principal), .text(role)])
    }

    func status(_ contribution: String, _ status: String, _ reason: String) throws {
        try run(
            "update \(tables["contributions"]) set status = $2, reason = $3 where id = $1",
            [.text(contribution), .text(status), .text(reason)])
    }

    func run(_ sql: String, _ values: [PostgresValue]) throws { try session.execute(Statement(sql), values) }
    func json(_ value: JSONValue) throws -> PostgresValue { .json(try JSON.canonical(value)) }
    var time: PostgresValue { .timestamp(event.header.time.microseconds) }
    var position: PostgresValue { .int(Int64(event.position)) }
}
