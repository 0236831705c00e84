public import Crypto
public import JSON

/// A base model is known.
public struct BaseModelRegistered: EventData, Hashable {
    /// `base-model.registered`.
    public static let type = "base-model.registered"

    /// Its name.
    public var model: String
    /// Who registered it.
    public var owner: String
    /// SHA-256 of the artefact's manifest.
    public var artefact: Digest
    /// SPDX expression.
    public var licence: String
    /// How many.
    public var parameters: Int

    /// From its parts.
    public init(model: String, owner: String, artefact: Digest, licence: String, parameters: Int) {
        self.model = model
        self.owner = owner
        self.artefact = artefact
        self.licence = licence
        self.parameters = parameters
    }

    /// Reads it.
    public init(_ fields: JSONFields) throws(JSONFieldError) {
        try fields.refuseUnknown(keys: ["model", "owner", "artefact", "licence", "parameters"])
        model = try fields.id("model")
        owner = try fields.id("owner")
        artefact = try fields.digest("artefact")
        licence = try fields.id("licence")
        parameters = try fields.count("parameters")
    }

    /// As it is written.
    public var json: JSONValue {
        .members([
            "model": .string(model), "owner": .string(owner), "artefact": .digest(artefact), "licence": .string(licence),
            "parameters": .count(parameters),
        ])
    }
}
