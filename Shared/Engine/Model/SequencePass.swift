internal import CKernels
internal import Glibc

/// Where the gradients of one backward pass are added.
enum GradientTarget {
    /// To the factors of the adapter in use, laid out as it is.
    case adapter(UnsafeMutablePointer<Float>)
    /// To every weight, laid out as `layout` says.
    case all(UnsafeMutablePointer<Float>, ParameterLayout)
}

/// What one linear layer saw and gave in a pass over one row: the material of curvature factors.
struct LinearTrace {
    let part: AdapterLayout.Part
    let tokens: Int
    /// tokens × inputs.
    let inputs: UnsafePointer<Float>
    /// A x, rank × tokens: the few rows of a factor go well with the kernels' tall blocks, its few columns would not.
    let low: UnsafePointer<Float>
    /// Gradient at A x, rank × tokens.
    let lowGradient: UnsafePointer<Float>
    /// Gradient at the layer's output, tokens × outputs; that of B (A x) is `scale` times it.
    let outputGradient: UnsafePointer<Float>
}

// Unchecked: each workspace belongs to one worker of a ComputePool at a time.
/// Forward and backward over one row of up to `capacity` tokens, with all memory that it needs. Attention weights, norms and
/// the gated product are computed again on the way back instead of kept.
final class SequencePass: @unchecked Sendable {
    struct Result {
        /// Sum over the targets, nats.
        var loss: Double = 0
        /// Targets that the model ranks first.
        var hits = 0
        var targets = 0
    }

    private struct Kept {
        let input, inputInverse, query, key, value, attended, middle, middleInverse, gate, up: FloatBuffer
        /// A x of each module, rank × tokens.
        let low: [FloatBuffer]
    }

    let capacity: Int
    private let weights: NetworkWeights
    private let configuration: ModelConfiguration
    private let kernels: Kernels
    private let k: EngineKernels
    private let rotary: RotaryTable
    private let rank: Int
    private var kept: [Kept] = []
    private let last, lastInverse, normed, product: FloatBuffer
    private let headIn, headGradient, logits: FloatBuffer
    private let dx, dNormed, dQuery, dKey, dValue, dAttended, dProduct, dLow, attention, dAttention: FloatBuffer
    private let scratch: FloatBuffer
    /// Rows of logits computed at once.
    private let chunk: Int

    init(_ weights: NetworkWeights, rotary: RotaryTable, kernels: Kernels, capacity: Int, rank: Int) {
        self.weights = weights
        self.rotary = rotary
        self.kernels = kernels
        k = kernels.table
        self.capacity = capacity
        self.rank = rank
        configuration = weights.configuration
        let c = configuration, t = capacity
        chunk = Self.chunk(c, t)
        for _ in 0..<c.layerCount {
            kept.append(
                Kept(
                    input: FloatBuffer(t * c.hiddenSize), inputInverse: FloatBuffer(t), query: FloatBuffer(t * c.queryWidth),
                    key: FloatBuffer(t * c.keyValueWidth), value: FloatBuffer(t * c.keyValueWidth),
                    attended: FloatBuffer(t * c.queryWidth), middle: FloatBuffer(t * c.hiddenSize), middleInverse: FloatBuffer(t),
                    gate: FloatBuffer(t * c.intermediateSize), up: FloatBuffer(t * c.intermediateSize),
                    low: LinearModule.allCases.map { _ in FloatBuffer(t * rank) }))
        }
        last = FloatBuffer(t * c.hiddenSize)
        lastInverse = FloatBuffer(t)
        normed = FloatBuffer(t * c.hiddenSize)
        product = FloatBuffer(t * c.intermediateSize)
        headIn = FloatBuffer(chunk * c.hiddenSize)
        headGradient = FloatBuffer(chunk * c.hiddenSize)
        logits = FloatBuffer(chunk * c.vocabularySize)
        dx = FloatBuffer(t * c.hiddenSize)
        dNormed = FloatBuffer(t * c.hiddenSize)
        dQuery = FloatBuffer(t * c.queryWidth)
        dKey = FloatBuffer(t * c.keyValueWidth)
        dValue = FloatBuffer(t * c.keyValueWidth)
        dAttended = FloatBuffer(t * c.queryWidth)
        dProduct = FloatBuffer(t * c.intermediateSize)
        dLow = FloatBuffer(t * max(1, rank))
        attention = FloatBuffer(t * t)
        dAttention = FloatBuffer(t * t)
        scratch = FloatBuffer(Kernels.gemmScratch)
    }

