public import Events
public import JSON

/// What a version of a model was made from, as far as the log goes: the facts behind a training-content summary and a licence report.
public struct ModelOrigin: Sendable {
    /// One snapshot, with its Datanet's report on licences and languages.
    public struct Source: Sendable {
        /// Which.
        public let snapshot: SnapshotReference
        /// As `/v1/snapshots/{snapshot}/licences` gives it.
        public let report: JSONValue

        /// From its parts.
        public init(snapshot: SnapshotReference, report: JSONValue) {
            self.snapshot = snapshot
            self.report = report
        }
    }

    /// The model.
    public let model: ModelVersion
    /// The base that it stands on.
    public let base: BaseModelRegistered?
    /// The job that made its adapter.
    public let job: TrainingJob?
    /// What it learned from.
    public let sources: [Source]

    /// From its parts.
    public init(model: ModelVersion, base: BaseModelRegistered?, job: TrainingJob?, sources: [Source]) {
        self.model = model
        self.base = base
        self.job = job
        self.sources = sources
    }
}

/// The summary of training content that Regulation (EU) 2024/1689, Article 53(1)(d), asks providers of general-purpose models for, by the sections of
/// the Commission's template of 24 July 2025. It holds what the log knows; what only the provider knows is listed in `missing`.
public struct TrainingSummary: Sendable {
    private let origin: ModelOrigin

    /// Of a model.
    public init(_ origin: ModelOrigin) { self.origin = origin }

    /// What the template asks for and no event says.
    public static let missing = [
        "1.1 name and contact of the provider, and of an authorised representative", "1.2 the training content of the base model",
        "1.3 the types of content within a modality", "2.1 public datasets that the base model learned from",
        "2.3 crawling for the base model",
    ]

    /// The document.
    public var json: JSONValue {
        [
            "template": "Regulation (EU) 2024/1689, Article 53(1)(d): template for the public summary of training content, 24 July 2025",
            "scope":
                "What this version's adapter learned from, by the events of the log. The base model's own training took place before the log.",
            "general": general, "sources": sources, "processing": processing, "missing": .texts(Self.missing),
        ]
    }

    // MARK: 1. General information

    private var general: JSONValue {
        let terms = origin.model.terms
        var modalities: [String: (items: Int, tokens: Int)] = [:]
        var languages: [String: (items: Int, tokens: Int)] = [:]
        for source in origin.sources {
            let media = source.report["media"]?.stringValue ?? "text"
            let whole = Self.figures(source.report["whole"])
            modalities[media, default: (0, 0)].items += whole.items
            modalities[media, default: (0, 0)].tokens += whole.tokens
            for entry in source.report["languages"]?.arrayValue ?? [] {
                guard let language = entry["language"]?.stringValue else { continue }
                let figures = Self.figures(entry)
                languages[language, default: (0, 0)].items += figures.items
                languages[language, default: (0, 0)].tokens += figures.tokens
            }
        }
        let latest = origin.sources.compactMap { $0.report["snapshot"]?["published"]?.stringValue }.max()
        return .members([
            "provider": ["principal": .string(terms.owner)],
            "model": .members([
                "name": .string(terms.model), "version": .count(terms.version), "published": .string(origin.model.time.description),
                "adapter": terms.adapter.map { .digest($0) },
            ]),
            "depends_on": .members([
                "base": .string(terms.base), "artefact": origin.base.map { .digest($0.artefact) },
                "licence": origin.base.map { .string($0.licence) }, "parameters": origin.base.map { .count($0.parameters) },
            ]),
            "modalities": .array(
                modalities.sorted { $0.key < $1.key }.map { media, figures in
                    .members([
                        "modality": .string(media), "items": .count(figures.items), "tokens": .count(figures.tokens),
                        "size": media == "text" ? .string(Self.range(tokens: figures.tokens)) : nil,
                    ])
                }),
            "languages": .array(
                languages.sorted { $0.key < $1.key }.map { language, figures in
                    ["language": .string(language), "items": .count(figures.items), "tokens": .count(figures.tokens)]
                }),
            "latest_acquisition": latest.map { .string($0) },
            "training": origin.job?.completed.map { job in
                .members([
                    "job": .string(job.job), "tokens_seen": .count(job.tokens), "runner": .string(job.runner),
                    "record": .digest(job.record),
                ])
            },
        ])
    }

