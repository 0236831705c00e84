internal import CKernels
internal import Glibc

// Unchecked: the memory is written in the initialiser, before anyone else sees the object, and freed with it. A view of a
// FloatBuffer is read-only here; who owns the buffer changes it only while nobody computes with the matrix.
/// A weight matrix `rows` (outputs) × `columns` (inputs) in one of the kernels' storage forms.
final class WeightMatrix: @unchecked Sendable {
    let rows: Int
    let columns: Int
    /// What the kernels read.
    let c: EngineMatrix
    let byteCount: Int
    private let owned: UnsafeMutableRawPointer?
    private let scales: FloatBuffer?
    private let viewed: FloatBuffer?

    /// Packs row-major numbers; nil when one of them is not finite.
    init?(_ values: UnsafePointer<Float>, rows: Int, columns: Int, precision: WeightPrecision) {
        self.rows = rows
        self.columns = columns
        byteCount = precision.byteCount(rows: rows, columns: columns)
        let kind =
            switch precision {
            case .float32: ENGINE_PANEL_F32
            case .bfloat16: ENGINE_PANEL_BF16
            case .int8: ENGINE_PANEL_I8
            }
        let scales = precision == .int8 ? FloatBuffer((rows + 3) / 4 * 4) : nil
        let storage = UnsafeMutableRawPointer.allocate(byteCount: max(64, byteCount), alignment: 64)
        self.scales = scales
        viewed = nil
        owned = storage
        c = EngineMatrix(
            kind: Int32(kind), rows: Int64(rows), columns: Int64(columns), stride: Int64(columns), data: UnsafeRawPointer(storage),
            scales: scales.map { UnsafePointer($0.base) })
        guard engine_pack(Int32(kind), Int64(rows), Int64(columns), values, storage, scales?.base) != 0 else { return nil }
    }

    /// Row-major numbers that stay where they are, at an offset of a buffer that someone else changes between uses.
    init(viewing buffer: FloatBuffer, offset: Int, rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
        byteCount = 0
        owned = nil
        scales = nil
        viewed = buffer
        c = EngineMatrix(
            kind: Int32(ENGINE_ROWS_F32), rows: Int64(rows), columns: Int64(columns), stride: Int64(columns),
            data: UnsafeRawPointer(buffer.base + offset), scales: nil)
    }

    deinit { owned?.deallocate() }

    /// Panels of four rows.
    var panels: Int { (rows + 3) / 4 }

    /// Writes one row as floats.
    func copyRow(_ row: Int, to out: UnsafeMutablePointer<Float>) {
        withUnsafePointer(to: c) { engine_row($0, Int64(row), out) }
    }

    /// All numbers, row by row.
    var values: [Float] {
        [Float](unsafeUninitializedCapacity: rows * columns) { out, count in
            if let base = out.baseAddress { for row in 0..<rows { copyRow(row, to: base + row * columns) } }
            count = rows * columns
        }
    }
}
