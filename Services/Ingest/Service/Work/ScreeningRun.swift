internal import Blobs
internal import Crypto
internal import Events
internal import IngestDomain
internal import IngestParsing
internal import Licences
internal import Threads

/// One contribution on its way through the rules: read, looked at, judged in order, sealed. What has been judged is sealed, and waits for
/// the disk, while the next rows are looked at. On a thread of its own: what an item resembles may have to be read from the disk.
actor ScreeningRun {
    /// What the Datanet holds, this contribution's items with it.
    private(set) var session: ScreeningSession

    private let executor = ThreadExecutor(name: "screen")
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let draft: Draft
    private let core: IngestCore
    private let inspector: Inspector
    private var authors: AuthorAccounts
    private var sealing: SealingQueue
    private var screened: [ScreenedItem] = []
    /// The file in hand, by its place in the manifest.
    private var file = 0
    /// Rows that came when there was no room for another item, by file: the first one of them and how many.
    private var beyond: [(file: Int, row: Int, count: Int)] = []
    /// Refused items of the contribution that this one corrects; each is corrected once.
    private var corrects: Set<String>

    /// Rows that are looked at together,
    private static let batch = 512
    /// and at most about so many bytes, which is what screening keeps in memory of an upload, however large it is.
    private static let batchBytes = 4 << 20

    init(_ draft: Draft, _ core: IngestCore, _ inspector: Inspector, _ session: ScreeningSession, corrects: Set<String>) {
        self.draft = draft
        self.core = core
        self.inspector = inspector
        self.session = session
        self.corrects = corrects
        authors = AuthorAccounts(names: AuthorNames(keys: core.keys), datanet: draft.manifest.datanet)
        sealing = SealingQueue(store: core.content)
    }

    deinit { executor.stop() }

    /// Every item with its verdict, in the order of the upload; contents are sealed and durable.
    func items() async throws -> [ScreenedItem] {
        let upload = Upload(core: core)
        for (index, file) in draft.manifest.files.enumerated() {
            self.file = index
            let bytes = try await upload.bytes(draft, file: index)
            let sample = try await checked(bytes, file)
            if file.format.media != inspector.policy.media {
                try await take([.refused(.wrongMedia(file, "\(inspector.policy.media) is collected here"))])
            } else if file.format.media == "text" {
                try await read(bytes, file)
            } else {
                try await take(bytes, file, sample)
            }
        }
        guard !screened.isEmpty else { throw ScreeningFailure("there is nothing in the upload") }
        try noteBeyond()
        try await seal(all: true)
        return screened
    }

    /// Reads a file once: its hash has to be the manifest's.
    /// - Returns: what was seen of it.
    private func checked(_ bytes: BlobBytes, _ file: Manifest.File) async throws -> FileSample {
        let hasher = SHA256Hasher()
        var sample = FileSample()
        for try await piece in bytes {
            hasher.update(piece)
            sample.add(piece)
        }
        guard hasher.finish() == file.hash else {
            throw ScreeningFailure("\(file.name) is not what the manifest says: its SHA-256 differs")
        }
        return sample
    }

    // MARK: Texts

    private func read(_ bytes: BlobBytes, _ file: Manifest.File) async throws {
        var pending: [ParsedRow] = []
        var weight = 0
        do {
            try await core.reader.read(bytes, format: file.format, file: file.name, columns: draft.manifest.columns) { rows in
                for row in rows {
                    pending.append(row)
                    weight += row.bytes
                    guard pending.count >= Self.batch || weight >= Self.batchBytes else { continue }
                    try await take(pending)
                    pending.removeAll(keepingCapacity: true)
                    weight = 0
                }
            }
        } catch let error as ParsingError {
            // Rows that came before the fault are good.
            pending.append(.refused(RefusedRow(file: file.name, row: 0, code: error.code, reason: "\(error)", beginning: [])))
        }
        try await take(pending)
    }

    private func take(_ rows: [ParsedRow]) async throws {
        let rows = fitting(rows)
        guard !rows.isEmpty else { return }
        let looked = try await inspector.inspect(rows, licence: draft.manifest.licence)
        for (row, inspection) in zip(rows, looked) {
            switch row {
            case .refused(let refused): try refuse(refused)
            case .content(let content):
                guard let inspection else { continue }
                guard let owner = try await owner(of: content) else {
                    try refuse(RefusedRow(content, .erasedAuthor))
                    continue
                }
                judge(content, inspection, owner)
            }
        }
        if let trouble = session.trouble { throw trouble }
        try await seal()
    }

    /// The rows that there is room for. A contribution's last item is kept for saying that there were more.
    private func fitting(_ rows: [ParsedRow]) -> [ParsedRow] {
        let room = max(0, core.mostItems - 1 - screened.count)
        guard rows.count > room else { return rows }
        let left = rows[room...]
        if let index = beyond.firstIndex(where: { $0.file == file }) {
            beyond[index].count += left.count
        } else if let first = left.first {
            beyond.append((file, first.row, left.count))
        }
        return Array(rows[..<room])
    }

    /// Says which rows were not taken for want of room.
    private func noteBeyond() throws {
        guard let first = beyond.first else { return }
        let parts = beyond.map { "\($0.count) of \(draft.manifest.files[$0.file].name) from row \($0.row) on" }
        file = first.file
        try refuse(
            RefusedRow(
                file: draft.manifest.files[first.file].name, row: first.row, code: .tooMany,
                reason: "\(parts.joined(separator: ", ")): bring these in another contribution", beginning: []))
    }

    private func judge(_ content: ItemContent, _ inspection: ItemInspection, _ owner: String) {
        let id = nextID
        let verdict: ScreeningSession.Verdict
        if let old = content.supersedes, corrects.remove(old) == nil {
            verdict = ScreeningSession.wrongVersion(id, inspection)
        } else {
            verdict = session.judge(id, inspection)
        }
        add(
            ScreenedItem(
                item: id, commitment: .zero, owner: owner, licence: inspection.licence, language: inspection.language,
                tokens: inspection.tokens, bytes: inspection.bytes.count, quality: inspection.quality.total,
                verdict: verdict.isAccepted ? "accepted" : "rejected", reasons: verdict.reasons.map(\.rawValue), cluster: verdict.cluster,
                supersedes: verdict.reasons.contains(.wrongVersion) ? nil : content.supersedes, file: file, row: content.row),
            inspection.bytes)
    }

    /// What is kept of a row that could not be read is a note on what was wrong, for its contributor to see.
    private func refuse(_ row: RefusedRow) throws {
        let note = try row.note()
        add(
            ScreenedItem(
                item: nextID, commitment: .zero, owner: draft.contributor, licence: "NOASSERTION", language: "und", tokens: 0,
                bytes: note.count, quality: 0, verdict: "rejected", reasons: [row.code.rawValue], cluster: nextID,
                file: file, row: row.row), note)
    }

    private var nextID: String { ItemID.make(draft.contribution, screened.count + 1) }

    private func add(_ item: ScreenedItem, _ content: [UInt8]) {
        screened.append(item)
        sealing.add(item.owner, SealedItem(id: item.item, content: content), place: screened.count - 1)
    }

    /// Whose work a row is: the contributor's, or that of the author whom it names; nil for an author who had everything erased.
    private func owner(of content: ItemContent) async throws -> String? {
        guard draft.manifest.kind == .onBehalf, let author = content.author, !author.isEmpty else { return draft.contributor }
        var accounts = authors
        let account = try await accounts.account(author)
        authors = accounts
        return account
    }

    /// Seals what has been judged, when it is much or all that there is, while the next rows are looked at.
    private func seal(all: Bool = false) async throws {
        guard all || sealing.isDue else { return }
        var queue = sealing
        var sealed = try await queue.start()
        if all { sealed += try await queue.start() }
        sealing = queue
        for (place, commitment) in sealed { screened[place].commitment = commitment }
        try await core.drafts.progress(draft.contribution, rows: screened.count)
    }

    // MARK: Images and recordings

    private func take(_ bytes: BlobBytes, _ file: Manifest.File, _ seen: FileSample) async throws {
        var sample = seen
        for _ in 0..<MediaFacts.mostParts {
            guard let range = MediaFacts.missingPart(of: sample) else { break }
            sample.add(try await Self.part(range, of: bytes), at: range.lowerBound)
        }
        let facts = MediaFacts(sample)
        guard let facts, facts.format == file.format.rawValue else {
            let what = facts.map { "it is \($0.format)" } ?? "it is no image or recording of a kind that is taken"
            return try await take([.refused(.wrongMedia(file, what))])
        }
        guard !facts.isCutOff(sample) else { return try await take([.refused(.cutOff(file))]) }
        let id = nextID
        let expression = draft.manifest.licence.flatMap { try? LicenceExpression($0) }
        var reasons: [ReasonCode] = file.bytes > ScreeningRules.mostMediaBytes ? [.tooLarge] : []
        if let expression {
            if !inspector.policy.licences.takes(expression) { reasons.append(.licenceConflict) }
        } else {
            reasons.append(.noLicence)
        }
        var cluster = id
        if reasons.isEmpty { (reasons, cluster) = session.judgeMedia(id, file.hash) }
        let commitment = try await core.content.put(owner: draft.contributor, item: id, bytes)
        screened.append(
            ScreenedItem(
                item: id, commitment: commitment, owner: draft.contributor, licence: expression?.description ?? "NOASSERTION",
                language: "und", tokens: 0, bytes: file.bytes, quality: reasons.isEmpty ? 1000 : 0,
                verdict: reasons.isEmpty ? "accepted" : "rejected", reasons: reasons.map(\.rawValue), cluster: cluster,
                file: self.file, row: 0))
        try await core.drafts.progress(draft.contribution, rows: screened.count)
    }

    private static func part(_ range: Range<Int>, of bytes: BlobBytes) async throws -> [UInt8] {
        var part: [UInt8] = []
        var place = 0
        for try await piece in bytes {
            let wanted = range.clamped(to: place..<place + piece.count)
            part += piece[(wanted.lowerBound - place)..<(wanted.upperBound - place)]
            place += piece.count
            if place >= range.upperBound { break }
        }
        return part
    }
}
