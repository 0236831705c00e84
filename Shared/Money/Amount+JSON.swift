public import JSON

extension Amount {
    /// `{"amount": "<minor units>", "asset": "USDC/6"}`: the form used in events and in REST.
    public var json: JSONValue { ["amount": .string(unitsText), "asset": .string(asset.text)] }

    /// Reads ``json``; other members, fractions and numbers instead of texts are refused.
    public init(json field: JSONField) throws(JSONFieldError) {
        let fields = try field.object()
        try fields.refuseUnknown(keys: ["amount", "asset"])
        let asset = try Asset(json: try fields.field("asset"))
        let amount = try fields.field("amount")
        let text = try amount.string(bytes: 1...40)
        do { try self.init(unitsText: text, asset) } catch { throw amount.error("is no count of minor units: \(error)") }
    }
}

extension Asset {
    /// Reads the asset's text.
    public init(json field: JSONField) throws(JSONFieldError) {
        let text = try field.string(bytes: 1...19)
        do { try self.init(text) } catch { throw field.error("is no asset: \(error)") }
    }
}

extension JSONFields {
    /// The amount under this name.
    public func amount(_ name: String) throws(JSONFieldError) -> Amount { try Amount(json: try field(name)) }

    /// The amount under this name, or nil when it is absent or `null`.
    public func optionalAmount(_ name: String) throws(JSONFieldError) -> Amount? {
        guard let field = optionalField(name) else { return nil }
        return try Amount(json: field)
    }
}
