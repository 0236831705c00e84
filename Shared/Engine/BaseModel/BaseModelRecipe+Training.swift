internal import Crypto
internal import JSON

extension BaseModelRecipe {
    /// Trains the base model and writes its folder: `config.json`, `tokenizer.json`, `tokenizer_config.json`, `model.safetensors`
    /// (bfloat16) and `recipe.json` with the hashes of the others.
    /// - Parameters:
    ///   - corpus: what to learn from; refused unless its digest is the recipe's.
    ///   - folder: where to write; made unless it is there.
    ///   - threads: how many compute; does not change the result.
    ///   - resume: the state of an earlier run to go on from.
    ///   - progress: called after every step, evaluation and checkpoint.
    public func train(
        _ corpus: BaseModelCorpus, to folder: String, threads: Int = 2, resume: TrainingCheckpoint? = nil,
        progress: @escaping @Sendable (TrainingEvent) -> TrainingDecision = { _ in .proceed }
    ) async throws -> BaseModelRecord {
        guard corpus.digest == self.corpus else {
            throw FormatError(
                .mismatch, file: "the corpus",
                "has digest \(corpus.digest), the recipe asks for \(self.corpus): is it sqlite3-doc 3.40.1 and the conversations of this version?"
            )
        }
        let tokenizerJSON = try tokenizer(for: corpus)
        let tokenizer = try Tokenizer(json: tokenizerJSON)
        try tokenizer.requireFit(configuration)
        let (rows, holdOut) = try rows(of: corpus, tokenizer: tokenizer)
        let pool = try ComputePool(threads: threads)
        let trainer = try FullTrainer(configuration: configuration, options: options, pool: pool, contextLimit: rowLength)
        let (model, outcome) = try await trainer.train(rows, holdOut: holdOut, resume: resume, onEvent: progress)
        guard outcome.end == .finished else { throw EngineError.cancelled }
        try WholeFile.makeFolder(folder)
        try model.write(to: folder, type: .bfloat16, metadata: ["corpus": corpus.digest.prefixed])
        try WholeFile.replace(folder + "/tokenizer.json", with: tokenizerJSON)
        try WholeFile.replace(
            folder + "/tokenizer_config.json", with: Self.tokenizerConfiguration(contextLength: configuration.contextLength))
        let record = BaseModelRecord(
            corpus: corpus.digest, steps: outcome.steps, tokens: outcome.tokens, kernelLevel: outcome.kernelLevel,
            holdOutLoss: outcome.evaluations.last.map { Double($0.loss) } ?? .nan, files: try BaseModelRecord.hashes(folder))
        try WholeFile.replace(folder + "/" + BaseModelRecord.file, with: record.json)
        return record
    }

    /// The `tokenizer_config.json` that transformers reads: special tokens and the chat template.
    static func tokenizerConfiguration(contextLength: Int) -> [UInt8] {
        let object: JSONObject = [
            "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": .string(specialTokens[0]), "pad_token": .string(specialTokens[0]),
            "model_max_length": .int(Int64(contextLength)), "clean_up_tokenization_spaces": false, "chat_template": .string(chatTemplate),
        ]
        return JSON.pretty(.object(object)) + [UInt8(ascii: "\n")]
    }
}
