internal import Glibc

/// DataInf (Kwon et al., arXiv 2310.00902, equation 5): influence by swapping the inverse and the mean of the empirical Fisher's
/// terms. Kept to compare with: EK-FAC scores better at the same cost.
public enum DataInf {
    /// How much each training row helps each query: positive lowers its loss (the paper's sign turned).
    /// - Parameters:
    ///   - training: n gradients, row by row.
    ///   - queries: q gradients, row by row.
    ///   - tensors: the place of each tensor in a gradient.
    ///   - damping: times the mean square of a tensor's gradients is added (the authors' 0.1).
    /// - Returns: q × n, row by row.
    public static func scores(
        training: [Float], queries: [Float], tensors: [Range<Int>], dimension: Int, damping: Double = 0.1, pool: ComputePool
    ) throws(EngineError) -> [Double] {
        guard dimension > 0, !training.isEmpty, training.count % dimension == 0, queries.count % dimension == 0 else {
            throw .badSetting("gradients must be rows of \(dimension) numbers")
        }
        guard tensors.allSatisfy({ $0.lowerBound >= 0 && $0.upperBound <= dimension && !$0.isEmpty }) else {
            throw .badSetting("a tensor lies outside the gradients")
        }
        let n = training.count / dimension, q = queries.count / dimension
        var result = [Double](repeating: 0, count: q * n)
        var kernel = [Float](repeating: 0, count: n * n), cross = [Float](repeating: 0, count: q * n)
        let scratch = FloatBuffer(Kernels.gemmScratch)
        for tensor in tensors {
            gram(training, n, training, n, tensor, dimension, &kernel, pool, scratch)
            gram(queries, q, training, n, tensor, dimension, &cross, pool, scratch)
            let trace = (0..<n).reduce(0) { $0 + Double(kernel[$1 * n + $1]) }
            let lambda = damping * trace / Double(n) / Double(tensor.count)
            guard lambda > 0, lambda.isFinite else { continue }
            add(&result, kernel, cross, n, q, lambda)
        }
        return result
    }

    private static func add(_ result: inout [Double], _ kernel: [Float], _ cross: [Float], _ n: Int, _ q: Int, _ lambda: Double) {
        let inverse = (0..<n).map { 1 / (lambda + Double(kernel[$0 * n + $0])) / Double(n) }
        result.withUnsafeMutableBufferPointer { result in
            kernel.withUnsafeBufferPointer { kernel in
                cross.withUnsafeBufferPointer { cross in
                    var sum = [Double](repeating: 0, count: n)
                    sum.withUnsafeMutableBufferPointer { sum in
                        for query in 0..<q {
                            for k in 0..<n { sum[k] = Double(cross[query * n + k]) }
                            for i in 0..<n {
                                let weight = Double(cross[query * n + i]) * inverse[i]
                                for k in 0..<n { sum[k] -= weight * Double(kernel[i * n + k]) }
                            }
                            for k in 0..<n { result[query * n + k] += sum[k] / lambda }
                        }
                    }
                }
            }
        }
    }

    private static func gram(
        _ a: [Float], _ m: Int, _ b: [Float], _ n: Int, _ tensor: Range<Int>, _ dimension: Int, _ out: inout [Float], _ pool: ComputePool,
        _ scratch: FloatBuffer
    ) {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                out.withUnsafeMutableBufferPointer { out in
                    guard let a = a.baseAddress, let b = b.baseAddress, let out = out.baseAddress else { return }
                    pool.kernels.gemm(
                        transB: true, m, n, tensor.count, a + tensor.lowerBound, dimension, b + tensor.lowerBound, dimension, out, n,
                        scratch.base)
                }
            }
        }
    }
}
