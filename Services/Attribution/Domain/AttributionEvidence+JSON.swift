import Crypto
public import JSON

extension AttributionEvidence {
    /// The evidence as JSON. Sums of influence are decimal text, since they pass 2^53.
    public var json: JSONValue {
        var object: [(String, JSONValue)] = [
            ("rules", .int(Int64(rules))), ("answerTokens", .int(Int64(answerTokens))), ("echoedTokens", .int(Int64(echoedTokens))),
        ]
        if let snapshotRoot { object.append(("snapshotRoot", .string(snapshotRoot.description))) }
        if let spans {
            object.append(("spans", .array(spans.map(\.json))))
            object.append(("uniqueTokens", Self.table(uniqueTokens)))
        }
        if let influence { object.append(("influence", influence.json)) }
        if let passages { object.append(("passages", .array(passages.map(\.json)))) }
        if !parties.behind.isEmpty {
            object.append(("behind", parties.json))
        }
        if let fallback { object.append(("fallback", Self.table(fallback))) }
        return .object(JSONObject(object))
    }

    /// Reads evidence back.
    ///
    /// - Throws: `AttributionError.badEvidence` with the place of the first thing that cannot be.
    public init(json bytes: [UInt8]) throws(AttributionError) {
        do {
            let value = try JSON.parse(bytes, limits: JSONLimits(depth: 16, bytes: 256 << 20, items: 32_000_000))
            let fields = try JSONField(value).object()
            try fields.refuseUnknown(keys: [
                "rules", "answerTokens", "echoedTokens", "snapshotRoot", "spans", "uniqueTokens", "influence", "passages", "behind",
                "fallback",
            ])
            rules = try fields.int("rules", in: 1...1_000_000)
            answerTokens = try fields.int("answerTokens", in: 0...AttributionLimits.answerBytes)
            echoedTokens = try fields.int("echoedTokens", in: 0...answerTokens)
            snapshotRoot = try fields.optionalField("snapshotRoot").map(digest)
            spans = try fields.optionalArray("spans", count: 0...AttributionLimits.answerBytes)?.map(SpanEvidence.init(field:))
            uniqueTokens = try fields.optionalField("uniqueTokens").map(Self.table) ?? [:]
            influence = try fields.optionalField("influence").map(InfluenceEvidence.init(field:))
            passages = try fields.optionalArray("passages", count: 0...AttributionLimits.passages)?.map(PassageEvidence.init(field:))
            parties = try fields.optionalField("behind").map { try Parties($0) } ?? Parties.alone
            fallback = try fields.optionalField("fallback").map(Self.table)
        } catch let error as JSONFieldError {
            throw .badEvidence(pointer: error.pointer, reason: error.reason)
        } catch {
            throw .badEvidence(pointer: "", reason: "\(error)")
        }
    }

    private static func table(_ counts: [String: Int]) -> JSONValue {
        .object(JSONObject(counts.map { ($0.key, JSONValue.int(Int64($0.value))) }))
    }

    private static func table(_ field: JSONField) throws -> [String: Int] {
        let fields = try field.object()
        var counts: [String: Int] = [:]
        for key in fields.object.keys { counts[key] = try fields.int(key, in: 0...(1 << 53 - 1)) }
        return counts
    }
}

extension Parties {
    /// Each name with who stands behind it.
    var json: JSONValue { .object(JSONObject(behind.map { ($0.key, .string($0.value)) })) }

    /// Reads it back.
    init(_ field: JSONField) throws(JSONFieldError) {
        let fields = try field.object()
        var behind: [String: String] = [:]
        for key in fields.object.keys { behind[key] = try fields.string(key) }
        self.init(behind)
        guard isSound else { throw field.error("leads to nobody who stands alone") }
    }
}

private func digest(_ field: JSONField) throws -> Digest {
    guard let digest = Digest(prefixed: try field.string()) else { throw field.error("is not sha256: and 64 hexadecimal digits") }
    return digest
}

