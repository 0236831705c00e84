internal import CorpusIndex
internal import Crypto

/// Rows of runners as one file that is scanned with exact integer products. The same rows give the same file.
enum RowConversion {
    /// Writes rows of one set of factors, each with its item.
    ///
    /// A tensor row becomes a tensor of its own, so that its scale is kept; where there are more than a file takes, neighbours share one.
    /// The tensors carry the factors' name: rows of other factors cannot be compared by mistake.
    /// - Throws: `InfluenceRowError` for rows that do not belong together, `CorpusIndexError` when they do not fit.
    static func write(_ rows: [(item: String, row: EngineRow)], role: EngineRow.Role, factors: Digest, to path: String) throws {
        guard let first = rows.first?.row else { throw InfluenceRowError.artefact("has no rows") }
        var writer = try InfluenceRowsWriter(path: path, tensors: tensors(first.lengths, factors))
        for (item, row) in rows {
            guard row.role == role, row.factors == factors, row.lengths == first.lengths else {
                throw InfluenceRowError.bad("belongs to other factors, or has another role, than the rest")
            }
            try writer.append(item: item, row.numbers())
        }
        _ = try writer.finish()
    }

    /// The most tensors of a file.
    private static let tensorLimit = 4_096

    private static func tensors(_ lengths: [Int], _ factors: Digest) -> [InfluenceRows.Tensor] {
        let share = max(1, (lengths.count + tensorLimit - 1) / tensorLimit)
        var columns: [Int] = []
        var (sum, count) = (0, 0)
        func close() {
            if sum > 0 { columns.append(sum) }
            (sum, count) = (0, 0)
        }
        for length in lengths {
            if count == share || sum + length > InfluenceRows.columnLimit { close() }
            var left = length
            while left > InfluenceRows.columnLimit {
                columns.append(InfluenceRows.columnLimit)
                left -= InfluenceRows.columnLimit
            }
            sum += left
            count += 1
        }
        close()
        return columns.enumerated().map { InfluenceRows.Tensor(name: "\(factors.prefixed)/\($0.offset)", columns: $0.element) }
    }
}