    private static func chunk(_ c: ModelConfiguration, _ t: Int) -> Int {
        max(1, min(t, max(16, (4 << 20) / c.vocabularySize)))
    }

    /// Bytes that a workspace for rows of `capacity` tokens takes.
    static func byteCount(_ c: ModelConfiguration, capacity t: Int, rank: Int) -> Int {
        let block = 2 * c.hiddenSize + 2 * c.queryWidth + 2 * c.keyValueWidth + 2 * c.intermediateSize + 7 * rank + 2
        let shared = 4 * c.hiddenSize + 2 * c.intermediateSize + 2 * c.queryWidth + 2 * c.keyValueWidth + rank + 1 + 2 * t
        let head = chunk(c, t) * (2 * c.hiddenSize + c.vocabularySize)
        return 4 * (t * (c.layerCount * block + shared) + head + Kernels.gemmScratch)
    }

    /// Computes the loss of `targets` (positions whose token is to be predicted) and, when `gradient` is given, adds `factor`
    /// times the gradient of the summed loss to it.
    /// - Parameters:
    ///   - labels: the tokens to predict in place of the row's own (labels sampled from the model).
    ///   - observeLogits: sees each chunk of logits before the loss: rows of the vocabulary, for the targets in order. May
    ///     return labels to use for that chunk.
    func run(
        _ tokens: [Int32], targets: [Int], adapter: Adapter?, factor: Float, gradient: GradientTarget?,
        observeLogits: ((_ first: Int, _ logits: UnsafeMutablePointer<Float>, _ rows: Int) -> [Int32]?)? = nil,
        trace: ((LinearTrace) -> Void)? = nil
    ) -> Result {
        let t = tokens.count, width = configuration.hiddenSize
        precondition(t <= capacity, "the workspace is too small")
        forward(tokens, adapter)
        var result = Result()
        result.targets = targets.count
        if gradient != nil { memset(dNormed.base, 0, t * width * 4) }
        head(tokens, targets, factor, gradient, observeLogits, &result)
        guard let gradient else { return result }
        backward(tokens, adapter, gradient, trace)
        return result
    }

    /// All logits of a row, one row of the vocabulary a token.
    func allLogits(_ tokens: [Int32], adapter: Adapter?) -> [Float] {
        let width = configuration.hiddenSize, vocabulary = configuration.vocabularySize
        forward(tokens, adapter)
        var out = [Float](repeating: 0, count: tokens.count * vocabulary)
        out.withUnsafeMutableBufferPointer { out in
            guard let base = out.baseAddress else { return }
            kernels.gemm(transB: true, tokens.count, vocabulary, width, normed.base, width, weights.head, base, vocabulary, scratch.base)
        }
        return out
    }

    // MARK: forward

    private func forward(_ tokens: [Int32], _ adapter: Adapter?) {
        let c = configuration, t = tokens.count, width = c.hiddenSize
        let rows = Int64(t), d = Int64(width), epsilon = Float(c.normEpsilon)
        var x = kept.first?.input ?? last
        for (position, token) in tokens.enumerated() { weights.embedding.copyRow(Int(token), to: x.base + position * width) }
        for (layer, block) in weights.blocks.enumerated() {
            let s = kept[layer]
            k.rmsnorm(s.input.base, block.inputNorm.base, normed.base, s.inputInverse.base, rows, d, epsilon)
            linear(layer, .query, t, normed.base, s.query.base, adapter)
            linear(layer, .key, t, normed.base, s.key.base, adapter)
            linear(layer, .value, t, normed.base, s.value.base, adapter)
            rotate(s.query, t, heads: c.headCount, 1)
            rotate(s.key, t, heads: c.keyValueHeadCount, 1)
            for headIndex in 0..<c.headCount { attend(layer, headIndex, t, s) }
            linear(layer, .output, t, s.attended.base, s.middle.base, adapter)
            k.add_scaled(s.middle.base, s.input.base, 1, Int64(t * width))
            k.rmsnorm(s.middle.base, block.attentionNorm.base, normed.base, s.middleInverse.base, rows, d, epsilon)
            linear(layer, .gate, t, normed.base, s.gate.base, adapter)
            linear(layer, .up, t, normed.base, s.up.base, adapter)
            k.silu_multiply(s.gate.base, s.up.base, product.base, Int64(t * c.intermediateSize))
            x = layer + 1 < c.layerCount ? kept[layer + 1].input : last
            linear(layer, .down, t, product.base, x.base, adapter)
            k.add_scaled(x.base, s.middle.base, 1, Int64(t * width))
        }
        k.rmsnorm(last.base, weights.finalNorm.base, normed.base, lastInverse.base, rows, d, epsilon)
    }

