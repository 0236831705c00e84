internal import Crypto
internal import Events
public import JSON
internal import Money

extension Receipt {
    /// As it is written.
    public var json: JSONValue {
        .members([
            "type": .string(Self.type), "subject": .string(subject), "payee": .string(payee.text), "amount": amount.json,
            "settlements": .array(settlements.map(\.json)), "payouts": .array(payouts.map(\.json)), "checkpoint": .string(checkpoint),
            "vouched": voucher.map { .string($0.rawValue) }, "events": .array(events.map(\.json)),
            "evidence": .texts(evidence.map { Base64.encode($0) }),
        ])
    }

    /// Reads a file.
    /// - Throws: ``ReceiptFault`` of the kind `format` that names the member at fault.
    public init(parsing bytes: [UInt8]) throws(ReceiptFault) {
        do {
            guard bytes.count <= Self.maximumBytes else { throw ReceiptFault(.format, "it has more than \(Self.maximumBytes) bytes") }
            try self.init(try JSON.parse(bytes, limits: JSONLimits(bytes: Self.maximumBytes, items: 4_000_000)).object())
        } catch let fault as ReceiptFault {
            throw fault
        } catch {
            throw ReceiptFault(.format, "\(error)")
        }
    }

    private init(_ fields: JSONFields) throws(JSONFieldError) {
        let type = try fields.field("type")
        guard try type.string() == Self.type else { throw type.error("must be \(Self.type)") }
        try fields.refuseUnknown(keys: [
            "type", "subject", "payee", "amount", "checkpoint", "vouched", "events", "evidence", "settlements", "payouts",
        ])
        subject = try fields.id("subject")
        payee = try fields.account("payee")
        amount = try fields.amount("amount")
        checkpoint = try fields.string("checkpoint", bytes: 1...65_535)
        if let field = fields.optionalField("vouched") {
            guard let known = Vouching(rawValue: try field.string()) else { throw field.error("must be log or witnesses") }
            voucher = known
        }
        events = try fields.all("events", 1...Self.maximumEvents) { entry throws(JSONFieldError) in try ProvenEvent(entry) }
        settlements = try fields.all("settlements", 1...Self.maximumSettlements) { entry throws(JSONFieldError) in
            try ReceiptSettlement(entry)
        }
        payouts = try fields.all("payouts", 0...Self.maximumPayouts) { entry throws(JSONFieldError) in try ReceiptPayout(entry) }
        evidence = []
        for field in try fields.array("evidence", count: 0...200) { evidence.append(try field.base64(Self.maximumBytes)) }
        for (first, second) in zip(events, events.dropFirst()) where first.position >= second.position {
            throw JSONFieldError(pointer: "/events", reason: "must have positions that rise")
        }
    }
}

extension ProvenEvent {
    var json: JSONValue {
        [
            "position": .count(position), "event": .string(Base64.encode(bytes)), "proof": .texts(proof.map { Base64.encode($0) }),
        ]
    }

    init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["position", "event", "proof"])
        position = try fields.count("position")
        bytes = try fields.field("event").base64(Event.maximumBytes)
        proof = try fields.hashes("proof")
    }
}

extension ReceiptPayout {
    var json: JSONValue {
        switch self {
        case .rail(let request, let finish): .members(["request": .count(request), "finish": finish.map { .count($0) }])
        case .wallet(let epoch, let wallet, let claim):
            .members(["epoch": .count(epoch), "wallet": .count(wallet), "claim": claim.map { .count($0) }])
        }
    }

    fileprivate init(_ fields: JSONFields) throws(JSONFieldError) {
        if fields.optionalField("request") != nil {
            try fields.refuseUnknown(keys: ["request", "finish"])
            self = .rail(request: try fields.count("request"), finish: try fields.position("finish"))
        } else {
            try fields.refuseUnknown(keys: ["epoch", "wallet", "claim"])
            self = .wallet(epoch: try fields.count("epoch"), wallet: try fields.count("wallet"), claim: try fields.position("claim"))
        }
    }
}

extension JSONFields {
    /// A list that must be there.
    func all<Element>(
        _ name: String, _ count: ClosedRange<Int>, _ read: (JSONFields) throws(JSONFieldError) -> Element
    ) throws(JSONFieldError) -> [Element] {
        var elements: [Element] = []
        for field in try array(name, count: count) { elements.append(try read(try field.object())) }
        return elements
    }

    /// Hashes in base64.
    func hashes(_ name: String) throws(JSONFieldError) -> [[UInt8]] {
        var hashes: [[UInt8]] = []
        for field in try array(name, count: 0...63) {
            let bytes = try field.base64(Digest.count)
            guard bytes.count == Digest.count else { throw field.error("must have 32 bytes") }
            hashes.append(bytes)
        }
        return hashes
    }

    /// A position that may be missing.
    func position(_ name: String) throws(JSONFieldError) -> Int? { try optionalInt(name, in: 0...(1 << 53) - 1) }

    /// Positions that rise.
    func positions(_ name: String) throws(JSONFieldError) -> [Int] {
        var positions: [Int] = []
        for field in try array(name, count: 0...Receipt.maximumEvents) {
            let position = try field.int(in: 0...(1 << 53) - 1)
            if let last = positions.last, last >= position { throw field.error("must be above the one before") }
            positions.append(position)
        }
        return positions
    }

    /// Minor units as decimal text.
    func units(_ name: String) throws(JSONFieldError) -> Int128 {
        let field = try field(name)
        let text = try field.string(bytes: 1...40)
        guard let units = Int128(text), String(units) == text else { throw field.error("must be units in decimal") }
        return units
    }
}

extension JSONField {
    fileprivate func base64(_ limit: Int) throws(JSONFieldError) -> [UInt8] {
        let text = try string(bytes: 0...limit * 4 / 3 + 4)
        guard let bytes = Base64.decode(text) else { throw error("must be base64 with padding, in its one form") }
        return bytes
    }
}
