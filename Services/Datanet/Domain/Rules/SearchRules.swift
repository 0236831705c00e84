public import Crypto
public import Events

/// Who may search a Datanet's texts, and that every search is known.
public enum SearchRules {
    /// The most items that one search shows.
    public static let mostItems = 100

    /// By what right somebody searches at this log time; nil for none. Validators and who reads by a role may, and where reading is free every
    /// member; everybody else by a grant, whatever its purpose. Where reading has a price, nobody reads by bits what they did not pay for
    /// because they let themselves in to contribute.
    public static func right(_ state: DatanetState, _ id: String, of principal: String, at logTime: Timestamp) -> AccessRules.Right? {
        guard let datanet = state.datanets[id] else { return nil }
        if datanet.has(principal, .validator) || datanet.isFree && datanet.members[principal] != nil { return .role }
        return AccessRules.right(state, id, of: principal, purpose: nil, at: logTime)
    }

    /// Notes what a search shows, before it is shown.
    /// - Parameters:
    ///   - query: commitment to the words.
    ///   - found: what they were found in, best first.
    public static func search(
        _ state: DatanetState, _ id: String, query: Digest, found: [FoundItem], _ moment: Moment
    ) throws -> [Decided] {
        _ = try state.datanet(id)
        guard let right = right(state, id, of: moment.actor, at: moment.logTime) else {
            throw DatanetRefusal.notAllowed("\(moment.actor) is no member of \(id)")
        }
        guard found.count <= mostItems, Set(found).count == found.count else {
            throw DatanetRefusal(.unprocessable, "too-many-items", "a search shows at most \(mostItems) items, each once")
        }
        guard found.allSatisfy({ isThere($0, in: id, state) }) else { throw DatanetRefusal.stale }
        var grant: String?
        if case .grant(let name) = right { grant = name }
        let access = moment.newID("ac", 0)
        return [
            try Decided(
                AccessSearched(access: access, datanet: id, reader: moment.actor, grant: grant, query: query, items: found), "access",
                access)
        ]
    }

    /// Whether an item may be shown: what was taken back, or turned out by an appeal, since it was found is shown no more.
    public static func isThere(_ item: FoundItem, in datanet: String, _ state: DatanetState) -> Bool {
        guard let contribution = state.contributions[item.contribution] else { return false }
        return contribution.datanet == datanet && !contribution.admitted.isEmpty
            && !state.isDropped(item: item.item, contribution: item.contribution, owner: item.owner)
    }
}
