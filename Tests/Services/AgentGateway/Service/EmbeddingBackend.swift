import Events
import HTTP
import JSON
import Synchronization
import Web

/// A stand-in for a server with OpenAI's `/v1/embeddings`: it embeds a text by which of a few matters it speaks of, under whatever name the
/// matter goes there. It can be told to fail, and counts what it was given.
final class EmbeddingBackend: Sendable {
    /// Matters, and the words that mean them.
    static let matters = [
        ["tide", "sea", "ocean"], ["moon", "lunar", "satellite"], ["bread", "loaf", "bakery"], ["money", "coin", "cash"],
    ]

    private struct State {
        var failure: Int?
        var embedded: [String] = []
        var length = 5
    }

    private let state = Mutex(State())

    /// The texts that it was given, in order.
    var embedded: [String] { state.withLock { $0.embedded } }

    func fail(_ status: Int?) { state.withLock { $0.failure = status } }

    /// Embeds in more numbers from now on, as another model would.
    func grow() { state.withLock { $0.length += 3 } }

    static func vector(_ text: String, length: Int) -> [Double] {
        let words = Set(text.lowercased().split { !$0.isLetter }.map(String.init))
        var vector = matters.map { Double(words.intersection($0).count) } + [0.1]
        vector += Array(repeating: 0, count: length - vector.count)
        return vector
    }

    var mount: Mount {
        Mount(
            "embedding-backend",
            routes: [
                Route(
                    .post, "/embedder/v1/embeddings", operation: "standInEmbeddings", summary: "A stand-in.", access: .authenticated,
                    body: .json(.openObject()), replies: [.json(200, "Vectors.", .any)], problems: [.unavailable]
                ) { [self] context in
                    let texts = (context.json["input"]?.arrayValue ?? []).map { $0.stringValue ?? "" }
                    let length = try state.withLock { state in
                        if let failure = state.failure { throw Problem(ProblemType("stand-in-refusal", failure, "No"), "not now") }
                        state.embedded += texts
                        return state.length
                    }
                    // Out of order: the index says whose each is.
                    let data = texts.enumerated().reversed().map { index, text -> JSONValue in
                        ["index": .int(Int64(index)), "embedding": .array(Self.vector(text, length: length).map { .double($0) })]
                    }
                    return .json(["object": "list", "data": .array(data), "usage": ["prompt_tokens": 1]])
                }
            ])
    }
}
