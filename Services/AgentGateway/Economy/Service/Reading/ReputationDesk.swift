public import AgentEconomyDomain
public import Decisions

/// Principals' names, reckoned once for each state of the log that says anything new of them: reckoning takes a while where many pay many,
/// and whoever asks for the same again is told the same.
public actor ReputationDesk {
    /// Most names that are kept.
    public static let usualMost = 1_000

    private struct Reckoned {
        let changes: Int
        let names: Task<[Reputation], Never>
        var lastAsked: Int
    }

    private let maker: DecisionMaker<EconomyState>
    private let most: Int
    private var known: [String: Reckoned] = [:]
    private var asked = 0
    /// How often anything was reckoned.
    public private(set) var reckonings = 0

    /// - Parameter most: how many names are kept, those asked for last.
    public init(_ maker: DecisionMaker<EconomyState>, most: Int = ReputationDesk.usualMost) {
        self.maker = maker
        self.most = max(1, most)
    }

    /// A principal's names, by asset, as its settled work makes them now.
    public func names(of id: String) async throws -> [Reputation] {
        let changes = try await maker.query { $0.nameChanges }
        if let reckoned = known[id], reckoned.changes >= changes { return await told(reckoned, of: id) }
        let (seen, standing) = try await maker.query { ($0.nameChanges, $0.standing(of: id)) }
        // Somebody else may have come meanwhile.
        if let reckoned = known[id], reckoned.changes >= seen { return await told(reckoned, of: id) }
        reckonings += 1
        let reckoned = Reckoned(changes: seen, names: Task.detached { standing.reputations }, lastAsked: asked)
        if known[id] == nil, known.count >= most, let oldest = known.min(by: { $0.value.lastAsked < $1.value.lastAsked })?.key {
            known[oldest] = nil
        }
        return await told(reckoned, of: id)
    }

    private func told(_ reckoned: Reckoned, of id: String) async -> [Reputation] {
        asked += 1
        var reckoned = reckoned
        reckoned.lastAsked = asked
        known[id] = reckoned
        return await reckoned.names.value
    }
}
