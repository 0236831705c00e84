/// The vector instructions that the numeric kernels use. Recorded with every training run: the same level, seed and data
/// give the same bytes.
///
/// `avx2`, `avx512` and `neon` add up in the same order with the same fused operations and therefore give the same bytes
/// as each other; `baseline` has no fused multiply-add and differs in the last places.
public enum KernelLevel: String, Sendable, CaseIterable {
    /// x86-64 with SSE2 only, or a processor this engine does not know.
    case baseline
    /// x86-64-v3: AVX2 and FMA.
    case avx2
    /// x86-64-v4: AVX-512 F, BW, CD, DQ, VL.
    case avx512
    /// 64-bit ARM.
    case neon

    /// Whether two runs at these levels give the same bytes for the same input.
    public func agrees(with other: KernelLevel) -> Bool { self == other || (self != .baseline && other != .baseline) }
}
