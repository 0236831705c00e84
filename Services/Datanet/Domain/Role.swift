/// What a principal is within a Datanet. One may have several roles.
public enum Role: String, Sendable, Hashable, CaseIterable {
    /// Answers for it: gives and takes roles, grants access.
    case owner
    /// Tends it: publishes snapshots, sets traps.
    case curator
    /// Votes in panels, with a stake bonded.
    case validator
    /// Brings data.
    case contributor
    /// Reads published snapshots.
    case consumer

    /// Whether it carries a vote where one role is one vote.
    var hasVote: Bool { self != .consumer }

    /// Reads a role by name.
    static func named(_ text: String) throws(DatanetRefusal) -> Role {
        guard let role = Role(rawValue: text) else {
            throw DatanetRefusal(.unprocessable, "unknown-role", "a role is one of \(allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return role
    }
}
