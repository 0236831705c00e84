internal import AgentGatewayDomain
internal import Events
internal import JSON
internal import Web

/// Embeds texts by the backend that the house was told to use.
struct Embedder: Sendable {
    let backend: RoutedBackend
    /// The base that embeds.
    let model: String

    /// The directions of texts, in their order.
    /// - Parameter principal: whose turn it takes: who asked the question, or the house for what it keeps.
    /// - Throws: `Problem` for what the backend refuses or fails at, `BackendError.broken` for an answer that is none.
    func vectors(_ texts: [String], for principal: String = Service.agentGateway.rawValue) async throws -> [UnitVector] {
        let (answer, _) = try await backend.embed(
            model, [("input", .array(texts.map { .string($0) }))], principal: principal,
            work: texts.reduce(0) { $0 + $1.utf8.count } / 4)
        return try Self.read(answer, count: texts.count)
    }

    static func read(_ answer: JSONValue, count: Int) throws -> [UnitVector] {
        guard let data = answer["data"]?.arrayValue, data.count == count else {
            throw BackendError.broken("it embedded \(answer["data"]?.arrayValue?.count ?? 0) of \(count) texts")
        }
        var vectors = [UnitVector?](repeating: nil, count: count)
        for (place, entry) in data.enumerated() {
            let index = entry["index"]?.intValue.map { Int($0) } ?? place
            guard vectors.indices.contains(index), vectors[index] == nil, let numbers = entry["embedding"]?.arrayValue,
                let vector = UnitVector(numbers.map { $0.doubleValue ?? .nan })
            else { throw BackendError.broken("an embedding is not a list of numbers") }
            vectors[index] = vector
        }
        let whole = vectors.compactMap { $0 }
        guard whole.count == count, Set(whole.map(\.numbers.count)).count == 1 else {
            throw BackendError.broken("its embeddings are of different lengths")
        }
        return whole
    }
}
