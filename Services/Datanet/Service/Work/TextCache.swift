internal import DatanetDomain
internal import Events
internal import JSON
internal import Postgres
internal import Telemetry

/// Keeps the cache of texts like the items: fetches what is missing, and throws away what was taken back. Who had everything
/// erased loses the key of what they wrote here too.
struct TextCache: Sendable {
    let core: DatanetCore
    let content: ItemContent

    /// Items fetched at a time.
    private static let batch = 64
    /// A text beyond this many bytes is searched by its beginning: PostgreSQL's tsvector has at most 1 MiB.
    private static let maximumBytes = 200_000

    /// Works until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            var isDone = true
            do {
                try await purge()
                try await eraseWritings()
                isDone = try await fill() < Self.batch
            } catch {
                if Task.isCancelled { return }
                core.logger.warning("the texts are not up to date: \(error)")
            }
            if isDone { try? await Task.sleep(for: .milliseconds(500)) }
        }
    }

    /// Throws away the texts of items that are not in their Datanets any more.
    func purge() async throws {
        _ = try await core.pool.execute(
            """
            delete from datanet.texts t where not exists
                (select from datanet.items i where i.contribution = t.contribution and i.item = t.item and not i.dropped)
            """)
    }

    /// Destroys the keys of writers whose erasure has not been done here yet. It is noted behind the deed: done twice is as well as once.
    func eraseWritings() async throws {
        let due = try await core.pool.execute(
            """
            select e.owner, e.position from datanet.erasures e where not exists
                (select from datanet.erased_writings w where w.owner = e.owner and w.position >= e.position)
            limit $1
            """, [.int(Int64(Self.batch))])
        for row in due {
            let owner = try row.text("owner")
            try await core.writings.erase(owner, time: core.clock().description)
            _ = try await core.pool.execute(
                """
                insert into datanet.erased_writings (owner, position) values ($1,$2)
                on conflict (owner) do update set position = excluded.position
                """, [.text(owner), .int(try row.int("position"))])
        }
    }

    /// Fetches some texts that are missing.
    /// - Returns: how many were looked at.
    func fill() async throws -> Int {
        let missing = try await core.pool.execute(
            """
            select i.item, i.contribution, i.datanet from datanet.items i
            join datanet.datanets d on d.id = i.datanet and d.media = 'text' where not i.dropped and not exists
                (select from datanet.texts t where t.contribution = i.contribution and t.item = i.item)
            limit $1
            """, [.int(Int64(Self.batch))])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for row in missing {
                let (item, contribution, datanet) = (try row.text("item"), try row.text("contribution"), try row.text("datanet"))
                group.addTask {
                    let text = try await content.content(contribution: contribution, item: item).map(ItemContent.words)
                    try await keep(item, contribution, datanet, text)
                }
            }
            try await group.waitForAll()
        }
        return missing.count
    }

    private func keep(_ item: String, _ contribution: String, _ datanet: String, _ text: String?) async throws {
        // PostgreSQL's text has no NUL.
        let body = text.map { String(decoding: $0.utf8.prefix(Self.maximumBytes), as: UTF8.self).replacing("\0", with: " ") }
        _ = try await core.pool.execute(
            "insert into datanet.texts (item, contribution, datanet, body) values ($1,$2,$3,$4) on conflict do nothing",
            [.text(item), .text(contribution), .text(datanet), body.map { .text($0) } ?? .null])
    }
}
