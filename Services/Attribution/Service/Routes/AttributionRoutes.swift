internal import AttributionDomain
internal import Blobs
internal import Crypto
internal import Decisions
internal import EventLog
internal import Events
internal import HTTP
internal import Identity
internal import JSON
internal import ServiceShell
internal import Web

/// Which data shaped an answer, how sure that is, and what it follows from.
struct AttributionRoutes: Sendable {
    let maker: DecisionMaker<AttributionState>
    let keeper: IndexKeeper
    let evidence: EvidenceStore
    let texts: AnswerTexts
    let log: any LogClient

    var routes: [Route] { [show, document] }

    /// The most shares and spans in one answer; the evidence has all.
    private static let shown = 1_000

    private var show: Route {
        Route(
            .get, "/v1/attributions/{id}", operation: "showAttribution",
            summary: "Who shaped an answer, by the attribution's id or the answer's. With the texts for who asked or paid.",
            access: .scope("attributions:read"), replies: [.json(200, "The attribution.", .openObject())],
            problems: AttributionProblems.all
        ) { context in
            let known = try await find(context.path["id"])
            let statement = try await statement(known)
            let events = try await events(of: known.attribution)
            guard let first = events.first else {
                throw Problem(.unavailable, "the log cannot be read now", headers: ["Retry-After": "1"])
            }
            let computed = try AttributionComputed(first.fact.data.object())
            let caller = try context.caller
            let mayRead = known.readers.contains(caller.subject) || caller.has("inferences:content")
            let answer = mayRead ? try await answer(known.inference) : nil
            let shares = try statement.shares()
            return .json(
                .members([
                    "attribution": .string(known.attribution), "inference": .string(known.inference), "model": .string(computed.model),
                    "version": .count(computed.version), "rules": .string(computed.rules), "fallback": .bool(computed.fallback),
                    "missing": .texts(computed.missing), "methods": .array(try methods(statement, computed)),
                    "shares": .array(shares.prefix(Self.shown).map(\.json)), "share_count": .count(shares.count),
                    "sources": .array(statement.sources.map(Self.source)), "influence": Self.influence(statement),
                    "spans": .array(try await spans(statement, answer)),
                    "passages": .array(try await passages(statement)),
                    "answer": answer.map { .string(String(decoding: $0, as: UTF8.self)) },
                    "evidence": .digest(known.evidence), "event": .string(first.fact.id.text), "position": .count(Int(first.position)),
                    "time": .string(first.fact.time.description), "proof": .string("/log/v1/events/\(first.position)/proof"),
                    "corrections": .array(
                        events.dropFirst().map {
                            ["event": .string($0.fact.id.text), "position": .count(Int($0.position)), "data": $0.fact.data]
                        }
                    ),
                ]))
        }
    }

    private var document: Route {
        Route(
            .get, "/v1/attributions/{id}/evidence", operation: "attributionEvidence",
            summary: "What the shares follow from, in canonical JSON: its SHA-256 stands in the event.",
            access: .scope("attributions:read"), replies: [.content(200, "The evidence.", type: "application/json")],
            problems: AttributionProblems.all
        ) { context in
            let known = try await find(context.path["id"])
            return Response(
                headers: ["Content-Type": "application/json", "ETag": "\"\(known.evidence.hex)\""],
                body: .bytes(try await bytes(known.evidence)))
        }
    }

    private func find(_ id: String) async throws -> AttributionState.Attributed {
        let found = try await maker.query { state in
            (state.attributions[state.byInference[id] ?? id], state.waiting.contains(id))
        }
        if let known = found.0 { return known }
        throw Problem(.notFound, found.1 ? "\(id) waits for its attribution: ask again" : "there is no attribution \(id)", field: "id")
    }

    private func statement(_ known: AttributionState.Attributed) async throws -> AttributionStatement {
        try AttributionStatement(json: try await bytes(known.evidence))
    }

    private func bytes(_ digest: Digest) async throws -> [UInt8] {
        do { return try await evidence.bytes(digest) } catch let error as BlobError {
            throw Problem(.unavailable, "the evidence cannot be read: \(error)", headers: ["Retry-After": "5"])
        }
    }

    private func events(of attribution: String) async throws -> [(fact: Fact, position: UInt64)] {
        guard let stream = StreamName(kind: "attribution", id: attribution) else { return [] }
        do {
            return try await log.read(stream: stream, from: 0, limit: 100).map { (try Fact($0), $0.position) }
        } catch let error as LogError {
            throw Problem(.unavailable, "the log cannot be read: \(error)", headers: ["Retry-After": "1"])
        }
    }