    /// Computes the attention weights of one head into `attention`.
    private func weigh(_ layer: Int, _ headIndex: Int, _ t: Int, _ s: Kept) {
        let c = configuration, size = c.headSize
        let group = headIndex / (c.headCount / c.keyValueHeadCount)
        kernels.gemm(
            transB: true, t, t, size, s.query.base + headIndex * size, c.queryWidth, s.key.base + group * size, c.keyValueWidth,
            attention.base, t, scratch.base)
        k.softmax_causal(attention.base, Int64(t), scoreFactor, Int64(c.slidingWindow(layer: layer) ?? t))
    }

    private var scoreFactor: Float { 1 / Float(configuration.headSize).squareRoot() }

    private func attend(_ layer: Int, _ headIndex: Int, _ t: Int, _ s: Kept) {
        let c = configuration, size = c.headSize
        let group = headIndex / (c.headCount / c.keyValueHeadCount)
        weigh(layer, headIndex, t, s)
        kernels.gemm(
            transB: false, t, size, t, attention.base, t, s.value.base + group * size, c.keyValueWidth,
            s.attended.base + headIndex * size, c.queryWidth, scratch.base)
    }

    private func rotate(_ x: FloatBuffer, _ t: Int, heads: Int, _ sign: Float) {
        let size = configuration.headSize
        k.rope(x.base, Int64(t), Int64(heads * size), Int64(heads), Int64(size), rotary.cosines.base, rotary.sines.base, sign)
    }

    private func linear(
        _ layer: Int, _ module: LinearModule, _ t: Int, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ adapter: Adapter?
    ) {
        let matrix = weights.blocks[layer][module]
        kernels.gemm(transB: true, t, matrix.rows, matrix.columns, x, matrix.columns, matrix, y, matrix.rows, scratch.base)
        if let bias = weights.blocks[layer].biases[module.rawValue] { k.add_bias(y, bias.base, Int64(t), Int64(matrix.rows)) }
        guard let adapter, let part = adapter.layout.part(layer, module) else { return }
        let low = kept[layer].low[module.rawValue].base, rank = adapter.rank
        kernels.gemm(
            transB: true, rank, t, part.inputs, adapter.parameters.base + part.a, part.inputs, x, part.inputs, low, t, scratch.base)
        kernels.gemm(
            transA: true, transB: false, t, part.outputs, rank, alpha: adapter.scale, low, t, adapter.parameters.base + part.b,
            part.outputs, y, part.outputs, add: true, scratch.base)
    }

    // MARK: loss

