internal import AdapterRouter
internal import JSON

/// A server that answers: where it is, what it has, and which dialect of OpenAI's API it speaks.
struct BackendSite: Sendable {
    /// How a server is told which adapter to use, and to bring one in.
    enum Kind: String, Sendable, CaseIterable {
        /// Our own: `openledger_adapter` in the request, adapters by their artefact's name from training.
        case runner
        /// vLLM with `VLLM_ALLOW_RUNTIME_LORA_UPDATING`: `/v1/load_lora_adapter`, then the adapter is a model.
        case vllm
        /// llama.cpp's server: adapters are named when it starts, and chosen by number in each request.
        case llama
        /// Any other: base models alone.
        case openai
    }

    let kind: Kind
    let url: String
    /// What it calls our base models; one that is not here has the same name there.
    let models: [String: String]
    /// Models that it embeds texts with.
    let embeddings: [String]
    /// What it wants as bearer token; nil for our own runner, which takes the gateway's token.
    let key: String?
    /// The principal that is paid for computing.
    let runner: String
    /// For vLLM: where adapters are put, and where the server finds them.
    let shelf: (here: String, there: String)?
    /// For llama.cpp: the numbers of its adapters, by artefact.
    let numbers: [String: Int]
    /// Whether its models think before they speak, and it counts that.
    let hidesTokens: Bool
    let profile: BackendProfile

    /// The one that is there when nothing else was said.
    init(runnerAt url: String, paid runner: String) {
        kind = .runner
        self.url = url
        models = [:]
        embeddings = []
        key = nil
        self.runner = runner
        shelf = nil
        numbers = [:]
        hidesTokens = false
        profile = BackendProfile(name: "runner", bases: nil, slots: 1_000, concurrency: 64, loads: 4)
    }

    /// One of a list: `{"name", "kind", "url", "bases": {"ours": "theirs"}, …}`.
    /// - Parameter secret: reads the file that a key lies in.
    init(_ fields: JSONFields, secret: (String) throws -> String) throws {
        try fields.refuseUnknown(keys: [
            "name", "kind", "url", "bases", "embeddings", "key_file", "runner", "slots", "concurrency", "loads", "mixes_bases",
            "adapters_here", "adapters_there", "adapters", "hidden_reasoning",
        ])
        guard let kind = Kind(rawValue: try fields.string("kind")) else {
            throw try fields.field("kind").error("must be \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.kind = kind
        let name = try fields.string("name", bytes: 1...64)
        url = try fields.string("url", bytes: 8...1_000)
        var models: [String: String] = [:]
        for (base, other) in try fields.optionalObject("bases").map({ try $0.texts() }) ?? [] { models[base] = other }
        self.models = models
        embeddings = try (fields.optionalArray("embeddings", count: 0...64) ?? []).map { try $0.string(bytes: 1...200) }
        key = try fields.optionalString("key_file", bytes: 1...1_000).map(secret)
        runner = try fields.optionalString("runner", bytes: 1...100) ?? name
        let here = try fields.optionalString("adapters_here", bytes: 1...1_000)
        var shelf = here.map { (here: $0, there: $0) }
        if let there = try fields.optionalString("adapters_there", bytes: 1...1_000) {
            guard let here else { throw try fields.field("adapters_there").error("needs adapters_here") }
            shelf = (here, there)
        }
        self.shelf = shelf
        if kind == .vllm, shelf == nil {
            throw fields.error("needs adapters_here, a folder that vLLM can read: its adapters are put there")
        }
        var numbers: [String: Int] = [:]
        for (number, adapter) in (try fields.optionalArray("adapters", count: 0...10_000) ?? []).enumerated() {
            numbers[try adapter.string(bytes: 1...200)] = number
        }
        self.numbers = numbers
        hidesTokens = try fields.optionalBool("hidden_reasoning") ?? false
        let bases = models.isEmpty ? nil : Set(models.keys)
        if !numbers.isEmpty, bases?.count != 1 { throw fields.error("needs exactly one base beside its adapters") }
        let base = bases?.first ?? ""
        let hasSlots = kind == .runner || kind == .vllm
        profile = BackendProfile(
            name: name, bases: bases, embeds: Set(embeddings),
            slots: try fields.optionalInt("slots", in: 0...100_000) ?? (hasSlots ? 64 : 0),
            concurrency: try fields.optionalInt("concurrency", in: 1...100_000) ?? 64,
            loads: hasSlots ? try fields.optionalInt("loads", in: 1...64) ?? 2 : 0,
            mixesBases: try fields.optionalBool("mixes_bases") ?? true,
            fixed: numbers.keys.sorted().map { AdapterName(base: base, adapter: $0) })
    }
}

extension JSONFields {
    /// Members that are all texts.
    fileprivate func texts() throws -> [(String, String)] {
        try object.members.map { ($0.key, try field($0.key).string(bytes: 1...200)) }
    }
}
