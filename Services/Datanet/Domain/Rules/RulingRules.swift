public import Crypto
public import Events

/// Rulings on what is not a review: disputes over answers, and agents' tasks. Who may rule is a matter of the caller's scope.
public enum RulingRules {
    /// Decides a dispute or a task, once.
    /// - Parameter pool: the pool that the penalties' stakes are bonded in.
    public static func make(
        _ state: DatanetState, about: String, subject: String, upheld: Bool, penalties: [Penalty], reason: Digest?, pool: String?,
        _ moment: Moment
    ) throws -> [Decided] {
        guard ["dispute", "task"].contains(about) else {
            throw DatanetRefusal(.unprocessable, "bad-subject", "rulings are about a dispute or a task; reviews are ruled on by appeal")
        }
        guard !state.rulings.values.contains(where: { $0.about == about && $0.subject == subject }) else {
            throw DatanetRefusal(.conflict, "ruled-already", "there is a ruling about \(about) \(subject.prefix(80))")
        }
        guard penalties.allSatisfy({ (1...10_000).contains($0.points) }), Set(penalties.map(\.principal)).count == penalties.count else {
            throw DatanetRefusal(.unprocessable, "bad-penalty", "a penalty is 1 to 10000 basis points, one for each principal")
        }
        guard penalties.isEmpty == (pool == nil) else {
            throw DatanetRefusal(.unprocessable, "bad-pool", "penalties name the pool that the stakes are in, and only they do")
        }
        let id = moment.newID("ru", 0)
        return [
            try Decided(
                RulingMade(ruling: id, about: about, subject: subject, upheld: upheld, penalties: penalties, reason: reason, pool: pool),
                "ruling", id)
        ]
    }
}
