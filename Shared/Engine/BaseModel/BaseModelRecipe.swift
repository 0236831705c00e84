public import Crypto

/// How the base model that ships with the product is made, to the last byte: the same corpus gives the same weights on any
/// processor with a fused multiply-add, whatever the number of threads.
public struct BaseModelRecipe: Sendable {
    /// The tokens outside the merges, from id 0 on: the end of a text or answer, and who speaks.
    public static let specialTokens = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    /// How a conversation is written: what the model was trained on.
    public static let chatTemplate = """
        {% for message in messages %}{{ '<|' + message['role'] + '|>' + message['content'] }}\
        {% if message['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}{% endfor %}\
        {% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}
        """

    /// The model's shape.
    public var configuration: ModelConfiguration
    /// The run's settings.
    public var options: TrainingOptions
    /// Tokens of a row.
    public var rowLength: Int
    /// Every row whose number is divisible by this is kept for measuring.
    public var holdOutEvery: Int
    /// The corpus that the weights were made from.
    public var corpus: Digest

    /// A recipe by its parts.
    public init(configuration: ModelConfiguration, options: TrainingOptions, rowLength: Int, holdOutEvery: Int, corpus: Digest) {
        self.configuration = configuration
        self.options = options
        self.rowLength = rowLength
        self.holdOutEvery = holdOutEvery
        self.corpus = corpus
    }

    /// The corpus of ``standard``: Debian's sqlite3-doc 3.40.1 and `models/base/conversations.jsonl`.
    public static let standardCorpus = Digest(hex: "7609c433c297e84434c6d5a71d8396bb1ffd473d7656894053594640e0d6b01a") ?? .zero

    /// The recipe of the weights in `models/base`: 2.4 M parameters, three passes over 1.27 M tokens, some ten minutes of one core.
    public static let standard: BaseModelRecipe = {
        var options = TrainingOptions()
        options.epochs = 3
        options.rowsPerStep = 16
        options.learningRate = 4e-3
        options.schedule = .cosine
        options.minimumRate = 0.05
        options.warmupSteps = 40
        options.beta2 = 0.98
        options.weightDecay = 0.05
        options.seed = 2026
        options.evaluateEvery = 100
        options.checkpointEvery = 100
        return BaseModelRecipe(
            configuration: ModelConfiguration(
                vocabularySize: 4096, hiddenSize: 192, intermediateSize: 512, layerCount: 4, headCount: 6, keyValueHeadCount: 3,
                contextLength: 1024, tiesEmbeddings: true, beginToken: nil, endTokens: [0]),
            options: options, rowLength: 256, holdOutEvery: 50, corpus: standardCorpus)
    }()
}