    /// The template's ranges for text.
    static func range(tokens: Int) -> String {
        switch tokens {
        case ..<1_000_000_000: "less than 1 billion tokens"
        case ...10_000_000_000_000: "1 billion to 10 trillion tokens"
        default: "more than 10 trillion tokens"
        }
    }

    // MARK: 2. List of data sources

    private var sources: JSONValue {
        [
            "public_datasets": [], "private_datasets": [], "crawled": [], "user_data": [], "synthetic": [],
            "other": .array(
                origin.sources.map { source in
                    let report = source.report
                    return .members([
                        "kind": "contributions to a Datanet, each signed by who brought it and under the licence that they gave it",
                        "datanet": .string(source.snapshot.datanet), "domain": report["domain"], "modality": report["media"],
                        "snapshot": .string(source.snapshot.snapshot), "number": .count(source.snapshot.number),
                        "root": .digest(source.snapshot.root), "manifest": .string("/v1/snapshots/\(source.snapshot.snapshot)/manifest"),
                        "whole": report["whole"], "contributions": report["contributions"], "licences": report["licences"],
                        "admission": report["admission"], "publisher": report["publisher"],
                    ])
                }),
        ]
    }

    // MARK: 3. Data processing

    private var processing: JSONValue {
        let withdrawn = origin.sources.map { source -> JSONValue in
            ["snapshot": .string(source.snapshot.snapshot), "withdrawn": source.report["withdrawn"] ?? .null]
        }
        return [
            "rights_reservation": [
                "statement":
                    "Nothing was collected by text and data mining: each item was brought by its owner, or on behalf of a named author of openly licensed work, with a signed manifest and a licence that the Datanet takes. Who takes an item back has it left out of every later snapshot; what learned from it before stays.",
                "withdrawn_since": .array(withdrawn), "how": "/v1/contributions/{contribution}/withdrawal and /erasure",
            ],
            "illegal_content": [
                "statement":
                    "Screening refuses keys, passwords and personal data by public rules; panels of validators review where the Datanet says so.",
                "rules": "/v1/contributions/screening-rules",
            ],
            "retrieval": .texts(origin.model.terms.retrieval),
        ]
    }

    static func figures(_ value: JSONValue?) -> (items: Int, tokens: Int) {
        (Int(value?["items"]?.intValue ?? 0), Int(value?["tokens"]?.intValue ?? 0))
    }
}

/// Under which licences a version of a model stands: its base's, and those of what it learned from.
public struct LicenceReport: Sendable {
    private let origin: ModelOrigin

    /// Of a model.
    public init(_ origin: ModelOrigin) { self.origin = origin }

    /// The document.
    public var json: JSONValue {
        let terms = origin.model.terms
        var whole: [String: (items: Int, tokens: Int)] = [:]
        for source in origin.sources {
            for entry in source.report["licences"]?.arrayValue ?? [] {
                guard let licence = entry["licence"]?.stringValue else { continue }
                let figures = TrainingSummary.figures(entry)
                whole[licence, default: (0, 0)].items += figures.items
                whole[licence, default: (0, 0)].tokens += figures.tokens
            }
        }
        return .members([
            "model": .string(terms.model), "version": .count(terms.version),
            "base": .members(["model": .string(terms.base), "licence": origin.base.map { .string($0.licence) }]),
            "licences": .array(
                whole.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { licence, figures in
                    ["licence": .string(licence), "items": .count(figures.items), "tokens": .count(figures.tokens)]
                }),
            "snapshots": .array(
                origin.sources.map { source in
                    .members([
                        "datanet": .string(source.snapshot.datanet), "snapshot": .string(source.snapshot.snapshot),
                        "root": .digest(source.snapshot.root), "licences": source.report["licences"],
                        "withdrawn": source.report["withdrawn"],
                    ])
                }),
            "retrieval": .texts(terms.retrieval),
        ])
    }
}
