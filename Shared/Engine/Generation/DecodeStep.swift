internal import CKernels
internal import Glibc

// Unchecked: belongs to the generator's thread; a ComputePool's workers write disjoint rows and columns of its buffers.
/// One step of many sequences at once: each row is one token at one position of one sequence, with its own adapter or none. Rows
/// of the same sequence must come in order, so a prompt is a run of rows.
///
/// A row's numbers do not depend on what other rows there are: every sum has the same order for any number of rows.
final class DecodeStep: @unchecked Sendable {
    struct Row {
        var token: Int32
        var position: Int
        var cache: KVCache
        var adapter: Adapter?
        /// Whether the logits after this row are wanted.
        var wantsLogits: Bool
    }

    let capacity: Int
    private let model: LanguageModel
    private let pool: ComputePool
    private let k: EngineKernels
    private let x, normed, query, key, value, attended, gate, up, product, inverse: FloatBuffer
    /// Logits of the rows that wanted them, in order.
    let logits: FloatBuffer
    private let weights: [FloatBuffer]
    private let scratch: [FloatBuffer]

    /// - Parameters:
    ///   - capacity: rows a step at most.
    ///   - logitRows: rows of them whose logits can be wanted.
    init(_ model: LanguageModel, pool: ComputePool, capacity: Int, logitRows: Int) {
        let c = model.configuration
        self.model = model
        self.pool = pool
        self.capacity = capacity
        k = pool.kernels.table
        x = FloatBuffer(capacity * c.hiddenSize)
        normed = FloatBuffer(capacity * c.hiddenSize)
        query = FloatBuffer(capacity * c.queryWidth)
        key = FloatBuffer(capacity * c.keyValueWidth)
        value = FloatBuffer(capacity * c.keyValueWidth)
        attended = FloatBuffer(capacity * c.queryWidth)
        gate = FloatBuffer(capacity * c.intermediateSize)
        up = FloatBuffer(capacity * c.intermediateSize)
        product = FloatBuffer(capacity * c.intermediateSize)
        inverse = FloatBuffer(capacity)
        logits = FloatBuffer(logitRows * c.vocabularySize)
        let widest = max(c.hiddenSize, c.queryWidth, c.intermediateSize) + 16
        weights = (0..<pool.threads).map { _ in FloatBuffer(model.contextLength + 16) }
        scratch = (0..<pool.threads).map { _ in FloatBuffer(4 * widest + 512) }
    }

    /// Bytes that it takes.
    static func byteCount(_ c: ModelConfiguration, capacity: Int, logitRows: Int) -> Int {
        4 * (capacity * (2 * c.hiddenSize + 2 * c.queryWidth + 2 * c.keyValueWidth + 3 * c.intermediateSize) + logitRows * c.vocabularySize)
    }

    /// Computes the rows, extends their caches, and leaves the wanted logits.
    func run(_ rows: [Row]) {
        let c = model.configuration, n = rows.count, width = c.hiddenSize, epsilon = Float(c.normEpsilon)
        precondition(n <= capacity, "more rows than the step has room for")
        for (index, row) in rows.enumerated() { model.weights.embedding.copyRow(Int(row.token), to: x.base + index * width) }
        for (layer, block) in model.weights.blocks.enumerated() {
            k.rmsnorm(x.base, block.inputNorm.base, normed.base, inverse.base, Int64(n), Int64(width), epsilon)
            linear(layer, [(.query, query), (.key, key), (.value, value)], normed, rows)
            attend(layer, rows)
            linear(layer, [(.output, normed)], attended, rows)
            k.add_scaled(x.base, normed.base, 1, Int64(n * width))
            k.rmsnorm(x.base, block.attentionNorm.base, normed.base, inverse.base, Int64(n), Int64(width), epsilon)
            linear(layer, [(.gate, gate), (.up, up)], normed, rows)
            k.silu_multiply(gate.base, up.base, product.base, Int64(n * c.intermediateSize))
            linear(layer, [(.down, normed)], product, rows)
            k.add_scaled(x.base, normed.base, 1, Int64(n * width))
        }
        for row in rows { row.cache.count = max(row.cache.count, row.position + 1) }
        head(rows)
    }

