/// Eigenvectors and eigenvalues of a symmetric matrix: Householder's reduction to a tridiagonal one, then implicit QL
/// (Golub and Van Loan, Matrix Computations, §8.3). Double precision, one order of operations: the same bytes every time.
enum SymmetricEigen {
    /// - Parameter matrix: n × n, row by row; the mean of it and its transpose is taken.
    /// - Returns: `values` ascending, and `vectors` n × n with the eigenvectors in its columns; nil when the iteration does not
    ///   converge or a number is not finite.
    static func decompose(_ matrix: UnsafePointer<Float>, _ n: Int) -> (values: [Double], vectors: [Float])? {
        guard n > 0 else { return ([], []) }
        var a = [Double](repeating: 0, count: n * n)
        for i in 0..<n { for j in 0..<n { a[i * n + j] = (Double(matrix[i * n + j]) + Double(matrix[j * n + i])) / 2 } }
        guard a.allSatisfy(\.isFinite) else { return nil }
        var d = [Double](repeating: 0, count: n), e = [Double](repeating: 0, count: n)
        // Rows of `q` are the eigenvectors in the end: rotations then mix two rows, which lie in one piece each.
        var q = [Double](repeating: 0, count: n * n)
        let converged = a.withUnsafeMutableBufferPointer { a in
            q.withUnsafeMutableBufferPointer { q in
                guard let a = a.baseAddress, let q = q.baseAddress else { return false }
                reduce(a, n, &d, &e, q)
                return iterate(n, &d, &e, q)
            }
        }
        guard converged else { return nil }
        let order = (0..<n).sorted { d[$0] != d[$1] ? d[$0] < d[$1] : $0 < $1 }
        var vectors = [Float](repeating: 0, count: n * n)
        for (column, row) in order.enumerated() {
            // One sign: the largest component is positive, so that equal spaces give equal bytes.
            var top = 0
            for k in 0..<n where abs(q[row * n + k]) > abs(q[row * n + top]) { top = k }
            let sign: Double = q[row * n + top] < 0 ? -1 : 1
            for k in 0..<n { vectors[k * n + column] = Float(sign * q[row * n + k]) }
        }
        return (order.map { d[$0] }, vectors)
    }

    /// a = Qᵀ T Q with T tridiagonal; q receives Q (rows).
    private static func reduce(
        _ a: UnsafeMutablePointer<Double>, _ n: Int, _ d: inout [Double], _ e: inout [Double], _ q: UnsafeMutablePointer<Double>
    ) {
        for i in 0..<n { q[i * n + i] = 1 }
        var v = [Double](repeating: 0, count: n), p = [Double](repeating: 0, count: n)
        for k in 0..<max(0, n - 2) {
            var norm = 0.0
            for i in k + 1..<n { norm += a[k * n + i] * a[k * n + i] }
            norm = norm.squareRoot()
            guard norm > 0 else { continue }
            let pivot = a[k * n + k + 1], alpha = pivot > 0 ? -norm : norm
            for i in k + 1..<n { v[i] = a[k * n + i] }
            v[k + 1] -= alpha
            var square = 0.0
            for i in k + 1..<n { square += v[i] * v[i] }
            guard square > 0 else { continue }
            let factor = 2 / square
            var inner = 0.0
            for i in k + 1..<n {
                var sum = 0.0
                let row = a + i * n
                for j in k + 1..<n { sum += row[j] * v[j] }
                p[i] = factor * sum
                inner += p[i] * v[i]
            }
            let half = factor * inner / 2
            for i in k + 1..<n { p[i] -= half * v[i] }
            for i in k + 1..<n {
                let row = a + i * n, vi = v[i], pi = p[i]
                for j in k + 1..<n { row[j] -= vi * p[j] + pi * v[j] }
            }
            a[k * n + k + 1] = alpha
            a[(k + 1) * n + k] = alpha
            for i in k + 2..<n {
                a[k * n + i] = 0
                a[i * n + k] = 0
            }
            // Q ← (I − factor v vᵀ) Q.
            for j in 0..<n { p[j] = 0 }
            for i in k + 1..<n {
                let row = q + i * n, vi = v[i]
                for j in 0..<n { p[j] += vi * row[j] }
            }
            for i in k + 1..<n {
                let row = q + i * n, scaled = factor * v[i]
                for j in 0..<n { row[j] -= scaled * p[j] }
            }
        }
        for i in 0..<n {
            d[i] = a[i * n + i]
            e[i] = i + 1 < n ? a[i * n + i + 1] : 0
        }
    }

    private static func iterate(_ n: Int, _ d: inout [Double], _ e: inout [Double], _ q: UnsafeMutablePointer<Double>) -> Bool {
        for l in 0..<n {
            var rounds = 0
            while true {
                var m = l
                while m < n - 1 {
                    let size = abs(d[m]) + abs(d[m + 1])
                    if abs(e[m]) <= Double.ulpOfOne * size || abs(e[m]) < Double.leastNormalMagnitude { break }
                    m += 1
                }
                if m == l { break }
                rounds += 1
                guard rounds <= 60 else { return false }
                var g = (d[l + 1] - d[l]) / (2 * e[l])
                var r = (g * g + 1).squareRoot()
                g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r))
                var s = 1.0, c = 1.0, p = 0.0
                var i = m - 1
                var isSplit = false
                while i >= l {
                    let f = s * e[i], b = c * e[i]
                    r = (f * f + g * g).squareRoot()
                    e[i + 1] = r
                    if r == 0 {
                        d[i + 1] -= p
                        e[m] = 0
                        isSplit = true
                        break
                    }
                    s = f / r
                    c = g / r
                    g = d[i + 1] - p
                    r = (d[i] - g) * s + 2 * c * b
                    p = s * r
                    d[i + 1] = g + p
                    g = c * r - b
                    let low = q + i * n, high = q + (i + 1) * n
                    for k in 0..<n {
                        let x = high[k], y = low[k]
                        high[k] = s * y + c * x
                        low[k] = c * y - s * x
                    }
                    i -= 1
                }
                if isSplit { continue }
                d[l] -= p
                e[l] = g
                e[m] = 0
            }
        }
        return true
    }
}