    private func head(
        _ tokens: [Int32], _ targets: [Int], _ factor: Float, _ gradient: GradientTarget?,
        _ observe: ((Int, UnsafeMutablePointer<Float>, Int) -> [Int32]?)?, _ result: inout Result
    ) {
        let width = configuration.hiddenSize, vocabulary = configuration.vocabularySize
        var first = 0
        while first < targets.count {
            let rows = min(chunk, targets.count - first)
            for row in 0..<rows { memcpy(headIn.base + row * width, normed.base + (targets[first + row] - 1) * width, width * 4) }
            kernels.gemm(transB: true, rows, vocabulary, width, headIn.base, width, weights.head, logits.base, vocabulary, scratch.base)
            let labels = observe?(first, logits.base, rows)
            for row in 0..<rows {
                let label = labels?[row] ?? tokens[targets[first + row]]
                var best: Int64 = 0
                result.loss += Double(
                    k.cross_entropy(logits.base + row * vocabulary, Int64(label), Int64(vocabulary), factor, &best))
                if best == Int64(label) { result.hits += 1 }
            }
            if let gradient {
                kernels.gemm(
                    transB: false, rows, width, vocabulary, logits.base, vocabulary, weights.head, headGradient.base, width, scratch.base)
                for row in 0..<rows {
                    memcpy(dNormed.base + (targets[first + row] - 1) * width, headGradient.base + row * width, width * 4)
                }
                if case .all(let out, let layout) = gradient {
                    let name = configuration.tiesEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight"
                    kernels.gemm(
                        transA: true, transB: false, vocabulary, width, rows, logits.base, vocabulary, headIn.base, width,
                        out + layout.range(name).lowerBound, width, add: true, scratch.base)
                }
            }
            first += rows
        }
    }

    // MARK: backward

    private func backward(_ tokens: [Int32], _ adapter: Adapter?, _ gradient: GradientTarget, _ trace: ((LinearTrace) -> Void)?) {
        let c = configuration, t = tokens.count, width = c.hiddenSize
        let rows = Int64(t), d = Int64(width)
        memset(dx.base, 0, t * width * 4)
        k.rmsnorm_backward(
            dNormed.base, last.base, weights.finalNorm.base, lastInverse.base, dx.base, at(gradient, "model.norm.weight"), rows, d)
        for layer in stride(from: c.layerCount - 1, through: 0, by: -1) {
            let s = kept[layer], block = weights.blocks[layer], prefix = "model.layers.\(layer)."
            // Feed-forward.
            k.silu_multiply(s.gate.base, s.up.base, product.base, Int64(t * c.intermediateSize))
            linearBackward(layer, .down, t, product.base, dx.base, dProduct.base, add: false, adapter, gradient, trace)
            k.silu_backward(dProduct.base, s.gate.base, s.up.base, Int64(t * c.intermediateSize))
            renorm(s.middle, block.attentionNorm, s.middleInverse, t)
            linearBackward(layer, .gate, t, normed.base, s.gate.base, dNormed.base, add: false, adapter, gradient, trace)
            linearBackward(layer, .up, t, normed.base, s.up.base, dNormed.base, add: true, adapter, gradient, trace)
            k.rmsnorm_backward(
                dNormed.base, s.middle.base, block.attentionNorm.base, s.middleInverse.base, dx.base,
                at(gradient, prefix + "post_attention_layernorm.weight"), rows, d)
            // Attention.
            linearBackward(layer, .output, t, s.attended.base, dx.base, dAttended.base, add: false, adapter, gradient, trace)
            memset(dKey.base, 0, t * c.keyValueWidth * 4)
            memset(dValue.base, 0, t * c.keyValueWidth * 4)
            for headIndex in 0..<c.headCount { attendBackward(layer, headIndex, t, s) }
            rotate(dQuery, t, heads: c.headCount, -1)
            rotate(dKey, t, heads: c.keyValueHeadCount, -1)
            renorm(s.input, block.inputNorm, s.inputInverse, t)
            linearBackward(layer, .query, t, normed.base, dQuery.base, dNormed.base, add: false, adapter, gradient, trace)
            linearBackward(layer, .key, t, normed.base, dKey.base, dNormed.base, add: true, adapter, gradient, trace)
            linearBackward(layer, .value, t, normed.base, dValue.base, dNormed.base, add: true, adapter, gradient, trace)
            if layer == 0, case .adapter = gradient { return }
            k.rmsnorm_backward(
                dNormed.base, s.input.base, block.inputNorm.base, s.inputInverse.base, dx.base,
                at(gradient, prefix + "input_layernorm.weight"), rows, d)
        }
        guard let embedding = at(gradient, "model.embed_tokens.weight") else { return }
        for (position, token) in tokens.enumerated() {
            k.add_scaled(embedding + Int(token) * width, dx.base + position * width, 1, d)
        }
    }

    private func at(_ gradient: GradientTarget, _ name: String) -> UnsafeMutablePointer<Float>? {
        guard case .all(let base, let layout) = gradient else { return nil }
        return base + layout.range(name).lowerBound
    }

