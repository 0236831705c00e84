import CKernels
import Testing
import TestSupport

@testable import Engine

@Suite("Kernels")
struct KernelTests {
    private func random(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
        (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
    }

    private func product(_ a: [Float], _ b: [Float], _ m: Int, _ n: Int, _ k: Int, transA: Bool, transB: Bool) -> [Float] {
        var c = [Float](repeating: 0, count: m * n)
        for i in 0..<m {
            for j in 0..<n {
                var sum = 0.0
                for q in 0..<k { sum += Double(transA ? a[q * m + i] : a[i * k + q]) * Double(transB ? b[j * k + q] : b[q * n + j]) }
                c[i * n + j] = Float(sum)
            }
        }
        return c
    }

    @Test("a matrix product is right for any shape, side and level")
    func gemm() throws {
        var generator = Seed.generator()
        for _ in 0..<40 {
            let m = Int.random(in: 1...150, using: &generator), n = Int.random(in: 1...70, using: &generator)
            let k = Int.random(in: 1...290, using: &generator)
            let a = random(m * k, &generator), b = random(k * n, &generator)
            let transA = Bool.random(using: &generator), transB = Bool.random(using: &generator)
            let expected = product(a, b, m, n, k, transA: transA, transB: transB)
            for level in KernelLevel.available {
                let kernels = try #require(Kernels(level))
                let left = FloatBuffer(a), right = FloatBuffer(b), out = FloatBuffer([Float](repeating: 1, count: m * n))
                let scratch = FloatBuffer(Kernels.gemmScratch)
                kernels.gemm(
                    transA: transA, transB: transB, m, n, k, alpha: 2, left.base, transA ? m : k, right.base, transB ? k : n, out.base, n,
                    add: true, scratch.base)
                #expect(largestDifference(out.values, expected.map { 2 * $0 + 1 }) < 1e-4, "\(m) \(n) \(k) \(level)")
            }
        }
    }

    @Test("stored matrices of every precision multiply as their rounded numbers do, from both sides", arguments: WeightPrecision.allCases)
    func stored(_ precision: WeightPrecision) throws {
        var generator = Seed.generator()
        for _ in 0..<12 {
            let rows = Int.random(in: 1...50, using: &generator), columns = Int.random(in: 1...70, using: &generator)
            let m = Int.random(in: 1...9, using: &generator)
            let values = FloatBuffer(random(rows * columns, &generator))
            let matrix = try #require(WeightMatrix(values.base, rows: rows, columns: columns, precision: precision))
            let kept = matrix.values
            let bound: Float = precision == .float32 ? 0 : precision == .bfloat16 ? 0.004 : 0.004
            #expect(largestDifference(kept, values.values) <= bound)
            let a = random(m * columns, &generator), back = random(m * rows, &generator)
            let forward = product(a, kept, m, rows, columns, transA: false, transB: true)
            let backward = product(back, kept, m, columns, rows, transA: false, transB: false)
            for level in KernelLevel.available {
                let kernels = try #require(Kernels(level))
                let left = FloatBuffer(a), leftBack = FloatBuffer(back), scratch = FloatBuffer(Kernels.gemmScratch)
                let out = FloatBuffer(m * rows), outBack = FloatBuffer(m * columns), dotted = FloatBuffer(m * rows)
                kernels.gemm(transB: true, m, rows, columns, left.base, columns, matrix, out.base, rows, scratch.base)
                kernels.gemm(transB: false, m, columns, rows, leftBack.base, rows, matrix, outBack.base, columns, scratch.base)
                var c = matrix.c
                kernels.table.dot(
                    Int64(m), left.base, Int64(columns), &c, 0, Int64(matrix.panels), dotted.base, Int64(rows), scratch.base)
                #expect(largestDifference(out.values, forward) < 1e-4)
                #expect(largestDifference(outBack.values, backward) < 1e-4)
                #expect(largestDifference(dotted.values, forward) < 1e-4)
            }
        }
    }

    @Test("a row's product has the same bytes alone and among others")
    func batchInvariance() throws {
        var generator = Seed.generator()
        let rows = 37, columns = 53, m = 11
        let values = FloatBuffer(random(rows * columns, &generator)), input = FloatBuffer(random(m * columns, &generator))
        for precision in WeightPrecision.allCases {
            let matrix = try #require(WeightMatrix(values.base, rows: rows, columns: columns, precision: precision))
            let kernels = try #require(Kernels(.best)), scratch = FloatBuffer(4 * 64)
            let all = FloatBuffer(m * rows), one = FloatBuffer(m * rows)
            var c = matrix.c
            kernels.table.dot(Int64(m), input.base, Int64(columns), &c, 0, Int64(matrix.panels), all.base, Int64(rows), scratch.base)
            for row in 0..<m {
                kernels.table.dot(
                    1, input.base + row * columns, Int64(columns), &c, 0, Int64(matrix.panels), one.base + row * rows, Int64(rows),
                    scratch.base)
            }
            #expect(all.values == one.values)
        }
    }

    @Test("levels with a fused multiply-add give the same bytes")
    func levelsAgree() throws {
        var generator = Seed.generator()
        let fused = KernelLevel.available.filter { $0.agrees(with: .avx2) }
        let m = 45, n = 61, k = 301
        let a = FloatBuffer(random(m * k, &generator)), b = FloatBuffer(random(n * k, &generator))
        var results: [[Float]] = []
        for level in fused {
            let kernels = try #require(Kernels(level)), out = FloatBuffer(m * n), scratch = FloatBuffer(Kernels.gemmScratch)
            kernels.gemm(transB: true, m, n, k, a.base, k, b.base, k, out.base, n, scratch.base)
            kernels.table.softmax_causal(out.base, 45, 0.3, 20)
            kernels.table.silu_multiply(out.base, a.base, out.base, Int64(m * n))
            results.append(out.values)
        }
        for result in results { #expect(result == results[0]) }
    }

    @Test("an eigendecomposition gives the matrix back and orthonormal vectors", arguments: [1, 2, 3, 8, 33, 96])
    func eigen(_ n: Int) throws {
        var generator = Seed.generator("eigen \(n)")
        let g = random(n * n, &generator)
        let matrix = product(g, g, n, n, n, transA: false, transB: true)
        let found = try #require(SymmetricEigen.decompose(matrix, n))
        #expect(found.values == found.values.sorted())
        var back = [Float](repeating: 0, count: n * n)
        var identity: Float = 0
        for i in 0..<n {
            for j in 0..<n {
                var sum = 0.0, inner = 0.0
                for k in 0..<n {
                    sum += Double(found.vectors[i * n + k]) * found.values[k] * Double(found.vectors[j * n + k])
                    inner += Double(found.vectors[k * n + i]) * Double(found.vectors[k * n + j])
                }
                back[i * n + j] = Float(sum)
                identity = max(identity, abs(Float(inner) - (i == j ? 1 : 0)))
            }
        }
        #expect(relativeError(back, matrix) < 1e-5)
        #expect(identity < 1e-5)
    }

    @Test("degenerate matrices decompose too")
    func degenerate() throws {
        let zero = try #require(SymmetricEigen.decompose([Float](repeating: 0, count: 25), 5))
        #expect(zero.values.allSatisfy { $0 == 0 })
        #expect(SymmetricEigen.decompose([.nan, 0, 0, 1], 2) == nil)
    }

    @Test("a pool runs every index once, with any number of threads, again and again")
    func pool() throws {
        for threads in 1...3 {
            let pool = try ComputePool(threads: threads)
            let hits = FloatBuffer(997)
            for round in 1...50 {
                pool.each(997) { index, worker in
                    #expect(worker < threads)
                    hits.base[index] += 1
                }
                #expect(hits.values.allSatisfy { $0 == Float(round) })
            }
        }
        #expect(throws: EngineError.self) { try ComputePool(threads: 0) }
    }
}
