internal import AttributionDomain
internal import Crypto
internal import Events

/// All that an answer is attributed by, fetched and ready: from here on everything is computed.
struct AnswerMaterial: Sendable {
    let attribution: String
    let task: AttributionTask
    /// Who may be credited with it.
    let table: CreditTable
    let spans: IndexSet?
    /// Nil when it is gone.
    let answer: WordSequence?
    let prompt: WordSequence?
    /// At each checkpoint; none where there are no rows.
    let influence: [InfluenceScores]
    let passages: [AttributionDomain.RetrievedPassage]
    /// Codes of what was not there.
    let missing: [String]
}
