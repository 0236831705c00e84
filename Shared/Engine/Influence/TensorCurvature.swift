internal import Glibc

/// Curvature of one factor's weights in its Kronecker eigenbasis (EK-FAC; George et al., arXiv 1806.03884; for influence Grosse
/// et al., arXiv 2308.03296). For a gradient G (rows × columns): `rotated = leftᵀ · G · right`, in which the second moments are
/// nearly diagonal.
struct TensorCurvature: Sendable {
    let rows: Int
    let columns: Int
    /// rows × rows, eigenvectors in columns.
    let left: FloatBuffer
    /// columns × columns, eigenvectors in columns.
    let right: FloatBuffer
    /// Mean squares of rotated gradients with sampled labels, rows × columns.
    var eigenvalues: FloatBuffer

    /// Writes leftᵀ G right. `temporary` holds rows × columns numbers.
    func rotate(
        _ gradient: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>, temporary: UnsafeMutablePointer<Float>, kernels: Kernels,
        scratch: UnsafeMutablePointer<Float>
    ) {
        kernels.gemm(transA: true, transB: false, rows, columns, rows, left.base, rows, gradient, columns, temporary, columns, scratch)
        kernels.gemm(transB: false, rows, columns, columns, temporary, columns, right.base, columns, out, columns, scratch)
    }

    /// Divides a rotated gradient by the damped eigenvalues: `damping` times their mean is added to each.
    func precondition(_ rotated: UnsafeMutablePointer<Float>, damping: Float) {
        var sum = 0.0
        for index in 0..<rows * columns { sum += Double(eigenvalues.base[index]) }
        // A tensor whose gradient is always zero has no curvature either: it stays zero.
        let added = Float(Double(damping) * sum / Double(rows * columns))
        for index in 0..<rows * columns {
            let divisor = eigenvalues.base[index] + added
            rotated[index] = divisor > 0 ? rotated[index] / divisor : 0
        }
    }
}