extension SpanEvidence {
    fileprivate var json: JSONValue {
        [
            "start": .int(Int64(start)), "length": .int(Int64(length)), "byteStart": .int(Int64(byteStart)),
            "byteEnd": .int(Int64(byteEnd)), "occurrences": .int(Int64(occurrences)), "documents": .int(Int64(documents)),
            "paidTokens": .int(Int64(paidTokens)),
            "earners": .array(earners.map { ["owner": .string($0.owner), "item": .string($0.item)] }),
        ]
    }

    fileprivate init(field: JSONField) throws {
        let fields = try field.object()
        let limit = AttributionLimits.answerBytes
        start = try fields.int("start", in: 0...limit)
        length = try fields.int("length", in: 1...limit)
        byteStart = try fields.int("byteStart", in: 0...limit)
        byteEnd = try fields.int("byteEnd", in: 0...limit)
        occurrences = try fields.int("occurrences", in: 0...Int(Int32.max))
        documents = try fields.int("documents", in: 0...AttributionLimits.occurrences)
        paidTokens = try fields.int("paidTokens", in: 0...length)
        earners = try fields.array("earners", count: 0...AttributionLimits.occurrences).map {
            let earner = try $0.object()
            return SpanEarner(owner: try earner.string("owner"), item: try earner.string("item"))
        }
    }
}

extension PassageEvidence {
    fileprivate var json: JSONValue {
        [
            "item": .string(item), "owner": .string(owner), "isCited": .bool(isCited), "usedTokens": .int(Int64(usedTokens)),
            "credit": .int(Int64(credit)),
        ]
    }

    fileprivate init(field: JSONField) throws {
        let fields = try field.object()
        item = try fields.string("item")
        owner = try fields.string("owner")
        isCited = try fields.bool("isCited")
        usedTokens = try fields.int("usedTokens", in: 0...AttributionLimits.answerBytes)
        credit = try fields.int("credit", in: 0...(AttributionLimits.answerBytes * Apportionment.whole))
    }
}

extension InfluenceEvidence {
    fileprivate var json: JSONValue {
        ["exponent": .int(Int64(exponent)), "checkpoints": .array(checkpoints.map(\.json))]
    }

    fileprivate init(field: JSONField) throws {
        let fields = try field.object()
        exponent = try fields.int("exponent", in: -4096...4096)
        checkpoints = try fields.array("checkpoints", count: 0...64).map(Checkpoint.init(field:))
    }
}

extension InfluenceEvidence.Checkpoint {
    fileprivate var json: JSONValue {
        [
            "rows": .string(rows.description), "query": .string(query.description), "owners": .array(owners.map(\.json)),
            "canaries": .array(canaries.map(\.json)), "cappedRows": .int(Int64(cappedRows)), "skippedRows": .int(Int64(skippedRows)),
        ]
    }

    fileprivate init(field: JSONField) throws {
        let fields = try field.object()
        rows = try digest(try fields.field("rows"))
        query = try digest(try fields.field("query"))
        let limit = AttributionLimits.owners
        owners = try fields.array("owners", count: 0...limit).map(InfluenceEvidence.OwnerSum.init(field:))
        canaries = try fields.array("canaries", count: 0...limit).map(InfluenceEvidence.OwnerSum.init(field:))
        cappedRows = try fields.int("cappedRows", in: 0...Int(Int32.max))
        skippedRows = try fields.int("skippedRows", in: 0...Int(Int32.max))
    }
}

extension InfluenceEvidence.OwnerSum {
    fileprivate var json: JSONValue {
        ["owner": .string(owner), "sum": .string(String(sum)), "rows": .int(Int64(rows))]
    }

    fileprivate init(field: JSONField) throws {
        let fields = try field.object()
        owner = try fields.string("owner")
        let text = try fields.field("sum")
        guard let sum = Int128(try text.string(bytes: 1...40)), String(sum) == (try text.string()) else {
            throw text.error("is not a decimal integer")
        }
        // Rows' scores have 63 bits; so many sums of so many owners at so many checkpoints still fit 127.
        guard sum.magnitude < 1 << 96 else { throw text.error("is beyond 2^96") }
        self.sum = sum
        rows = try fields.int("rows", in: 0...Int(Int32.max))
    }
}
