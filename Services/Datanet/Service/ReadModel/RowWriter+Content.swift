internal import Crypto
internal import DatanetDomain
internal import Events
internal import JSON
internal import Postgres
internal import Projections

/// Items: coming in, going out, and taken back.
extension RowWriter {
    func content(_ data: JSONFields) throws {
        switch event.header.type {
        case ContributionScreened.type:
            let screened = try ContributionScreened(data)
            try run(
                """
                insert into \(tables["contributions"]) (id, datanet, contributor, position, status, reason)
                values ($1,$2,$3,$4,'pending','') on conflict do nothing
                """,
                [.text(screened.contribution), .text(screened.datanet), .text(screened.contributor), position])
        case AdmissionGranted.type:
            let granted = try AdmissionGranted(data)
            try insert(try lists.waitForEntries(granted.items), granted.datanet)
            try status(granted.contribution, "admitted", "")
        case AdmissionRefused.type:
            let refused = try AdmissionRefused(data)
            guard refused.items.isEmpty else {
                return try run(
                    "update \(tables["contributions"]) set status = 'refused', reason = $2 where id = $1 and status = 'pending'",
                    [.text(refused.contribution), .text(refused.reason)])
            }
            try run("delete from \(tables["items"]) where contribution = $1", [.text(refused.contribution)])
            try status(refused.contribution, "refused", refused.reason)
        case ContributionWithdrawn.type:
            let withdrawn = try ContributionWithdrawn(data)
            try withdraw(withdrawn.contribution, withdrawn.items)
        case ContentErased.type:
            let erased = try ContentErased(data)
            if !erased.items.isEmpty {
                try withdraw("", erased.items)
            } else if let contribution = erased.contribution {
                try withdraw(contribution, [])
            } else {
                try run(
                    """
                    insert into \(tables["erasures"]) as e (owner, position) values ($1,$2)
                    on conflict (owner) do update set position = greatest(e.position, excluded.position)
                    """, [.text(erased.owner), position])
                // What was screened before goes, what comes later stays.
                try run(
                    """
                    update \(tables["items"]) i set dropped = true from \(tables["contributions"]) c
                    where i.owner = $1 and c.id = i.contribution and c.position < $2
                    """, [.text(erased.owner), position])
            }
        default: break
        }
    }

    /// - Parameters:
    ///   - contribution: empty for items wherever they are.
    ///   - items: none for all of the contribution.
    private func withdraw(_ contribution: String, _ items: [String]) throws {
        try run(
            "insert into \(tables["withdrawals"]) (contribution, item) select $1, unnest($2::text[]) on conflict do nothing",
            [.text(contribution), .textArray(items.isEmpty ? [""] : items)])
        try run(
            """
            update \(tables["items"]) set dropped = true
            where ($1 = '' or contribution = $1) and (cardinality($2::text[]) = 0 or item = any($2::text[]))
            """, [.text(contribution), .textArray(items)])
    }

    /// An item may have been taken back between the decision to admit it and the event that says so.
    private func insert(_ items: [AdmittedItem], _ datanet: String) throws {
        try run(
            """
            insert into \(tables["items"]) (item, datanet, contribution, owner, commitment, tokens, licence, language, cluster, dropped)
            select n.item, $1, n.contribution, n.owner, n.commitment, n.tokens, n.licence, n.language, n.cluster,
                exists (select from \(tables["withdrawals"]) w
                    where w.contribution = n.contribution and w.item in ('', n.item) or w.contribution = '' and w.item = n.item)
                or exists (select from \(tables["erasures"]) e join \(tables["contributions"]) c on c.id = n.contribution
                    where e.owner = n.owner and e.position > c.position)
            from unnest($2::text[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::text[], $8::text[], $9::text[])
                as n (item, contribution, owner, commitment, tokens, licence, language, cluster)
            """,
            [
                .text(datanet), .textArray(items.map(\.item)), .textArray(items.map(\.contribution)), .textArray(items.map(\.owner)),
                .byteaArray(items.map(\.commitment.bytes)), .int8Array(items.map { Int64($0.tokens) }), .textArray(items.map(\.licence)),
                .textArray(items.map(\.language)), .textArray(items.map(\.cluster)),
            ])
    }
}
