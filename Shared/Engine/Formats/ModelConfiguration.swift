/// The shape of a model: what a Hugging Face `config.json` says of it.
public struct ModelConfiguration: Sendable, Hashable {
    /// The family.
    public var architecture: ModelArchitecture
    /// Rows of the embedding: how many token ids there are.
    public var vocabularySize: Int
    /// Width of the residual stream.
    public var hiddenSize: Int
    /// Width of the gated feed-forward.
    public var intermediateSize: Int
    /// How many layers.
    public var layerCount: Int
    /// Query heads of a layer.
    public var headCount: Int
    /// Key and value heads of a layer; divides ``headCount``.
    public var keyValueHeadCount: Int
    /// Dimensions of one head, even. Not always hiddenSize / headCount.
    public var headSize: Int
    /// The longest sequence that the model was made for, in tokens.
    public var contextLength: Int
    /// Added to the mean square inside RMS norms.
    public var normEpsilon: Double
    /// Base of the rotary frequencies.
    public var ropeTheta: Double
    /// How rotary frequencies are stretched; nil: not.
    public var ropeScaling: RoPEScaling?
    /// Whether the query, key and value projections have biases.
    public var hasQueryKeyValueBias: Bool
    /// Whether the attention's output projection has one.
    public var hasOutputBias: Bool
    /// Whether the three feed-forward projections have biases.
    public var hasFeedForwardBias: Bool
    /// Whether the output projection is the embedding itself.
    public var tiesEmbeddings: Bool
    /// A token attends to itself and at most this number − 1 before it, in the layers of ``slidingWindowLayers``; nil: no limit.
    public var slidingWindow: Int?
    /// Which layers the window holds for.
    public var slidingWindowLayers: Range<Int>
    /// The token put before a text, if there is one.
    public var beginToken: Int?
    /// The tokens that end an answer.
    public var endTokens: [Int]

    /// A configuration by its parts; ``check()`` tells whether they fit each other.
    public init(
        architecture: ModelArchitecture = .llama, vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layerCount: Int,
        headCount: Int, keyValueHeadCount: Int, headSize: Int? = nil, contextLength: Int, normEpsilon: Double = 1e-5,
        ropeTheta: Double = 10_000, ropeScaling: RoPEScaling? = nil, hasQueryKeyValueBias: Bool = false,
        hasOutputBias: Bool = false, hasFeedForwardBias: Bool = false, tiesEmbeddings: Bool = false, slidingWindow: Int? = nil,
        slidingWindowLayers: Range<Int>? = nil, beginToken: Int? = nil, endTokens: [Int] = []
    ) {
        self.architecture = architecture
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headSize = headSize ?? (headCount > 0 ? hiddenSize / headCount : 0)
        self.contextLength = contextLength
        self.normEpsilon = normEpsilon
        self.ropeTheta = ropeTheta
        self.ropeScaling = ropeScaling
        self.hasQueryKeyValueBias = hasQueryKeyValueBias
        self.hasOutputBias = hasOutputBias
        self.hasFeedForwardBias = hasFeedForwardBias
        self.tiesEmbeddings = tiesEmbeddings
        self.slidingWindow = slidingWindow
        self.slidingWindowLayers = slidingWindowLayers ?? (slidingWindow == nil ? 0..<0 : 0..<max(0, layerCount))
        self.beginToken = beginToken
        self.endTokens = endTokens
    }

    /// Width of all query heads together.
    public var queryWidth: Int { headCount * headSize }

    /// Width of all key heads, or all value heads, together.
    public var keyValueWidth: Int { keyValueHeadCount * headSize }

    /// The window that holds for a layer; nil: it sees everything before.
    public func slidingWindow(layer: Int) -> Int? { slidingWindowLayers.contains(layer) ? slidingWindow : nil }
}
