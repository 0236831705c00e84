public import Crypto
public import Events
public import JSON
internal import Licences

/// A snapshot described for machine-learning tools: Croissant 1.1 (JSON-LD), with W3C PROV-O provenance and licences.
///
/// It describes the list of items, whose hash it names; content is had from the service by who has access. Everything in it
/// follows from the snapshot's event, the Datanet's id, domain and policy, and the list: whoever has these makes the same bytes.
public struct CroissantManifest: Sendable {
    /// The Datanet's id.
    public let datanet: String
    /// What it is about.
    public let domain: String
    /// `text`, `image` or `audio`.
    public let media: String
    /// The snapshot's number.
    public let number: Int
    /// The root over its items.
    public let root: Digest
    /// SHA-256 of the list, and its length in bytes.
    public let list: (digest: Digest, bytes: Int)
    /// Figures.
    public let statistics: SnapshotStatistics
    /// When.
    public let published: Timestamp
    /// By whom.
    public let publisher: String
    /// The root of the snapshot before.
    public let previous: Digest?
    /// How items came in: `automatic` or `review`.
    public let admission: String

    /// A description from its parts.
    public init(
        datanet: Datanet, number: Int, root: Digest, list: (digest: Digest, bytes: Int), statistics: SnapshotStatistics,
        published: Timestamp, publisher: String, previous: Digest?
    ) {
        self.datanet = datanet.id
        domain = datanet.domain
        media = datanet.media
        admission = datanet.policy.admission
        self.number = number
        self.root = root
        self.list = list
        self.statistics = statistics
        self.published = published
        self.publisher = publisher
        self.previous = previous
    }

    /// The RFC 8785 bytes.
    public func bytes() throws -> [UInt8] { try JSON.canonical(json, allowFractions: false) }

    /// The document.
    public var json: JSONValue {
        let moment = published.description
        let licences = statistics.licences.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return .members([
            "@context": Self.context, "@type": "sc:Dataset", "@id": .string("urn:openledger:datanet:\(datanet):\(number)"),
            "conformsTo": "http://mlcommons.org/croissant/1.1", "name": .string("\(domain)-\(datanet)"),
            "description": .string(
                "Snapshot \(number) of the Datanet \(datanet) (\(domain), \(media)): \(statistics.items) items by \(statistics.owners) owners."
            ),
            "version": .string("\(number).0.0"), "datePublished": .string(String(moment.prefix(10))),
            "url": .string("/v1/datanets/\(datanet)"),
            "inLanguage": .texts(
                statistics.languages.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }),
            "license": .texts(licences.map(Self.address)), "identifier": .string(root.prefixed), "isLiveDataset": .bool(false),
            "citeAs": .string("Datanet \(datanet), snapshot \(number), root \(root.prefixed)"),
            "prov:wasAttributedTo": ["@type": "prov:Agent", "prov:label": .string(publisher)],
            "prov:wasGeneratedBy": [
                "@type": "prov:Activity",
                "prov:label": .string(
                    admission == "review" ? "screening, and admission by drawn panels" : "screening, and admission by quality"),
                "prov:endedAtTime": .string(moment),
            ],
            "prov:wasDerivedFrom": previous.map { ["@id": .string("urn:openledger:snapshot:\($0.prefixed)")] },
            "distribution": [
                [
                    "@type": "cr:FileObject", "@id": "list", "name": "list", "contentUrl": "list", "encodingFormat": "application/json",
                    "contentSize": .string("\(list.bytes) B"), "sha256": .string(list.digest.hex),
                    "description": "The items in canonical order; each is a leaf under the root.",
                ]
            ],
            "recordSet": [
                [
                    "@type": "cr:RecordSet", "@id": "items", "name": "items", "key": ["@id": "items/item"],
                    "description": "One record for each item: whose it is, under what licence, and the commitment to its content.",
                    "field": .array(Self.fields),
                ]
            ],
        ])
    }

    private static let fields: [JSONValue] = [
        field("item", "sc:Text", "The item's id."), field("contribution", "sc:Text", "The contribution that brought it."),
        field("owner", "sc:Text", "Whose work it is.", meaning: "prov:wasAttributedTo"),
        field("commitment", "sc:Text", "Salted SHA-256 of its content."),
        field("tokens", "sc:Integer", "Its length in words and punctuation marks."),
        field("licence", "sc:Text", "SPDX expression.", meaning: "sc:license"),
        field("language", "sc:Text", "BCP 47.", meaning: "sc:inLanguage"),
        field("cluster", "sc:Text", "The head of its near-duplicates."),
    ]

    private static func field(_ name: String, _ type: String, _ meaningText: String, meaning: String? = nil) -> JSONValue {
        .members([
            "@type": "cr:Field", "@id": .string("items/\(name)"), "name": .string(name), "dataType": .string(type),
            "description": .string(meaningText), "equivalentProperty": meaning.map { .string($0) },
            "source": ["fileObject": ["@id": "list"], "extract": ["jsonPath": .string("$[*].\(name)")]],
        ])
    }

    /// One SPDX licence has a page; an expression of several is given as it is.
    private static func address(_ licence: String) -> String {
        guard case .licence(let id, orLater: false)? = try? LicenceExpression(licence), !id.hasPrefix("LicenseRef-") else { return licence }
        return "https://spdx.org/licenses/\(licence).html"
    }

    /// The context of Croissant 1.1, appendix 1, and PROV-O's prefix.
    private static let context: JSONValue = [
        "@language": "en", "@vocab": "https://schema.org/", "annotation": "cr:annotation", "arrayShape": "cr:arrayShape",
        "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn",
        "cr": "http://mlcommons.org/croissant/", "data": ["@id": "cr:data", "@type": "@json"],
        "dataBiases": "cr:dataBiases", "dataCollection": "cr:dataCollection", "dataType": ["@id": "cr:dataType", "@type": "@vocab"],
        "dct": "http://purl.org/dc/terms/", "equivalentProperty": "cr:equivalentProperty",
        "examples": ["@id": "cr:examples", "@type": "@json"], "excludes": "cr:excludes", "extract": "cr:extract", "field": "cr:field",
        "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
        "includes": "cr:includes", "isArray": "cr:isArray", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
        "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path",
        "personalSensitiveInformation": "cr:personalSensitiveInformation", "prov": "http://www.w3.org/ns/prov#",
        "recordSet": "cr:recordSet", "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated",
        "replace": "cr:replace", "samplingRate": "cr:samplingRate", "sc": "https://schema.org/", "separator": "cr:separator",
        "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform", "unArchive": "cr:unArchive", "value": "cr:value",
    ]
}
