internal import Crypto
internal import Decisions
internal import Events
internal import Identity
internal import JSON
internal import Money
internal import ServiceShell
internal import TrainingDomain
internal import Web

/// Base models, and the adapters that people publish on them.
struct ModelRoutes: Sendable {
    let maker: DecisionMaker<TrainingState>

    var routes: [Route] { [registerBase, bases, publish, list, show, retire, handOver] }

    private static let amount: Schema = .object(.required("asset", .text(1...19)), .required("amount", .text(.decimal)))
    private static let name: Schema = .text(1...129)
    /// A hundred times more than any model has.
    private static let mostParameters = 1_000_000_000_000_000

    private var registerBase: Route {
        Route(
            .post, "/v1/base-models", operation: "registerBaseModel", summary: "Makes a base model known.", access: .scope("models:write"),
            body: .json(
                .object(
                    .required("model", .text(1...100), "Its name."),
                    .required("artefact", .text(.sha256), "SHA-256 of the artefact's manifest."),
                    .required("licence", .text(1...100), "SPDX expression."),
                    .required("parameters", .integer(1...Self.mostParameters), "How many."))),
            idempotency: .required, replies: [.json(201, "The base model.", .any)],
            problems: TrainingProblems.all + DecisionError.problemTypes
        ) { [maker] context in
            let owner = try context.caller.subject
            let base = try context.decode { json in
                let fields = try json.object()
                return BaseModelRegistered(
                    model: try fields.id("model"), owner: owner, artefact: try fields.digest("artefact"), licence: try fields.id("licence"),
                    parameters: try fields.field("parameters").int(in: 1...Self.mostParameters))
            }
            _ = try await context.decide(maker, TrainingRules.register(base))
            return .json(base.json, status: 201)
        }
    }

    private var bases: Route {
        Route(
            .get, "/v1/base-models", operation: "listBaseModels", summary: "All base models.", access: .authenticated,
            replies: [.json(200, "Base models by name.", .openObject(.required("items", .list(.any, atMost: 10_000))))]
        ) { [maker] _ in
            let bases = try await maker.query { $0.bases.values.sorted { $0.model < $1.model } }
            return .json(["items": .array(bases.map(\.json))])
        }
    }

    private var publish: Route {
        Route(
            .post, "/v1/adapters", operation: "publishModel",
            summary: "Publishes the next version of a model: a base alone, or with the adapter that a job made.",
            access: .scope("models:write"),
            body: .json(
                .object(
                    .required("model", Self.name, "<owner>/<name>."), .required("base", .text(1...100), "The base model."),
                    .optional("job", .text(1...100), "The job whose adapter it is."),
                    .optional("retrieval", .list(.text(1...100), atMost: 20), "Datanets to retrieve passages from."),
                    .required(
                        "price",
                        .object(.required("request", Self.amount), .required("input", Self.amount), .required("output", Self.amount)),
                        "For a request, and for a million tokens of prompt and of answer."),
                    .required(
                        "split",
                        .object(
                            .required("owner", .count), .required("datanets", .count), .required("contributors", .count),
                            .required("validators", .count), .required("compute", .count)), "Basis points that make 10,000."),
                    .optional("attribution", .any, "How the contributors' part is shared."),
                    .optional("private", .boolean, "Whether its owner alone, and the owner's agents, may ask it."))),
            idempotency: .required, replies: [.json(201, "The model as published.", .any)],
            problems: TrainingProblems.all + DecisionError.problemTypes
        ) { [maker] context in
            let owner = try context.caller.subject
            let draft = try context.decode { try Self.draft($0, owner: owner) }
            let outcome = try await context.decide(maker, ModelRules.publish(draft))
            return .json(try outcome.first(ModelPublished.self).json, status: 201)
        }
    }

    private static func draft(_ json: JSONValue, owner: String) throws -> ModelPublished {
        let fields = try json.object()
        let policy =
            if let object = try fields.optionalObject("attribution") { try AttributionPolicy(object) } else { Self.usualPolicy }
        return ModelPublished(
            model: try fields.id("model"), version: 0, owner: owner, base: try fields.id("base"), job: try fields.optionalID("job"),
            snapshots: [], retrieval: try fields.ids("retrieval"), price: try ModelPrice(fields.object("price")),
            split: try ModelSplit(fields.object("split")), attribution: policy,
            isPrivate: try fields.optionalBool("private") ?? false)
    }

    /// What holds when a publisher says nothing.
    static let usualPolicy = AttributionPolicy(
        rules: "attribution/3", spans: 4_000, influence: 4_000, retrieval: 2_000, threshold: 200_000_000, cap: 500_000_000,
        fallback: "tokens", minimumSpan: 8)

    private var list: Route {
        Route(
            .get, "/v1/adapters", operation: "listModels", summary: "The newest version of each model that may be asked.",
            access: .authenticated,
            replies: [.json(200, "Models by name.", .openObject(.required("items", .list(.any, atMost: 100_000))))]
        ) { [maker] _ in
            let models = try await maker.query { state in state.models.keys.sorted().compactMap { state.model($0) } }
            return .json(["items": .array(models.map(\.json))])
        }
    }

    private var show: Route {
        Route(
            .get, "/v1/adapters/{owner}/{name}", operation: "showModel", summary: "One model and all its versions.", access: .authenticated,
            replies: [.json(200, "Its versions, oldest first.", .any)], problems: [.notFound]
        ) { [maker] context in
            let name = context.path["owner"] + "/" + context.path["name"]
            guard let versions = try await maker.find({ $0.models[name] }) else { throw TrainingError.notFound("model \(name)") }
            return .json([
                "model": .string(name),
                "versions": .array(
                    versions.map { version in
                        .members([
                            "terms": version.terms.json, "published": .string(version.time.description),
                            "retired": .bool(version.isRetired),
                        ])
                    }),
            ])
        }
    }

    private var retire: Route {
        Route(
            .post, "/v1/adapters/{owner}/{name}/retire", operation: "retireModel", summary: "Takes a model, or a version of it, back.",
            access: .scope("models:write"), body: .json(.object(.optional("version", .integer(1...1_000_000)))), idempotency: .required,
            replies: [.empty(204, "It may no longer be asked.")], problems: TrainingProblems.all + DecisionError.problemTypes
        ) { [maker] context in
            let name = context.path["owner"] + "/" + context.path["name"]
            let version = try context.decode { try $0.object().optionalInt("version") }
            _ = try await context.decide(maker, ModelRules.retire(name, version: version, by: try context.caller.subject))
            return .noContent
        }
    }

    private var handOver: Route {
        Route(
            .post, "/v1/adapters/{owner}/{name}/hand-over", operation: "handOverModel",
            summary: "Gives a model a new owner: a new version on the same terms, whose earnings are theirs; those before are retired.",
            access: .scope("models:write"), body: .json(.object(.required("to", .text(1...200), "The new owner."))), idempotency: .required,
            replies: [.json(201, "The new owner's version.", .any)], problems: TrainingProblems.all + DecisionError.problemTypes
        ) { [maker] context in
            let name = context.path["owner"] + "/" + context.path["name"]
            let owner = try context.decode { try $0.object().id("to") }
            let outcome = try await context.decide(maker, ModelRules.handOver(name, to: owner, by: try context.caller.subject))
            return .json(try outcome.first(ModelPublished.self).json, status: 201)
        }
    }
}
