import Crypto
import Events
import Money
import Replay
import TestSupport
import Testing

@testable import AttributionDomain

/// Each method that a policy weighs is there, or the statement says why not and nothing on the log says otherwise.
@Suite struct OmissionCheckTests {
    private static let spans = [SpanEvidence]()
    private static let influence = InfluenceEvidence(checkpoints: [], exponent: 0)

    private struct Case {
        var spans: [SpanEvidence]? = OmissionCheckTests.spans
        var influence: InfluenceEvidence? = OmissionCheckTests.influence
        var passages: [PassageEvidence]? = [OmissionCheckTests.passage("a", owner: "ann"), OmissionCheckTests.passage("b", owner: "bob")]
        var missing: Set<String> = []
        var isIndexed = true
        var rows: Digest? = .zero
        var row: Digest? = .zero
        var weights = (spans: 4_000, influence: 3_000, retrieval: 3_000)
        var words = 20
        var gone: Set<String> = []

        func check() throws {
            let policy = Events.AttributionPolicy(
                rules: "attribution/3", spans: weights.spans, influence: weights.influence, retrieval: weights.retrieval, threshold: 0,
                cap: 1_000_000_000, fallback: "tokens", minimumSpan: 8)
            let asset = try Asset("USDC/6")
            let answer = InferenceCompleted(
                inference: "i", payer: "pia", actor: "pia", model: "m", version: 1, base: "tiny", prompt: .zero, answer: .zero,
                inputTokens: 1,
                outputTokens: 1, fee: Amount(1, asset), runner: "runner", passages: .entries([]), row: row)
            let snapshot = SnapshotReference(datanet: "dn", snapshot: "sn", number: 1, root: .zero)
            try OmissionCheck(
                found: AttributionEvidence(
                    rules: 3, snapshotRoot: spans == nil ? nil : .zero, answerTokens: words, echoedTokens: 0, spans: spans,
                    uniqueTokens: [:],
                    influence: influence, passages: passages, parties: .alone, fallback: nil),
                missing: missing, sources: [.init(snapshot: snapshot, index: isIndexed ? .zero : nil, isRetrieval: false)],
                policy: try AttributionPolicy(policy),
                items: SnapshotItems([
                    "a": ItemFacts(owner: "ann", position: 1, tokens: 10), "b": ItemFacts(owner: "bob", position: 2, tokens: 10),
                ]), answer: answer, rows: rows,
                passages: ["a", "gone", "b"].map {
                    Events.RetrievedPassage(datanet: "dn", item: $0, owner: "x", offset: 0, length: 10, cited: true)
                }, gone: gone
            ).check()
        }
    }

    private static func passage(_ item: String, owner: String) -> PassageEvidence {
        PassageEvidence(item: item, owner: owner, isCited: true, usedTokens: 1, credit: 1)
    }

    private func expect(_ isLawful: Bool, _ name: String, _ change: (inout Case) -> Void) {
        var one = Case()
        change(&one)
        do {
            try one.check()
            #expect(isLawful, "\(name)")
        } catch { #expect(!isLawful, "\(name): \(error)") }
    }

    @Test func whatIsThereIsLawfulAndWhatIsWeighedByNothingIsNotThere() {
        expect(true, "all of it") { _ in }
        expect(true, "spans without weight") { ($0.weights.spans, $0.spans) = (0, nil) }
        expect(false, "spans without weight, and found") { $0.weights.spans = 0 }
        expect(true, "influence without weight") { ($0.weights.influence, $0.influence) = (0, nil) }
        expect(true, "passages without weight") { ($0.weights.retrieval, $0.passages) = (0, nil) }
        expect(false, "passages without weight, and found") { $0.weights.retrieval = 0 }
        expect(false, "a code that nobody knows") { $0.missing = ["tired"] }
    }

    @Test func spansAreLeftOutOnlyWithoutTextOrIndex() {
        expect(false, "no spans") { $0.spans = nil }
        expect(false, "no spans, and an index that the log has") { ($0.spans, $0.missing) = (nil, ["no-index"]) }
        expect(true, "no index") { ($0.spans, $0.isIndexed, $0.missing) = (nil, false, ["no-index"]) }
        expect(false, "no index, and nobody says so") { ($0.spans, $0.isIndexed) = (nil, false) }
        expect(true, "no text") { ($0.spans, $0.passages, $0.words, $0.missing) = (nil, nil, 0, ["content-gone"]) }
        expect(false, "no text, and words of it") { ($0.spans, $0.passages, $0.missing) = (nil, nil, ["content-gone"]) }
        expect(true, "an index that was lost, and items taken back since") { ($0.missing, $0.gone) = (["items-gone"], ["a"]) }
        expect(false, "items gone, and nothing was taken back") { $0.missing = ["items-gone"] }
        expect(false, "no text, and spans of it") { ($0.words, $0.missing) = (0, ["content-erased"]) }
    }

    @Test func influenceIsLeftOutOnlyForAReasonThatTheLogDoesNotContradict() {
        expect(false, "no influence") { $0.influence = nil }
        expect(true, "rows that training has lost") { ($0.influence, $0.missing) = (nil, ["no-rows"]) }
        expect(true, "damaged rows") { ($0.influence, $0.missing) = (nil, ["bad-rows"]) }
        expect(false, "two reasons") { ($0.influence, $0.missing) = (nil, ["bad-rows", "no-row"]) }
        expect(true, "a job without rows") { ($0.influence, $0.rows, $0.missing) = (nil, nil, ["no-rows"]) }
        expect(false, "a job without rows that are damaged") { ($0.influence, $0.rows, $0.missing) = (nil, nil, ["bad-rows"]) }
        expect(true, "an answer without a row") { ($0.influence, $0.row, $0.missing) = (nil, nil, ["no-row"]) }
        expect(false, "an answer without a row, called otherwise") { ($0.influence, $0.row, $0.missing) = (nil, nil, ["no-rows"]) }
        expect(false, "influence of an answer without a row") { $0.row = nil }
        expect(false, "influence, and a reason why there is none") { $0.missing = ["no-rows"] }
        expect(false, "a reason where nobody asked") { ($0.weights.influence, $0.influence, $0.missing) = (0, nil, ["no-rows"]) }
    }

    @Test func passagesAreThereOnceInTheirOrder() {
        expect(false, "no passages") { $0.passages = nil }
        expect(false, "one of two") { $0.passages?.removeLast() }
        expect(true, "one of two, the other taken back since") {
            $0.passages?.removeFirst()
            ($0.missing, $0.gone) = (["passage-gone"], ["a"])
        }
        expect(false, "one of two, and nobody took the other back") {
            $0.passages?.removeFirst()
            $0.missing = ["passage-gone"]
        }
        expect(false, "both left out, and one of them taken back since") {
            $0.passages = []
            ($0.missing, $0.gone) = (["passage-gone"], ["a"])
        }
        expect(true, "one that nobody can be paid for is gone") { $0.missing = ["passage-gone"] }
        expect(false, "twice") { $0.passages?.append(OmissionCheckTests.passage("b", owner: "bob")) }
        expect(false, "in another order") { $0.passages?.reverse() }
        expect(false, "in another order, one gone") {
            $0.passages?.reverse()
            $0.missing = ["passage-gone"]
        }
    }
}
