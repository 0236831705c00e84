internal import Crypto
internal import Events
public import JSON
internal import Money

extension LiabilityProof {
    /// As it is written.
    public var json: JSONValue {
        [
            "type": .string(Self.type), "holder": .string(holder), "asset": .string(asset.text), "epoch": .count(epoch),
            "total": .string(String(total)), "accounts": .array(parts.map(\.json)), "checkpoint": .string(checkpoint),
            "event": event.json,
        ]
    }

    /// Whether a file says that it is one.
    public static func isProof(_ bytes: [UInt8]) -> Bool {
        guard bytes.count <= maximumBytes, let value = try? JSON.parse(bytes, limits: limits) else { return false }
        return value["type"]?.stringValue == type
    }

    private static let limits = JSONLimits(bytes: maximumBytes, items: 1_000_000)

    /// Reads a file.
    /// - Throws: ``ReceiptFault`` of the kind `format` that names the member at fault.
    public init(parsing bytes: [UInt8]) throws(ReceiptFault) {
        do {
            guard bytes.count <= Self.maximumBytes else { throw ReceiptFault(.format, "it has more than \(Self.maximumBytes) bytes") }
            try self.init(try JSON.parse(bytes, limits: Self.limits).object())
        } catch let fault as ReceiptFault {
            throw fault
        } catch {
            throw ReceiptFault(.format, "\(error)")
        }
    }

    private init(_ fields: JSONFields) throws(JSONFieldError) {
        let type = try fields.field("type")
        guard try type.string() == Self.type else { throw type.error("must be \(Self.type)") }
        try fields.refuseUnknown(keys: ["type", "holder", "asset", "epoch", "total", "accounts", "checkpoint", "event"])
        holder = try fields.id("holder")
        asset = try fields.asset("asset")
        epoch = try fields.int("epoch", in: 1...1_000_000)
        total = try fields.owed("total")
        checkpoint = try fields.string("checkpoint", bytes: 1...65_535)
        event = try ProvenEvent(try fields.object("event"))
        parts = try fields.all("accounts", 1...Self.maximumAccounts) { entry throws(JSONFieldError) in try Part(entry) }
    }
}

extension LiabilityProof.Part {
    fileprivate var json: JSONValue {
        [
            "account": .string(liability.account.text), "balance": .string(String(liability.units)),
            "proof": .array(steps.map(\.json)),
        ]
    }

    fileprivate init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["account", "balance", "proof"])
        liability = Liability(account: try fields.account("account"), units: try fields.owed("balance"))
        steps = try fields.all("proof", 0...63) { entry throws(JSONFieldError) in try LiabilityTree.Step(entry) }
    }
}

extension LiabilityTree.Step {
    /// As it is written.
    public var json: JSONValue {
        ["hash": .digest(node.hash), "sum": .string(String(node.sum)), "left": .bool(isLeft)]
    }

    fileprivate init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["hash", "sum", "left"])
        self.init(
            node: LiabilityTree.Node(hash: try fields.digest("hash"), sum: try fields.owed("sum")), isLeft: try fields.bool("left"))
    }
}

extension JSONFields {
    /// Minor units from zero up, as decimal text.
    fileprivate func owed(_ name: String) throws(JSONFieldError) -> UInt128 {
        let field = try field(name)
        let text = try field.string(bytes: 1...40)
        guard let units = UInt128(text), String(units) == text else { throw field.error("must be units in decimal") }
        return units
    }
}