    private func head(_ rows: [Row]) {
        let c = model.configuration, width = c.hiddenSize
        var wanted = 0
        for (index, row) in rows.enumerated() where row.wantsLogits {
            if wanted != index { memmove(x.base + wanted * width, x.base + index * width, width * 4) }
            wanted += 1
        }
        guard wanted > 0 else { return }
        k.rmsnorm(x.base, model.weights.finalNorm.base, normed.base, inverse.base, Int64(wanted), Int64(width), Float(c.normEpsilon))
        let matrix = model.weights.head, input = normed, out = logits, n = wanted
        pool.split(matrix.panels, atLeast: 64) { [self] range, worker in
            multiply(matrix, input, out, n, range, worker)
        }
    }

    private func multiply(
        _ matrix: WeightMatrix, _ input: FloatBuffer, _ out: FloatBuffer, _ n: Int, _ panels: Range<Int>, _ worker: Int
    ) {
        withUnsafePointer(to: matrix.c) { c in
            k.dot(
                Int64(n), input.base, Int64(matrix.columns), c, Int64(panels.lowerBound), Int64(panels.upperBound), out.base,
                Int64(matrix.rows), scratch[worker].base)
        }
    }

    private func linear(_ layer: Int, _ modules: [(LinearModule, FloatBuffer)], _ input: FloatBuffer, _ rows: [Row]) {
        let block = model.weights.blocks[layer], n = rows.count
        for (module, out) in modules {
            let matrix = block[module]
            pool.split(matrix.panels, atLeast: 32) { [self] range, worker in multiply(matrix, input, out, n, range, worker) }
            if let bias = block.biases[module.rawValue] { k.add_bias(out.base, bias.base, Int64(n), Int64(matrix.rows)) }
        }
        guard rows.contains(where: { $0.adapter != nil }) else { return }
        pool.split(n, atLeast: 4) { [self] range, worker in
            for index in range {
                guard let adapter = rows[index].adapter else { continue }
                for (module, out) in modules {
                    guard let part = adapter.layout.part(layer, module) else { continue }
                    let factors = adapter.parameters.base
                    k.lora(
                        input.base + index * part.inputs, Int64(part.inputs), factors + part.a, factors + part.b, Int64(adapter.rank),
                        adapter.scale, out.base + index * part.outputs, Int64(part.outputs), scratch[worker].base)
                }
            }
        }
    }

    private func attend(_ layer: Int, _ rows: [Row]) {
        let c = model.configuration, size = c.headSize, group = c.headCount / c.keyValueHeadCount
        for (index, row) in rows.enumerated() {
            let cosines = model.rotary.cosines.base + row.position * model.rotary.half
            let sines = model.rotary.sines.base + row.position * model.rotary.half
            let q = query.base + index * c.queryWidth, key = key.base + index * c.keyValueWidth
            k.rope(q, 1, Int64(c.queryWidth), Int64(c.headCount), Int64(size), cosines, sines, 1)
            k.rope(key, 1, Int64(c.keyValueWidth), Int64(c.keyValueHeadCount), Int64(size), cosines, sines, 1)
            row.cache.put(layer, position: row.position, key: key, value: value.base + index * c.keyValueWidth)
        }
        let window = c.slidingWindow(layer: layer) ?? .max, factor = 1 / Float(size).squareRoot()
        pool.split(rows.count) { [self] range, worker in
            for index in range {
                let row = rows[index], end = row.position + 1, first = end > window ? end - window : 0
                for head in 0..<c.keyValueHeadCount {
                    let at = index * c.queryWidth + head * group * size
                    k.attend(
                        query.base + at, Int64(group), Int64(size), row.cache.keys(layer, head: head), row.cache.values(layer, head: head),
                        Int64(first), Int64(end), factor, attended.base + at, weights[worker].base)
                }
            }
        }
    }
}
