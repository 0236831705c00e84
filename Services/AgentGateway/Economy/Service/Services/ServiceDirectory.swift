internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import JSON
internal import Money

/// What is offered, with its page: found by words, tags, provider and price. Pages are read from their store once and kept.
actor ServiceDirectory {
    /// A service and what its provider wrote.
    struct Entry: Sendable {
        let listed: ServiceListed
        let page: ServicePage

        /// The listing from which every protocol's own form is made.
        var json: JSONValue {
            [
                "service": .string(listed.service), "provider": .string(listed.provider), "version": .count(listed.version),
                "price": listed.price.json, "seconds": .count(listed.seconds), "page": page.json,
            ]
        }
    }

    private let maker: DecisionMaker<EconomyState>
    private let writings: EconomyWritings
    private var pages: [Digest: ServicePage] = [:]

    init(maker: DecisionMaker<EconomyState>, writings: EconomyWritings) {
        self.maker = maker
        self.writings = writings
    }

    /// All services of whom, in the order of their ids; those whose page was erased are left out.
    func entries(of provider: String? = nil) async throws -> [Entry] {
        let listed = try await maker.query { state in
            state.services.values.filter { provider == nil || $0.provider == provider }.sorted { $0.service < $1.service }
        }
        var entries: [Entry] = []
        var known: [Digest: ServicePage] = [:]
        for service in listed {
            guard let page = try await page(service) else { continue }
            known[service.page] = page
            entries.append(Entry(listed: service, page: page))
        }
        if provider == nil { pages = known }
        return entries
    }

    /// So many services of whom, in the order of their ids, after the one of an id; those whose page was erased are left out.
    /// - Returns: them, and the id to go on after when there are more.
    func page(of provider: String?, after place: String?, count: Int) async throws -> (entries: [Entry], next: String?) {
        let listed = try await maker.query { state in
            let rest = state.services.values.filter { (provider == nil || $0.provider == provider) && $0.service > place ?? "" }
            return Array(rest.sorted { $0.service < $1.service }.prefix(count + 1))
        }
        var entries: [Entry] = []
        for service in listed.prefix(count) {
            if let page = try await page(service) { entries.append(Entry(listed: service, page: page)) }
        }
        return (entries, listed.count > count ? listed[count - 1].service : nil)
    }

    /// One service.
    func entry(_ id: String) async throws -> Entry? {
        guard let listed = try await maker.find({ $0.services[id] }), let page = try await page(listed) else { return nil }
        return Entry(listed: listed, page: page)
    }

    /// What fits best comes first; of what fits equally well the cheaper, then the lower id.
    func search(words: String?, tag: String?, provider: String?, most: Amount?, limit: Int) async throws -> [Entry] {
        let wanted = words.map { ServicePage.words($0).sorted() } ?? []
        var found: [(entry: Entry, rank: Int)] = []
        for entry in try await entries(of: provider) {
            if let tag, !entry.page.tags.contains(tag) { continue }
            if let most, entry.listed.price.asset != most.asset || entry.listed.price.units > most.units { continue }
            guard let rank = entry.page.rank(of: wanted) else { continue }
            found.append((entry, rank))
        }
        found.sort { left, right in
            if left.rank != right.rank { return left.rank > right.rank }
            if left.entry.listed.price.units != right.entry.listed.price.units {
                return left.entry.listed.price.units < right.entry.listed.price.units
            }
            return left.entry.listed.service < right.entry.listed.service
        }
        return found.prefix(limit).map(\.entry)
    }

    private func page(_ listed: ServiceListed) async throws -> ServicePage? {
        if let page = pages[listed.page] { return page }
        guard let text = try await writings.text(listed.page, by: listed.provider) else { return nil }
        let page = try ServicePage(try JSON.parse(text))
        pages[listed.page] = page
        return page
    }
}
