internal import Blobs
internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import IngestDomain
internal import IngestParsing
internal import JSON
internal import Telemetry
internal import Threads

/// Takes uploads that are complete, one after another, and puts them through the rules. What it has decided is on the log;
/// what a crash interrupts is done again from the uploaded parts and comes out the same.
actor Screener {
    private var sessions: [String: ScreeningSession] = [:]
    private let scanner = SecretScanner()
    private let bell = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    /// Items that are looked at and sealed together.
    private static let batch = 512
    /// And at most about so many bytes, which is what screening keeps in memory of an upload, however large it is.
    private static let batchBytes = 4 << 20
    /// Datanets whose duplicates are kept in memory.
    private static let mostSessions = 16

    /// Says that there is something to do.
    nonisolated func ring() { bell.continuation.yield() }

    /// Works until the task is cancelled. A draft that meets trouble waits, and the others go on.
    func run(_ core: IngestCore) async {
        ring()
        for await _ in bell.stream {
            var postponed: [String] = []
            var isTroubled = false
            while !Task.isCancelled {
                var hand: String?
                do {
                    guard let draft = try await core.drafts.queued(except: postponed) else { break }
                    hand = draft.contribution
                    try await screen(draft, core)
                } catch is CancellationError {
                    return
                } catch {
                    core.logger.error("screening waits: \(error)", hand.map { ["contribution": .string($0)] } ?? [:])
                    isTroubled = true
                    guard let hand else { break }
                    postponed.append(hand)
                }
            }
            if isTroubled {
                try? await Task.sleep(for: .seconds(1))
                ring()
            }
        }
    }

    private func screen(_ draft: Draft, _ core: IngestCore) async throws {
        // After a crash a draft may be on the log already: then only its upload is left to clear.
        if try await core.maker.query({ $0.contributions[draft.contribution] == nil }) {
            do {
                let items = try await items(of: draft, core)
                try await settle(draft, items, core)
            } catch {
                // The session may know items that never came to the log.
                sessions[draft.manifest.datanet] = nil
                guard let reason = Self.lasting(error) else { throw error }
                core.logger.info("contribution failed: \(reason)", ["contribution": .string(draft.contribution)])
                return try await core.drafts.finish(draft.contribution, .failed, problem: reason)
            }
        }
        try await Upload(core: core).clear(draft)
        try await core.drafts.finish(draft.contribution, .done)
    }

    /// Why a draft can never be screened as it is; nil for trouble that may pass.
    private static func lasting(_ error: any Error) -> String? {
        switch error {
        case let error as ScreeningFailure: error.description
        case let error as IngestRefusal: "\(error)"
        case BlobError.erased(let owner): "the contents of \(owner) were erased"
        case BlobError.notFound, BlobError.noKey, BlobError.damaged:
            "a part of the upload can't be read any more: begin the contribution anew"
        default: nil
        }
    }

    private func settle(_ draft: Draft, _ items: [ScreenedItem], _ core: IngestCore) async throws {
        guard let command = draft.command, let digest = draft.digest else { throw DraftError.damaged(draft.contribution) }
        let accepted = items.count { $0.verdict == "accepted" }
        let manifest = draft.manifest
        let submitted = ContributionSubmitted(
            contribution: draft.contribution, datanet: manifest.datanet, contributor: draft.contributor, kind: manifest.kind.rawValue,
            manifest: SHA256.hash(draft.bytes), signer: manifest.signer, signature: Base64URL.encode(draft.signature), items: items.count,
            bytes: manifest.bytes, supersedes: manifest.supersedes)
        let screened = ContributionScreened(
            contribution: draft.contribution, datanet: manifest.datanet, contributor: draft.contributor, rules: ScreeningRules.version,
            accepted: accepted, rejected: items.count - accepted, items: try await ItemLists.make(items, core.evidence))
        _ = try await core.maker.decide(
            .command(id: command, digest: digest), actor: draft.contributor, correlation: draft.correlation
        ) { state, _ in try IngestRules.submit(state, submitted, screened) }
    }

    // MARK: Items

    private func items(of draft: Draft, _ core: IngestCore) async throws -> [ScreenedItem] {
        let manifest = draft.manifest
        let datanet = try await core.maker.find { $0.datanets[manifest.datanet] }
        guard let datanet else { throw IngestRefusal.noDatanet(manifest.datanet) }
        let policy = ScreeningPolicy(datanet.policy, media: datanet.media)
        try await fillSession(manifest.datanet, policy, core)
        let upload = Upload(core: core)
        var run = Run(draft: draft, policy: policy)
        for (index, file) in manifest.files.enumerated() {
            let bytes = try await upload.bytes(draft, file: index)
            try await checkHash(bytes, file)
            guard file.format.media == datanet.media else {
                try await take([.refused(Self.wrongMedia(file, "\(datanet.media) is collected here"))], &run, core)
                continue
            }
            if file.format.media == "text" {
                try await readText(bytes, file, &run, core)
            } else {
                try await takeMedia(bytes, file, &run, core)
            }
        }
        guard !run.items.isEmpty else { throw ScreeningFailure("there is nothing in the upload") }
        return run.items
    }

    /// What one contribution's screening has come to.
    private struct Run {
        let draft: Draft
        let policy: ScreeningPolicy
        var items: [ScreenedItem] = []
    }

    private func checkHash(_ bytes: BlobBytes, _ file: Manifest.File) async throws {
        let hasher = SHA256Hasher()
        for try await piece in bytes { hasher.update(piece) }
        guard hasher.finish() == file.hash else {
            throw ScreeningFailure("\(file.name) is not what the manifest says: its SHA-256 differs")
        }
    }

    private func readText(_ bytes: BlobBytes, _ file: Manifest.File, _ run: inout Run, _ core: IngestCore) async throws {
        var pending: [ParsedRow] = []
        var weight = 0
        do {
            var lent = run
            defer { run = lent }
            try await core.reader.read(bytes, format: file.format, file: file.name, columns: run.draft.manifest.columns) { rows in
                for row in rows {
                    pending.append(row)
                    weight += row.bytes
                    guard pending.count >= Self.batch || weight >= Self.batchBytes else { continue }
                    try await take(pending, &lent, core)
                    pending.removeAll(keepingCapacity: true)
                    weight = 0
                }
            }
        } catch let error as ParsingError {
            // Rows that came before the fault are good.
            pending.append(.refused(RefusedRow(file: file.name, row: 0, code: .malformed, reason: "\(error)", beginning: [])))
        }
        try await take(pending, &run, core)
    }

    private func take(_ rows: [ParsedRow], _ run: inout Run, _ core: IngestCore) async throws {
        guard !rows.isEmpty else { return }
        guard run.items.count + rows.count <= IngestRules.mostItemsOfContribution else {
            throw ScreeningFailure("there are more than \(IngestRules.mostItemsOfContribution) items: bring them in several contributions")
        }
        let looked = try await inspect(rows, run)
        let owners = try await owners(of: rows, run.draft, core)
        let first = run.items.count
        var sealed: [(owner: String, item: SealedItem)] = []
        for ((row, inspection), author) in zip(zip(rows, looked), owners) {
            let id = ItemID.make(run.draft.contribution, run.items.count + 1)
            let bytes: [UInt8]
            switch (row, inspection) {
            case (.content(let content), _) where author == nil:
                let refused = RefusedRow(
                    file: content.file, row: content.row, code: .erasedAuthor, reason: ReasonCode.erasedAuthor.meaning, beginning: [])
                bytes = try Self.canonical(refused)
                run.items.append(Self.item(id, refused, owner: run.draft.contributor, bytes: bytes.count))
            case (.content, let inspection?):
                let verdict = sessions[run.draft.manifest.datanet, default: ScreeningSession()].judge(id, inspection)
                let owner = author ?? run.draft.contributor
                bytes = inspection.bytes
                run.items.append(
                    ScreenedItem(
                        item: id, commitment: .zero, owner: owner, licence: inspection.licence, language: inspection.language,
                        tokens: inspection.tokens, bytes: bytes.count, quality: inspection.quality.total,
                        verdict: verdict.isAccepted ? "accepted" : "rejected", reasons: verdict.reasons.map(\.rawValue),
                        cluster: verdict.cluster))
            case (.refused(let refused), _):
                bytes = try Self.canonical(refused)
                run.items.append(Self.item(id, refused, owner: run.draft.contributor, bytes: bytes.count))
            default: continue
            }
            sealed.append((run.items[run.items.count - 1].owner, SealedItem(id: id, content: bytes)))
        }
        for (place, commitment) in try await core.content.put(sealed).enumerated() { run.items[first + place].commitment = commitment }
        try await core.drafts.progress(run.draft.contribution, rows: run.items.count)
    }

    /// Looks at rows on two threads of their own: it is work for the processor, which the cooperative pool is not for.
    private func inspect(_ rows: [ParsedRow], _ run: Run) async throws -> [ItemInspection?] {
        let scanner = scanner
        let policy = run.policy
        let licence = run.draft.manifest.licence
        let middle = rows.count / 2
        let halves = [Array(rows[..<middle]), Array(rows[middle...])]
        return try await withThrowingTaskGroup(of: (Int, [ItemInspection?]).self) { group in
            for (number, half) in halves.enumerated() where !half.isEmpty {
                group.addTask {
                    let looked = try await OSThread.run(name: "screen") {
                        try half.map { row -> ItemInspection? in
                            guard case .content(let content) = row else { return nil }
                            return try ItemInspection(content, licence: licence, policy: policy, scanner: scanner)
                        }
                    }
                    return (number, looked)
                }
            }
            var results: [[ItemInspection?]] = [[], []]
            for try await (number, looked) in group { results[number] = looked }
            return results[0] + results[1]
        }
    }

    private func takeMedia(_ bytes: BlobBytes, _ file: Manifest.File, _ run: inout Run, _ core: IngestCore) async throws {
        var head: [UInt8] = []
        for try await piece in bytes {
            head += piece.prefix(65_536 - head.count)
            if head.count >= 65_536 { break }
        }
        let facts = MediaFacts(head, count: file.bytes)
        guard let facts, facts.format == file.format.rawValue else {
            let what = facts.map { "it is \($0.format)" } ?? "it is no image or recording of a kind that is taken"
            return try await take([.refused(Self.wrongMedia(file, what))], &run, core)
        }
        let id = ItemID.make(run.draft.contribution, run.items.count + 1)
        let owner = run.draft.contributor
        var reasons: [ReasonCode] = file.bytes > ScreeningRules.mostMediaBytes ? [.tooLarge] : []
        let expression = run.draft.manifest.licence.flatMap { try? LicenceExpression($0) }
        if let expression {
            if !run.policy.licences.takes(expression) { reasons.append(.licenceConflict) }
        } else {
            reasons.append(.noLicence)
        }
        var cluster = id
        if reasons.isEmpty {
            (reasons, cluster) = sessions[run.draft.manifest.datanet, default: ScreeningSession()].judgeMedia(id, file.hash)
        }
        let commitment = try await core.content.put(owner: owner, item: id, bytes)
        run.items.append(
            ScreenedItem(
                item: id, commitment: commitment, owner: owner, licence: expression?.description ?? "NOASSERTION", language: "und",
                tokens: 0,
                bytes: file.bytes, quality: reasons.isEmpty ? 1000 : 0, verdict: reasons.isEmpty ? "accepted" : "rejected",
                reasons: reasons.map(\.rawValue), cluster: cluster))
        try await core.drafts.progress(run.draft.contribution, rows: run.items.count)
    }

    /// Whose work each row is: the contributor's, or that of the author whom it names; nil for an author who had everything erased.
    private func owners(of rows: [ParsedRow], _ draft: Draft, _ core: IngestCore) async throws -> [String?] {
        guard draft.manifest.kind == .onBehalf else { return rows.map { _ in draft.contributor } }
        let names = AuthorNames(keys: core.keys)
        let key: OwnerKey
        if let known = authorKey { key = known } else { key = try await names.key() }
        authorKey = key
        var owners: [String?] = []
        var isErased: [String: Bool] = [:]
        for row in rows {
            guard case .content(let content) = row, let author = content.author, !author.isEmpty else {
                owners.append(draft.contributor)
                continue
            }
            let account = AuthorNames.account(author, key)
            if isErased[account] == nil { isErased[account] = try await core.keys.receipt(owner: account) != nil }
            owners.append(isErased[account] == true ? nil : account)
        }
        return owners
    }

    private var authorKey: OwnerKey?

    // MARK: Duplicates

    /// Brings what a Datanet holds already into memory.
    private func fillSession(_ datanet: String, _ policy: ScreeningPolicy, _ core: IngestCore) async throws {
        guard sessions[datanet] == nil else { return }
        if sessions.count >= Self.mostSessions { sessions.removeAll() }
        var session = ScreeningSession()
        let known = try await core.maker.query { state in (state.byDatanet[datanet] ?? []).compactMap { state.contributions[$0] } }
        for contribution in known where contribution.erased != .all {
            for item in try await core.items(of: contribution) where item.verdict == "accepted" && !contribution.erased.contains(item.item)
            {
                do {
                    let bytes = try await core.content.content(owner: item.owner, commitment: item.commitment, upTo: 16 << 20)
                    if policy.media == "text" {
                        let inspection = try ItemInspection(try ItemContent(bytes), licence: nil, policy: policy, scanner: scanner)
                        session.restore(
                            item.item, fingerprint: inspection.fingerprint, shingles: inspection.shingles, cluster: item.cluster)
                    } else {
                        session.restore(item.item, fingerprint: SHA256.hash(bytes), shingles: Shingles([]), cluster: item.cluster)
                    }
                } catch let error as BlobError {
                    switch error {
                    case .erased, .notFound, .noKey, .tooLarge: continue
                    default: throw error
                    }
                }
            }
        }
        sessions[datanet] = session
    }

    /// Forgets what a Datanet holds: something of it was erased.
    func forget(_ datanet: String) { sessions[datanet] = nil }

    // MARK: Refused rows

    private static func wrongMedia(_ file: Manifest.File, _ reason: String) -> RefusedRow {
        RefusedRow(file: file.name, row: 0, code: .wrongMedia, reason: "\(file.name): \(reason)", beginning: [])
    }

    private static func item(_ id: String, _ refused: RefusedRow, owner: String, bytes: Int) -> ScreenedItem {
        ScreenedItem(
            item: id, commitment: .zero, owner: owner, licence: "NOASSERTION", language: "und", tokens: 0, bytes: bytes, quality: 0,
            verdict: "rejected", reasons: [refused.code.rawValue], cluster: id)
    }

    /// What is kept of a row that could not be read, for its contributor to see.
    private static func canonical(_ refused: RefusedRow) throws -> [UInt8] {
        try JSON.canonical([
            "refused": ["reason": .string(refused.reason), "beginning": .string(Base64URL.encode(refused.beginning))],
            "origin": ["file": .string(refused.file), "row": .int(Int64(refused.row))],
        ])
    }
}

/// Why a whole contribution cannot be screened.
struct ScreeningFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
