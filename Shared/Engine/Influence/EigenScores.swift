/// EK-FAC's scores of gradients in eigenbases that are given: what ``InfluenceFactors`` computes of its own, for bases that somebody
/// else measured.
public enum EigenScores {
    /// The curvature of one tensor.
    public struct Basis: Sendable {
        /// Where the tensor stands in a gradient.
        public let offset: Int
        /// Its rows and columns.
        public let rows: Int, columns: Int
        /// rows × rows, eigenvectors in columns.
        public let left: [Float]
        /// columns × columns, eigenvectors in columns.
        public let right: [Float]
        /// rows × columns.
        public let eigenvalues: [Float]

        /// From its parts.
        public init(offset: Int, rows: Int, columns: Int, left: [Float], right: [Float], eigenvalues: [Float]) {
            self.offset = offset
            self.rows = rows
            self.columns = columns
            self.left = left
            self.right = right
            self.eigenvalues = eigenvalues
        }
    }

    /// How much each training row helps each query.
    /// - Parameters:
    ///   - training: n gradients of `dimension` numbers, row by row.
    ///   - queries: q gradients, row by row.
    ///   - damping: times the mean eigenvalue of a tensor is added to each of its own.
    /// - Returns: q × n, row by row.
    public static func scores(
        training: [Float], queries: [Float], bases: [Basis], dimension: Int, damping: Float = 0.1, pool: ComputePool
    ) throws(EngineError) -> [Float] {
        guard dimension > 0, !training.isEmpty, training.count % dimension == 0, queries.count % dimension == 0 else {
            throw .badSetting("gradients must be rows of \(dimension) numbers")
        }
        let n = training.count / dimension, q = queries.count / dimension
        let rotatedTraining = FloatBuffer(training), rotatedQueries = FloatBuffer(queries)
        let scratch = FloatBuffer(Kernels.gemmScratch)
        for basis in bases {
            let size = basis.rows * basis.columns
            guard basis.offset >= 0, basis.offset + size <= dimension, basis.left.count == basis.rows * basis.rows,
                basis.right.count == basis.columns * basis.columns, basis.eigenvalues.count == size
            else { throw .badSetting("a basis lies outside the gradients or has another shape") }
            let curvature = TensorCurvature(
                rows: basis.rows, columns: basis.columns, left: FloatBuffer(basis.left), right: FloatBuffer(basis.right),
                eigenvalues: FloatBuffer(basis.eigenvalues))
            let temporary = FloatBuffer(size), out = FloatBuffer(size)
            for (buffer, count, isTraining) in [(rotatedTraining, n, true), (rotatedQueries, q, false)] {
                for row in 0..<count {
                    let place = buffer.base + row * dimension + basis.offset
                    curvature.rotate(place, to: out.base, temporary: temporary.base, kernels: pool.kernels, scratch: scratch.base)
                    if isTraining { curvature.precondition(out.base, damping: damping) }
                    place.update(from: out.base, count: size)
                }
            }
        }
        let scores = FloatBuffer(q * n)
        pool.kernels.gemm(
            transB: true, q, n, dimension, rotatedQueries.base, dimension, rotatedTraining.base, dimension, scores.base, n, scratch.base)
        return scores.values
    }
}
