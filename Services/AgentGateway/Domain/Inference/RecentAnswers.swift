public import Events

/// The last answers that stand on the log: whoever asks for one asks soon. Older ones are read from the log, so that what is remembered does
/// not grow with the house's age.
public struct RecentAnswers: Sendable {
    /// How many are remembered where nobody says otherwise.
    public static let usualCount = 4_096

    /// At most so many; the oldest goes first.
    private let maximumCount: Int
    private var answers: [String: InferenceCompleted] = [:]
    private var ring: [String] = []
    private var next = 0

    /// None.
    /// - Parameter count: how many are remembered, above zero.
    public init(_ count: Int) { maximumCount = max(1, count) }

    /// How many there are.
    public var count: Int { answers.count }

    /// An answer; nil for one that was not given, or so long ago that it is forgotten.
    public subscript(inference: String) -> InferenceCompleted? { answers[inference] }

    mutating func insert(_ answer: InferenceCompleted) {
        guard answers.updateValue(answer, forKey: answer.inference) == nil else { return }
        if ring.count < maximumCount {
            ring.append(answer.inference)
        } else {
            answers[ring[next]] = nil
            ring[next] = answer.inference
            next = (next + 1) % maximumCount
        }
    }
}
