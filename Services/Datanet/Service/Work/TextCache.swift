internal import DatanetDomain
internal import Events
internal import JSON
internal import Postgres
internal import Telemetry

/// Keeps the cache of texts like the items: fetches what is missing, and throws away what was taken back. Who had everything
/// erased loses the key of what they wrote here too.
actor TextCache {
    private let core: DatanetCore
    private let content: ItemContent
    /// Items that could not be had, `contribution/item`, and how many rounds they are left alone.
    private var postponed: [String: Int] = [:]
    /// At most so many are left alone at once; where more fail it is not the items' fault.
    private static let mostPostponed = 10_000
    private static let rounds = 120

    init(core: DatanetCore, content: ItemContent) {
        self.core = core
        self.content = content
    }

    /// Items fetched at a time.
    private static let batch = 64
    /// A text beyond this many bytes is searched by its beginning: PostgreSQL's tsvector has at most 1 MiB.
    private static let maximumBytes = 200_000

    /// Works until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            var isDone = true
            postponed = postponed.mapValues { $0 - 1 }.filter { $0.value > 0 }
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

    /// Fetches some texts that are missing. One that can't be had does not keep the others waiting: it is left alone for a while.
    /// - Returns: how many were looked at.
    func fill() async throws -> Int {
        let missing = try await core.pool.execute(
            """
            select i.item, i.contribution, i.datanet from datanet.items i
            join datanet.datanets d on d.id = i.datanet and d.media = 'text' where not i.dropped and not exists
                (select from datanet.texts t where t.contribution = i.contribution and t.item = i.item)
            and i.contribution || '/' || i.item <> all (string_to_array($2, ' '))
            limit $1
            """, [.int(Int64(Self.batch)), .text(postponed.keys.joined(separator: " "))])
        let rows = try missing.map { (try $0.text("item"), try $0.text("contribution"), try $0.text("datanet")) }
        let failed = await withTaskGroup(of: String?.self) { group in
            for (item, contribution, datanet) in rows {
                group.addTask { await self.fetch(item, contribution, datanet) ? nil : contribution + "/" + item }
            }
            var failed: [String] = []
            for await name in group { if let name { failed.append(name) } }
            return failed
        }
        if postponed.count < Self.mostPostponed { for name in failed { postponed[name] = Self.rounds } }
        return failed.count == rows.count ? 0 : rows.count
    }

    /// - Returns: whether the text is there now, or known not to be.
    private nonisolated func fetch(_ item: String, _ contribution: String, _ datanet: String) async -> Bool {
        do {
            let text = try await content.content(contribution: contribution, item: item).map(ItemContent.words)
            try await keep(item, contribution, datanet, text)
            return true
        } catch {
            if !Task.isCancelled { core.logger.warning("the text of \(item) is not to be had: \(error)") }
            return false
        }
    }

    private nonisolated func keep(_ item: String, _ contribution: String, _ datanet: String, _ text: String?) async throws {
        // PostgreSQL's text has no NUL.
        let body = text.map { String(decoding: $0.utf8.prefix(Self.maximumBytes), as: UTF8.self).replacing("\0", with: " ") }
        _ = try await core.pool.execute(
            "insert into datanet.texts (item, contribution, datanet, body) values ($1,$2,$3,$4) on conflict do nothing",
            [.text(item), .text(contribution), .text(datanet), body.map { .text($0) } ?? .null])
    }
}
