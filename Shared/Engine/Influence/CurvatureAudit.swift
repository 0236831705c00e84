internal import Glibc
internal import Synchronization
internal import Threads

/// How factors that somebody measured compare with what the same rows give in the same bases.
public struct CurvatureAudit: Sendable, Equatable {
    /// How far the worst basis is from orthonormal: the largest departure of a product of two of its vectors from 0 or 1.
    public let skew: Double
    /// How much otherwise than it should the worst eigenvalue weighs, as a share of what it is with its damping; what chance explains is
    /// taken off. 0 for equal ones.
    public let departure: Double
}

extension InfluenceFactors {
    /// At how many points they were measured.
    public var points: Int { checkpoints.count }

    /// Whether two of the points are the same.
    public var repeatsAPoint: Bool {
        checkpoints.indices.contains { index in
            checkpoints[..<index].contains { $0.adapter.hasSameNumbers(as: checkpoints[index].adapter) }
        }
    }

    /// Measures the eigenvalues again, in the bases as they are and with the labels that ``fit(model:checkpoints:rows:options:pool:progress:)``
    /// draws; runs on threads of the pool's own. As long as a pass over the rows for each point.
    /// - Parameter rows: those that the factors were measured on, in their order.
    public func audit(_ rows: [TrainingExample], pool: ComputePool) async throws -> CurvatureAudit {
        let data = try TrainingData(rows, holdOut: [], vocabulary: model.configuration.vocabularySize, context: model.contextLength)
        return try await pool.perform("curvature audit") { [self] in
            var skew = 0.0, departure = 0.0
            for (index, checkpoint) in checkpoints.enumerated() {
                skew = max(skew, Self.skew(checkpoint.tensors, pool))
                let fit = CurvatureFit(
                    model: model, adapter: checkpoint.adapter, data: data, options: options, checkpoint: index, pool: pool)
                let (again, spread) = fit.measureAgain(checkpoint.tensors)
                var at = 0
                for (told, found) in zip(checkpoint.tensors, again) {
                    departure = max(
                        departure, Self.departure(told.eigenvalues, found.eigenvalues, spread.base + at, options.damping, data.rows.count))
                    at += found.eigenvalues.count
                }
            }
            return CurvatureAudit(skew: skew, departure: departure)
        }
    }

    /// The largest departure of VᵀV from the unit matrix, each basis once.
    private static func skew(_ tensors: [TensorCurvature], _ pool: ComputePool) -> Double {
        var seen: Set<ObjectIdentifier> = []
        var bases: [(buffer: FloatBuffer, n: Int)] = []
        for tensor in tensors {
            for (buffer, n) in [(tensor.left, tensor.rows), (tensor.right, tensor.columns)]
            where seen.insert(ObjectIdentifier(buffer)).inserted {
                bases.append((buffer, n))
            }
        }
        let work = bases, worst = Lock(0.0)
        pool.each(work.count) { index, _ in
            let (buffer, n) = work[index], product = FloatBuffer(n * n), scratch = FloatBuffer(Kernels.gemmScratch)
            pool.kernels.gemm(transA: true, transB: false, n, n, n, buffer.base, n, buffer.base, n, product.base, n, scratch.base)
            var most = 0.0
            for row in 0..<n {
                for column in 0..<n { most = max(most, abs(Double(product.base[row * n + column]) - (row == column ? 1 : 0))) }
            }
            worst.withLock { $0 = max($0, most) }
        }
        return worst.withLock { $0 }
    }

    /// - Parameter spread: the mean of the fourth powers that each eigenvalue is the mean of the squares of.
    private static func departure(
        _ told: FloatBuffer, _ found: FloatBuffer, _ spread: UnsafeMutablePointer<Float>, _ damping: Float, _ rows: Int
    ) -> Double {
        func added(_ values: FloatBuffer) -> Double {
            (0..<values.count).reduce(0) { $0 + Double(values.base[$1]) } / Double(values.count) * Double(damping)
        }
        let (toldAdded, foundAdded) = (added(told), added(found))
        // A tensor whose gradient is always nothing has no curvature in either.
        if toldAdded == 0 && foundAdded == 0 { return 0 }
        var most = 0.0
        for index in 0..<found.count {
            let value = Double(found.base[index])
            // One label that falls otherwise in another's arithmetic shows where there are few rows, and in no other way.
            let chance = (max(0, Double(spread[index]) - value * value) / Double(rows)).squareRoot() / 2
            let apart = abs(Double(told.base[index]) + toldAdded - value - foundAdded)
            let negative = told.base[index] < 0 ? Double.infinity : 0
            most = max(most, negative, max(0, apart - chance) / (value + foundAdded))
        }
        return most
    }
}

extension CurvatureFit {
    /// The eigenvalues that the rows give in bases that are there, and the mean of the fourth powers of what they are the mean squares of,
    /// tensor after tensor.
    func measureAgain(_ tensors: [TensorCurvature]) -> (tensors: [TensorCurvature], spread: FloatBuffer) {
        let again = tensors.map {
            TensorCurvature(
                rows: $0.rows, columns: $0.columns, left: $0.left, right: $0.right, eigenvalues: FloatBuffer($0.rows * $0.columns))
        }
        let spread = FloatBuffer(adapter.layout.count)
        let passes = (0..<pool.threads).map { _ in
            SequencePass(model.weights, rotary: model.rotary, kernels: pool.kernels, capacity: data.longest, rank: adapter.rank)
        }
        let scratch = (0..<pool.threads).map { _ in FloatBuffer(Kernels.gemmScratch) }
        let gradients = (0..<pool.threads).map { _ in FloatBuffer(adapter.layout.count) }
        measureEigenvalues(again, min(options.shards, data.rows.count), passes, scratch, gradients, spread: spread)
        return (again, spread)
    }
}
