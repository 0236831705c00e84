/// Which adapters are where, and what each is worth.
extension AdapterRouter {
    mutating func number(_ name: AdapterName, at now: Int64) -> Int {
        if let known = numbers[name] { return known }
        let number = names.count
        numbers[name] = number
        names.append(name)
        places.append([])
        loadTimes.append(nil)
        popularity.add(at: now)
        return number
    }

    /// Somebody asked for it.
    mutating func note(_ adapter: Int, at now: Int64) {
        popularity.note(adapter, at: now)
        for backend in places[adapter] where backends[backend].coldest?.adapter == adapter { backends[backend].coldest = nil }
    }

    mutating func load(_ adapter: Int, on backend: Int, for request: UInt64, _ now: Int64) {
        backends[backend].residents[adapter] = BackendState.Residence(phase: .loading, began: now, claim: request)
        backends[backend].loading += 1
        places[adapter].append(backend)
    }

    mutating func remove(_ adapter: Int, from backend: Int) {
        guard let residence = backends[backend].residents[adapter], !residence.isFixed else { return }
        backends[backend].residents[adapter] = nil
        places[adapter].removeAll { $0 == backend }
        if backends[backend].coldest?.adapter == adapter { backends[backend].coldest = nil }
    }

    /// A request that used it is over.
    mutating func release(_ adapter: Int, on backend: Int, _ now: Int64) {
        guard let users = backends[backend].residents[adapter]?.users, users > 0 else { return }
        backends[backend].residents[adapter]?.users = users - 1
        guard users == 1, let coldest = backends[backend].coldest else { return }
        if worth(adapter, on: backend, now) < worth(coldest.adapter, on: backend, now) { backends[backend].coldest = (adapter, now) }
    }

    /// A request that waited is gone: nothing is kept for it.
    mutating func forget(_ guest: WaitingRoom.Guest) {
        guard let adapter = guest.adapter else { return }
        for backend in places[adapter] where backends[backend].residents[adapter]?.claim == guest.request.id {
            backends[backend].residents[adapter]?.claim = nil
        }
    }

    /// Microseconds that bringing it in takes.
    func cost(_ adapter: Int, on backend: Int) -> Int64 { Int64(loadTimes[adapter] ?? backends[backend].loadTime) }

    /// What is lost when it goes: requests a second that are cold again, times the root of what bringing it in costs each time. (Times the cost
    /// itself the time that is lost in all would be the least, and with it fewer requests would find their adapter ready.) A copy is worth less.
    func worth(_ adapter: Int, on backend: Int, _ now: Int64) -> Double {
        if backends[backend].residents[adapter]?.isLeaving == true { return -1 }
        let worth = popularity.rate(adapter, at: now) * (loadTimes[adapter] ?? backends[backend].loadTime).squareRoot()
        return places[adapter].count > 1 ? worth * Self.copyWorth : worth
    }

    private static var copyWorth: Double { 0.25 }
    /// How long the coldest is believed to be so.
    private static var belief: Int64 { 100_000 }

    /// The adapter that may go and is worth least.
    mutating func victim(on backend: Int, _ now: Int64) -> (adapter: Int, worth: Double)? {
        if let known = backends[backend].coldest, now - known.time < Self.belief, mayGo(known.adapter, from: backend) {
            return (known.adapter, worth(known.adapter, on: backend, now))
        }
        var best: (adapter: Int, worth: Double)?
        for (adapter, residence) in backends[backend].residents where residence.mayGo {
            let worth = worth(adapter, on: backend, now)
            // By number where worth is equal: dictionaries have no order of their own.
            if let best, (worth, adapter) >= (best.worth, best.adapter) { continue }
            best = (adapter, worth)
        }
        backends[backend].coldest = best.map { ($0.adapter, now) }
        return best
    }

    private func mayGo(_ adapter: Int, from backend: Int) -> Bool { backends[backend].residents[adapter]?.mayGo ?? false }
}
