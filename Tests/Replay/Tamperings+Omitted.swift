import Crypto
import Events
import JSON
import Testing

/// What an operator leaves out, or does without the event that would have to ask for it.
extension Tampering {
    /// Takes a part of the data of an event of a type away.
    static func without<Payload: EventData>(
        _ service: Service, _ type: Payload.Type, _ name: String, _ field: String,
        where fits: @escaping @Sendable (JSONValue) -> Bool = { _ in true }
    ) -> Tampering {
        Tampering(service, name) { log in
            let place = try log.place(Payload.type) { $0[field] != nil && fits($0) }
            log.entries[place].data = log.entries[place].data.without(field)
            return place
        }
    }

    /// Alters what a statement says that the methods found.
    private static func statement(
        _ name: String, needs method: String = "spans", _ change: @escaping @Sendable (JSONValue) -> JSONValue
    ) -> Tampering {
        Tampering(.attribution, name) { log in
            let places = log.places(AttributionComputed.type)
            let place = try #require(
                places.first {
                    let list = log.document(at: $0, "/evidence")?["computed"]?[method]
                    return list != nil && list?.arrayValue?.isEmpty != true
                })
            try log.rewrite(place, "/evidence") { $0.setting("/computed", to: change($0["computed"] ?? .null)) }
            return place
        }
    }

    static let omitted: [Tampering] = [
        .without(.agentGateway, PrincipalRegistered.self, "a principal whose key nobody has proven", "signature"),
        .without(.agentGateway, PrincipalRegistered.self, "an agent whose owner signed nothing", "owner_signature"),
        .without(.agentGateway, PrincipalRegistered.self, "an agent whose owner's key is not said", "owner_key"),
        .without(.agentGateway, KeyRotated.self, "a key linked that nobody has proven", "signature") { $0["recovered"] == nil },
        .without(.agentGateway, KeyRotated.self, "a key by which somebody was recovered, and nobody has proven it", "signature") {
            $0["recovered"] == true
        },
        .without(.datanet, SnapshotPublished.self, "a snapshot that does not say when its manifest was made", "published"),
        Tampering(.datanet, "a snapshot that does not say any more whose work it is") { log in
            let place = try log.place(SnapshotPublished.type, 1)
            log.entries[place].data = log.entries[place].data.without("shares")
            return place
        },
        .without(.datanet, ReviewOpened.self, "a review that does not say who may be drawn", "candidates"),
        .set(.ingest, ContributionScreened.self, "/rules", "screening/1", "screening by rules that are no more"),
        .statement("a statement that leaves the spans out") { computed in
            computed.without("spans").without("uniqueTokens").without("snapshotRoot")
        },
        .statement("a statement that leaves the passages out", needs: "passages") { $0.without("passages") },
        .statement("a statement that names a passage twice", needs: "passages") { computed in
            let list = computed["passages"]?.arrayValue ?? []
            return computed.setting("/passages", to: .array(list + list.suffix(1)))
        },
        Tampering(.attribution, "a passage said to be gone that nobody took back") { log in
            let place = try #require(
                log.places(AttributionComputed.type).first {
                    log.document(at: $0, "/evidence")?["computed"]?["passages"]?.arrayValue?.isEmpty == false
                })
            let missing = (log.get(place, "/missing")?.arrayValue ?? []) + ["passage-gone"]
            log.set(place, "/missing", .array(missing))
            try log.rewrite(place, "/evidence") { value in
                let passages = value["computed"]?["passages"]?.arrayValue ?? []
                return value.setting("/missing", to: .array(missing)).setting("/computed/passages", to: .array(Array(passages.dropLast())))
            }
            return place
        },
        Tampering(.attribution, "a statement that says what is not so of its snapshots' indexes") { log in
            let place = try log.place(AttributionComputed.type)
            try log.rewrite(place, "/evidence") { $0.setting("/missing", to: ["no-index"]) }
            return place
        },
        Tampering(.billing, "a stake slashed by an operator's command, and no ruling asked for it") { log in
            let place = try log.place(StakeSlashed.type)
            log.entries[place].cause = .command(id: "by-hand", digest: SHA256.hash(utf8: "by hand"))
            log.entries[place].ordinal = 0
            return place
        },
        Tampering(.billing, "a release that leaves out one of those whom it has to pay") { log in
            let places = log.places(SettlementReleased.type) { ($0["postings"]?["entries"]?.arrayValue?.count ?? 0) >= 4 }
            // One that comes long after its owners were verified: whom billing has just learnt of may be paid by the next.
            let place = try #require(places.last)
            let entries = try #require(log.get(place, "/postings/entries")?.arrayValue)
            let payee = try #require(
                entries.lazy.compactMap { $0["account"]?.stringValue }.first { !$0.hasPrefix("pending:") && !$0.hasPrefix("platform:") })
            log.set(
                place, "/postings/entries",
                .array(entries.filter { $0["account"]?.stringValue != payee && $0["account"]?.stringValue != "pending:" + payee }))
            return place
        },
        Tampering(.billing, "a dispute that nobody ended, though other things that fell due were done") { log in
            log.takeOutOfItsDecision(try log.place(DisputeLapsed.type))
            // The next time that something was due it still stands open.
            return try #require(log.places(SettlementReleased.type).last)
        },
        Tampering(.billing, "a fee that is kept while a later one goes back") { log in
            let place = try log.place(HoldReturned.type)
            let sweep = log.decision(of: place)
            log.takeOutOfItsDecision(place)
            return sweep
        },
        Tampering(.billing, "a command carried out twice") { log in
            let place = try log.place(DepositReceived.type)
            log.entries.insert(log.entries[place], at: place + 1)
            return place + 1
        },
    ]
}

extension JSONValue {
    /// The object without a field.
    func without(_ field: String) -> JSONValue {
        guard let object = objectValue else { return self }
        var rest = JSONObject()
        for member in object.members where member.key != field { rest[member.key] = member.value }
        return .object(rest)
    }
}
