/// How a model's answers are attributed: published with the model, and never changed for answers already given.
public struct AttributionPolicy: Sendable, Hashable {
    /// The rules that give the numbers below their meaning. A new meaning is a new version.
    public var rules = 4
    /// The weight of each method in parts of 10^9; a method that is not named is not run.
    public var weights: [AttributionMethod: Int] = [.spans: 400_000_000, .influence: 400_000_000, .retrieval: 200_000_000]
    /// The shortest span that is paid, in words. Shorter ones are found by chance, and cheap to plant.
    public var minimumSpanTokens = 8
    /// The shortest run of the prompt's words that, when the answer repeats it, is the prompt's and not the model's.
    public var echoTokens = 4
    /// The most documents a span may occur in and still be paid in full; above, it earns this number divided by that of documents.
    public var boilerplateDocuments = 3
    /// By how many words in common around a span a later document copies an earlier one there, and earns nothing for it.
    public var copiedTokens = 32
    /// The outlier cap: a row's score counts at most this many times the median of the scores' magnitudes; 0 for no cap.
    public var outlierCap = 32
    /// How what a canary earns grows with the rows that it is taken from.
    public var canaryScaling = CanaryScaling.squareRoot
    /// The confidence of influence taken at one checkpoint alone, where there is no second opinion; parts of 10^9.
    public var singleCheckpointConfidence = 500_000_000
    /// The shortest run of words by which an answer uses a passage.
    public var passageTokens = 4
    /// What a passage earns that was used and not cited, against one that was cited; parts of 10^9.
    public var uncitedPassages = 0
    /// The confidence, in parts of 10^9, below which the fallback pays.
    public var threshold = 50_000_000
    /// Who is paid below the threshold.
    public var fallback = AttributionFallback.admittedTokens

    /// The rules that this program computes by. 4 counts parties where owners were counted, pays nobody for what they copied, and influence
    /// for what is new and the answer's own alone; 3 follows near-duplicates to the end and joins the names of one owner; 2 takes off what
    /// canaries earn; 1 knows none, and passes their rows over.
    public static let known = 1...4

    /// The defaults.
    public init() {}

    /// Refuses a policy whose numbers cannot be meant.
    public func check() throws(AttributionError) {
        guard Self.known.contains(rules) else { throw .unknownRules(rules) }
        func within(_ field: String, _ value: Int, _ range: ClosedRange<Int>) throws(AttributionError) {
            guard range.contains(value) else {
                throw .badPolicy(field: field, reason: "is \(value); it must lie in \(range.lowerBound)...\(range.upperBound)")
            }
        }
        for method in AttributionMethod.allCases {
            try within("weights.\(method.rawValue)", weights[method] ?? 0, 0...Apportionment.whole)
        }
        guard weights.values.contains(where: { $0 > 0 }) else {
            throw .badPolicy(field: "weights", reason: "give no method any weight")
        }
        try within("minimumSpanTokens", minimumSpanTokens, 1...1024)
        try within("echoTokens", echoTokens, 1...1024)
        try within("copiedTokens", copiedTokens, 1...4_096)
        try within("boilerplateDocuments", boilerplateDocuments, 1...AttributionLimits.occurrences)
        try within("outlierCap", outlierCap, 0...1_000_000)
        try within("singleCheckpointConfidence", singleCheckpointConfidence, 0...Apportionment.whole)
        try within("passageTokens", passageTokens, 1...1024)
        try within("uncitedPassages", uncitedPassages, 0...Apportionment.whole)
        try within("threshold", threshold, 0...Apportionment.whole)
    }
}

/// How the earnings of a canary of some rows foretell those of an owner with other rows, were its data garbage too.
public enum CanaryScaling: String, Sendable, Hashable, CaseIterable {
    /// The same, however many rows.
    case none
    /// As the root of the number of rows: how a sum of independent scores about zero grows.
    case squareRoot
    /// As the number of rows: for garbage that is favoured every time.
    case linear
}

/// Who is paid for an answer that no method explains well enough.
public enum AttributionFallback: String, Sendable, Hashable, CaseIterable {
    /// All owners of the snapshot, by their admitted tokens.
    case admittedTokens
    /// What the methods found, however unsure.
    case methods
}