    /// The answer's text; nil where it is gone or the gateway is away.
    private func answer(_ inference: String) async throws -> [UInt8]? {
        guard case .texts(let found) = try? await texts.find(inference) else { return nil }
        return Array(found.answer.utf8)
    }

    // MARK: What it is made of

    private func methods(_ statement: AttributionStatement, _ computed: AttributionComputed) throws -> [JSONValue] {
        let outcomes = try statement.result()?.methods ?? []
        return computed.methods.map { method in
            let own = outcomes.first { $0.method.rawValue == method.method }?.shares ?? []
            return [
                "method": .string(method.method), "weight": .count(method.weight), "confidence": .count(method.confidence),
                "shares": .array(own.prefix(Self.shown).map { ["owner": .string($0.owner), "share": .count($0.share)] }),
            ]
        }
    }

    /// A snapshot that was searched, with the hash of the index that it was searched by.
    private static func source(_ source: AttributionStatement.Source) -> JSONValue {
        var object = source.snapshot.json.objectValue ?? JSONObject()
        object["index"] = source.index.map { .digest($0) }
        object["retrieval"] = .bool(source.isRetrieval)
        return .object(object)
    }

    /// What influence was found at each checkpoint: the signed sums of owners' rows and of canaries', in units of 2^exponent, largest first.
    private static func influence(_ statement: AttributionStatement) -> JSONValue? {
        guard let found = statement.computed?.influence else { return nil }
        func sums(_ list: [InfluenceEvidence.OwnerSum]) -> JSONValue {
            let ordered = list.sorted { $0.sum != $1.sum ? $0.sum > $1.sum : $0.owner < $1.owner }
            return .array(
                ordered.prefix(shown).map { ["owner": .string($0.owner), "sum": .string(String($0.sum)), "rows": .count($0.rows)] })
        }
        return [
            "exponent": .int(Int64(found.exponent)),
            "checkpoints": .array(
                found.checkpoints.map { checkpoint in
                    [
                        "rows": .digest(checkpoint.rows), "query": .digest(checkpoint.query), "owners": sums(checkpoint.owners),
                        "canaries": sums(checkpoint.canaries), "capped_rows": .count(checkpoint.cappedRows),
                        "skipped_rows": .count(checkpoint.skippedRows),
                    ]
                }),
        ]
    }

    private func spans(_ statement: AttributionStatement, _ answer: [UInt8]?) async throws -> [JSONValue] {
        let spans = statement.computed?.spans ?? []
        let items = try await items(Set(spans.flatMap { $0.earners.map(\.item) }), of: statement)
        return spans.prefix(Self.shown).map { span in
            var text: JSONValue?
            if let answer, span.byteStart <= span.byteEnd, span.byteEnd <= answer.count {
                text = .string(String(decoding: answer[span.byteStart..<span.byteEnd], as: UTF8.self))
            }
            return .members([
                "start": .count(span.byteStart), "end": .count(span.byteEnd), "text": text, "tokens": .count(span.length),
                "paid_tokens": .count(span.paidTokens), "occurrences": .count(span.occurrences), "documents": .count(span.documents),
                "items": .array(span.earners.compactMap { items[$0.item] }),
            ])
        }
    }

    private func passages(_ statement: AttributionStatement) async throws -> [JSONValue] {
        let passages = statement.computed?.passages ?? []
        let items = try await items(Set(passages.map(\.item)), of: statement)
        return passages.map { passage in
            .members([
                "item": items[passage.item] ?? .string(passage.item), "cited": .bool(passage.isCited),
                "used_tokens": .count(passage.usedTokens), "credit": .count(passage.credit),
            ])
        }
    }

    private func items(_ wanted: Set<String>, of statement: AttributionStatement) async throws -> [String: JSONValue] {
        guard !wanted.isEmpty else { return [:] }
        var found: [String: JSONValue] = [:]
        for source in statement.sources {
            guard let published = try await maker.query({ $0.snapshots[source.snapshot.snapshot]?.published }) else { continue }
            for item in try await keeper.items(of: published) where wanted.contains(item.item) && found[item.item] == nil {
                found[item.item] = [
                    "item": .string(item.item), "owner": .string(item.owner), "contribution": .string(item.contribution),
                    "licence": .string(item.licence), "datanet": .string(published.datanet), "snapshot": .string(published.snapshot),
                ]
            }
        }
        return found
    }
}
