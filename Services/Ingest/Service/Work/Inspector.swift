internal import IngestDomain
internal import IngestParsing
internal import Threads

/// Looks at rows on threads of their own: it is work for the processor, which the cooperative pool is not for.
struct Inspector: Sendable {
    let policy: ScreeningPolicy
    let scanner: SecretScanner
    private static let threads = 2

    /// What screening sees of each row by itself; nil for those that could not be read.
    /// - Parameter licence: of the manifest, for rows without one.
    func inspect(_ rows: [ParsedRow], licence: String?) async throws -> [ItemInspection?] {
        let part = (rows.count + Self.threads - 1) / Self.threads
        let parts = stride(from: 0, to: rows.count, by: max(1, part)).map { Array(rows[$0..<min(rows.count, $0 + part)]) }
        return try await withThrowingTaskGroup(of: Looked.self) { group in
            for (number, rows) in parts.enumerated() {
                group.addTask {
                    try await OSThread.run(name: "screen") {
                        Looked(number: number, rows: try rows.map { try look($0, licence) })
                    }
                }
            }
            var results = [[ItemInspection?]](repeating: [], count: parts.count)
            for try await looked in group { results[looked.number] = looked.rows }
            return Array(results.joined())
        }
    }

    private struct Looked: Sendable {
        let number: Int
        let rows: [ItemInspection?]
    }

    private func look(_ row: ParsedRow, _ licence: String?) throws -> ItemInspection? {
        guard case .content(let content) = row else { return nil }
        return try ItemInspection(content, licence: licence, policy: policy, scanner: scanner)
    }
}
