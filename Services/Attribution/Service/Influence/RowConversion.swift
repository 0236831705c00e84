internal import CorpusIndex
internal import Crypto

/// Rows of runners as one file that is scanned with exact integer products. The same rows give the same file.
enum RowConversion {
    /// Writes rows of one set of factors, each with its item.
    ///
    /// Rows of several checkpoints have the tensor rows of one after those of another, and as many of each.
    /// A tensor row becomes a tensor of its own, so that its scale is kept; where there are more than a file takes, neighbours share one.
    /// The tensors carry the factors' name: rows of other factors cannot be compared by mistake.
    /// - Throws: `InfluenceRowError` for rows that do not belong together, `CorpusIndexError` when they do not fit.
    static func write(
        _ rows: [(item: String, row: EngineRow)], role: EngineRow.Role, factors: Digest, checkpoints: Int = 1, to path: String
    ) throws {
        guard let first = rows.first?.row else { throw InfluenceRowError.artefact("has no rows") }
        var writer = try InfluenceRowsWriter(path: path, tensors: try tensors(first.lengths, factors, checkpoints))
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

    /// The tensors of each checkpoint of a file that was written here.
    static func checkpoints(of tensors: [InfluenceRows.Tensor]) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var last: Substring?
        for (place, tensor) in tensors.enumerated() {
            let name = tensor.name[..<(tensor.name.lastIndex(of: "/") ?? tensor.name.endIndex)]
            if let part = parts.last, name == last {
                parts[parts.count - 1] = part.lowerBound..<place + 1
            } else {
                parts.append(place..<place + 1)
            }
            last = name
        }
        return parts
    }

    private static func tensors(
        _ lengths: [Int], _ factors: Digest, _ checkpoints: Int
    ) throws(InfluenceRowError) -> [InfluenceRows.Tensor] {
        guard checkpoints > 1 else { return columns(lengths, tensorLimit).enumerated().map { tensor("\(factors.prefixed)", $0) } }
        guard let parts = parts(lengths, checkpoints) else {
            throw .artefact("has other tensor rows at one checkpoint than at another")
        }
        return parts.enumerated().flatMap { checkpoint, part in
            columns(part, max(1, tensorLimit / checkpoints)).enumerated().map { tensor("\(factors.prefixed)/\(checkpoint)", $0) }
        }
    }

    /// The tensor rows of each checkpoint; nil where they are not the same at all.
    static func parts(_ lengths: [Int], _ checkpoints: Int) -> [[Int]]? {
        let count = lengths.count / checkpoints
        guard count > 0, lengths.count == count * checkpoints else { return nil }
        let parts = (0..<checkpoints).map { Array(lengths[$0 * count..<($0 + 1) * count]) }
        return parts.allSatisfy { $0 == parts[0] } ? parts : nil
    }

    private static func tensor(_ name: String, _ entry: (offset: Int, element: Int)) -> InfluenceRows.Tensor {
        InfluenceRows.Tensor(name: "\(name)/\(entry.offset)", columns: entry.element)
    }

    private static func columns(_ lengths: [Int], _ limit: Int) -> [Int] {
        let share = max(1, (lengths.count + limit - 1) / limit)
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
        return columns
    }
}