    private func renorm(_ x: FloatBuffer, _ gain: Slice, _ inverse: FloatBuffer, _ t: Int) {
        k.rmsnorm(x.base, gain.base, normed.base, inverse.base, Int64(t), Int64(configuration.hiddenSize), Float(configuration.normEpsilon))
    }

    private func attendBackward(_ layer: Int, _ headIndex: Int, _ t: Int, _ s: Kept) {
        let c = configuration, size = c.headSize
        let group = headIndex / (c.headCount / c.keyValueHeadCount)
        let dOut = dAttended.base + headIndex * size
        weigh(layer, headIndex, t, s)
        kernels.gemm(
            transA: true, transB: false, t, size, t, attention.base, t, dOut, c.queryWidth, dValue.base + group * size, c.keyValueWidth,
            add: true, scratch.base)
        kernels.gemm(
            transB: true, t, t, size, dOut, c.queryWidth, s.value.base + group * size, c.keyValueWidth, dAttention.base, t, scratch.base)
        k.softmax_causal_backward(
            attention.base, dAttention.base, Int64(t), scoreFactor, Int64(c.slidingWindow(layer: layer) ?? t))
        kernels.gemm(
            transB: false, t, size, t, dAttention.base, t, s.key.base + group * size, c.keyValueWidth, dQuery.base + headIndex * size,
            c.queryWidth, scratch.base)
        kernels.gemm(
            transA: true, transB: false, t, size, t, dAttention.base, t, s.query.base + headIndex * size, c.queryWidth,
            dKey.base + group * size, c.keyValueWidth, add: true, scratch.base)
    }

    /// `dx (+)= dy W` and the layer's own gradients.
    private func linearBackward(
        _ layer: Int, _ module: LinearModule, _ t: Int, _ x: UnsafePointer<Float>, _ dy: UnsafePointer<Float>,
        _ dx: UnsafeMutablePointer<Float>, add: Bool, _ adapter: Adapter?, _ gradient: GradientTarget, _ trace: ((LinearTrace) -> Void)?
    ) {
        let matrix = weights.blocks[layer][module], inputs = matrix.columns, outputs = matrix.rows
        // Nobody asks for the embeddings' gradient when only an adapter is trained.
        let isNeeded: Bool
        if case .adapter = gradient { isNeeded = layer > 0 || module > .value } else { isNeeded = true }
        if isNeeded { kernels.gemm(transB: false, t, inputs, outputs, dy, outputs, matrix, dx, inputs, add: add, scratch.base) }
        if case .all(let out, let layout) = gradient {
            let path = "model.layers.\(layer).\(module.path)"
            kernels.gemm(
                transA: true, transB: false, outputs, inputs, t, dy, outputs, x, inputs, out + layout.range(path + ".weight").lowerBound,
                inputs, add: true, scratch.base)
            if weights.blocks[layer].biases[module.rawValue] != nil {
                k.column_sums(dy, out + layout.range(path + ".bias").lowerBound, Int64(t), Int64(outputs))
            }
        }
        guard let adapter, let part = adapter.layout.part(layer, module) else { return }
        let rank = adapter.rank, low = kept[layer].low[module.rawValue].base
        kernels.gemm(
            transB: true, rank, t, outputs, alpha: adapter.scale, adapter.parameters.base + part.b, outputs, dy, outputs, dLow.base, t,
            scratch.base)
        if isNeeded {
            kernels.gemm(
                transA: true, transB: false, t, inputs, rank, dLow.base, t, adapter.parameters.base + part.a, inputs, dx, inputs,
                add: true, scratch.base)
        }
        if case .adapter(let out) = gradient {
            kernels.gemm(
                transB: false, rank, outputs, t, alpha: adapter.scale, low, t, dy, outputs, out + part.b, outputs, add: true, scratch.base)
            kernels.gemm(transB: false, rank, inputs, t, dLow.base, t, x, inputs, out + part.a, inputs, add: true, scratch.base)
        }
        trace?(LinearTrace(part: part, tokens: t, inputs: x, low: low, lowGradient: dLow.base, outputGradient: dy))
    }
}
