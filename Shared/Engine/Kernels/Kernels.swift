internal import CKernels

// Unchecked: the table is a constant of the C target; nobody writes it.
/// The kernel functions of one level.
struct Kernels: @unchecked Sendable {
    let level: KernelLevel
    let table: EngineKernels

    /// Floats of scratch that a thread needs for ``EngineKernels/gemm``.
    static let gemmScratch = 120 * 256 + 256 * 1024 + 64

    /// The kernels of that level, or nil when this processor has not got it.
    init?(_ level: KernelLevel) {
        guard let found = engine_kernels(level.number) else { return nil }
        self.level = level
        table = found.pointee
    }

    /// Whether all numbers are finite.
    static func isFinite(_ values: UnsafePointer<Float>, _ count: Int) -> Bool { engine_finite(values, Int64(count)) != 0 }

    /// `c (+)= alpha · op(a) · wᵀ` or `· w` for a stored matrix.
    func gemm(
        transA: Bool = false, transB: Bool, _ m: Int, _ n: Int, _ k: Int, alpha: Float = 1, _ a: UnsafePointer<Float>, _ lda: Int,
        _ w: WeightMatrix, _ c: UnsafeMutablePointer<Float>, _ ldc: Int, add: Bool = false, _ scratch: UnsafeMutablePointer<Float>
    ) {
        var matrix = w.c
        table.gemm(
            transA ? 1 : 0, transB ? 1 : 0, Int64(m), Int64(n), Int64(k), alpha, a, Int64(lda), &matrix, c, Int64(ldc), add ? 1 : 0, scratch
        )
    }

    /// `c (+)= alpha · op(a) · op(b)` for numbers in rows.
    func gemm(
        transA: Bool = false, transB: Bool, _ m: Int, _ n: Int, _ k: Int, alpha: Float = 1, _ a: UnsafePointer<Float>, _ lda: Int,
        _ b: UnsafePointer<Float>, _ ldb: Int, _ c: UnsafeMutablePointer<Float>, _ ldc: Int, add: Bool = false,
        _ scratch: UnsafeMutablePointer<Float>
    ) {
        var matrix = EngineMatrix(
            kind: Int32(ENGINE_ROWS_F32), rows: Int64(transB ? n : k), columns: Int64(transB ? k : n), stride: Int64(ldb),
            data: UnsafeRawPointer(b), scales: nil)
        table.gemm(
            transA ? 1 : 0, transB ? 1 : 0, Int64(m), Int64(n), Int64(k), alpha, a, Int64(lda), &matrix, c, Int64(ldc), add ? 1 : 0, scratch
        )
    }
}

extension KernelLevel {
    /// The best level of this processor.
    public static var best: KernelLevel {
        allCases.first { $0.number == engine_best_level() } ?? .baseline
    }

    /// The levels that this processor can run.
    public static var available: [KernelLevel] { allCases.filter { engine_kernels($0.number) != nil } }

    var number: Int32 {
        switch self {
        case .baseline: 0
        case .avx2: 1
        case .avx512: 2
        case .neon: 3
        }
    }
}
