/// Who goes where.
extension AdapterRouter {
    private enum Verdict {
        case start(Int)
        case load(Int, victim: Int?)
        case wait(isCold: Bool)
        case refuse(RouterRefusal)
    }

    /// Gives places to what waits, in its order.
    mutating func dispatch(_ now: Int64) -> [RouterAction] {
        var actions: [RouterAction] = []
        takeTurns(now)
        var index = 0
        var looked = 0
        // What waits for the very same as somebody before it waits too: it is not looked at, so that however many wait for one base or
        // adapter, what others wait for is still come to.
        var kept: [WaitingRoom.Want: (arrived: Int64, isCold: Bool)] = [:]
        while index < room.count, looked < options.lookahead {
            let want = room.guests[index].want
            let arrived = room.guests[index].arrived
            // Who has waited for longer may get what the one before it does not get yet.
            if let other = kept[want], other.arrived <= arrived {
                if other.isCold, !room.guests[index].isCold { room.change(index) { $0.isCold = true } }
                index += 1
                continue
            }
            looked += 1
            switch verdict(on: room.guests[index], now) {
            case .start(let backend):
                // Places and claims have changed.
                kept.removeAll(keepingCapacity: true)
                let guest = room.begin(at: index)
                begin(guest, on: backend, now)
                actions.append(
                    .start(request: guest.request.id, backend: backend, isCold: guest.isCold))
            case .load(let backend, let victim):
                kept.removeAll(keepingCapacity: true)
                if let victim {
                    remove(victim, from: backend)
                    backends[backend].evictions += 1
                    actions.append(.unload(names[victim], backend: backend))
                }
                let guest = room.guests[index]
                if let adapter = guest.adapter {
                    load(adapter, on: backend, for: guest.request.id, now)
                    actions.append(.load(guest.request.name, backend: backend))
                }
                room.change(index) { $0.isCold = true }
                index += 1
            case .wait(let isCold):
                if isCold, !room.guests[index].isCold { room.change(index) { $0.isCold = true } }
                kept[want] = (arrived, isCold)
                index += 1
            case .refuse(let refusal):
                kept.removeAll(keepingCapacity: true)
                let guest = room.remove(at: index)
                forget(guest)
                actions.append(.refuse(request: guest.request.id, refusal))
            }
        }
        return actions
    }

    /// Where bases do not mix, one that is always busy would keep a place from all others: what has waited for long gets the next turn.
    private mutating func takeTurns(_ now: Int64) {
        guard hasUnmixed else { return }
        // One for all that wait for the same.
        var late: [WaitingRoom.Guest] = []
        var known: Set<WaitingRoom.Want> = []
        for guest in room.guests where now - guest.arrived >= options.patience {
            let base = WaitingRoom.Want(
                base: guest.request.name.base, embeds: guest.request.name.embeds, adapter: nil, excluded: guest.excluded)
            guard known.insert(base).inserted else { continue }
            late.append(guest)
            if late.count >= options.lookahead { break }
        }
        for index in backends.indices where !late.contains(where: { $0.request.name.base == backends[index].turn }) {
            backends[index].turn = nil
        }
        for guest in late {
            let base = guest.request.name.base
            let open = candidates(for: guest.request.name).filter {
                !guest.excluded.contains($0) && backends[$0].isOpen(at: now, isLast: false)
            }
            if open.contains(where: { backends[$0].turn == base || backends[$0].hasPlace(for: base) }) { continue }
            let busy = open.filter { backends[$0].turn == nil && !backends[$0].suits(base) }
            if let first = busy.min(by: { (backends[$0].running, $0) < (backends[$1].running, $1) }) { backends[first].turn = base }
        }
    }

    private mutating func verdict(on guest: WaitingRoom.Guest, _ now: Int64) -> Verdict {
        let base = guest.request.name.base
        let candidates = candidates(for: guest.request.name)
        let isLast = !candidates.contains { backend in
            !guest.excluded.contains(backend) && !backends[backend].isDraining && backends[backend].reopens.map { now >= $0 } ?? true
        }
        guard let adapter = guest.adapter else {
            if let best = bestPlace(candidates, base, guest.excluded, now, isLast) { return .start(best) }
            return none(of: candidates, guest, now)
        }
        var warm: [Int] = []
        var isComing = false
        for backend in places[adapter] where !guest.excluded.contains(backend) {
            guard let residence = backends[backend].residents[adapter] else { continue }
            if residence.phase == .loading {
                // Where nothing new goes, and where it takes far too long, it does not come: others may bring it in.
                let usual = max(options.usualLoad, cost(adapter, on: backend))
                let takesNew = !backends[backend].isDraining && (isLast || backends[backend].reopens == nil)
                if takesNew, now - residence.began < Self.loadPatience * usual { isComing = true }
            } else if !residence.isLeaving || residence.users == 0, backends[backend].isOpen(at: now, isLast: isLast) {
                warm.append(backend)
            }
        }
        if let best = bestPlace(warm, base, guest.excluded, now, isLast) { return .start(best) }
        if isComing { return .wait(isCold: warm.isEmpty) }
        // A second copy takes another adapter's slot: it pays when waiting has cost some times what bringing it in does.
        if !warm.isEmpty, now - guest.arrived < Self.copyPatience * cost(adapter, on: warm[0]) { return .wait(isCold: false) }
        if let (backend, victim) = bestLoader(candidates, adapter, base, guest.excluded, now, isLast) {
            return .load(backend, victim: victim)
        }
        if warm.isEmpty, now - guest.arrived >= options.patience { makeRoom(candidates, guest.excluded, now, isLast) }
        return warm.isEmpty ? none(of: candidates, guest, now) : .wait(isCold: false)
    }

    /// How many loads' time a load may take until it is not waited for any more.
    private static var loadPatience: Int64 { 20 }

    /// How many loads' time a request waits for a place beside a ready adapter before that gets a copy.
    private static var copyPatience: Int64 { 3 }

    private func bestPlace(_ candidates: [Int], _ base: String, _ excluded: Set<Int>, _ now: Int64, _ isLast: Bool) -> Int? {
        var best: (load: Int, backend: Int)?
        for backend in candidates where !excluded.contains(backend) {
            guard backends[backend].isOpen(at: now, isLast: isLast), backends[backend].hasPlace(for: base) else { continue }
            let load = backends[backend].load(for: base)
            if load < best?.load ?? .max { best = (load, backend) }
        }
        return best?.backend
    }

    /// Nothing is free: whether it is worth waiting.
    private func none(of candidates: [Int], _ guest: WaitingRoom.Guest, _ now: Int64) -> Verdict {
        let able = candidates.filter { backend in
            guard !guest.excluded.contains(backend) else { return false }
            guard let adapter = guest.adapter else { return true }
            return backends[backend].profile.loads > 0 || backends[backend].residents[adapter] != nil
        }
        if able.isEmpty { return .refuse(.failed) }
        if able.contains(where: { !backends[$0].isDraining }) { return .wait(isCold: guest.isCold) }
        return .refuse(.noBackend(retryAfter: options.longestClosure))
    }

    /// Where an adapter is best brought in: where a place is free, in the stead of what is worth least.
    private mutating func bestLoader(
        _ candidates: [Int], _ adapter: Int, _ base: String, _ excluded: Set<Int>, _ now: Int64, _ isLast: Bool
    ) -> (backend: Int, victim: Int?)? {
        var best: (backend: Int, victim: Int?, isFull: Bool, worth: Double, load: Int)?
        for index in candidates where !excluded.contains(index) {
            let backend = backends[index]
            guard backend.isOpen(at: now, isLast: isLast), backend.loading < backend.profile.loads, backend.residents[adapter] == nil else {
                continue
            }
            var found: (victim: Int?, worth: Double) = (nil, -1)
            if backend.residents.count >= backend.profile.slots {
                guard let victim = victim(on: index, now) else { continue }
                found = (victim.adapter, victim.worth)
            }
            let isFull = !backend.hasPlace(for: base)
            let load = backend.load(for: base)
            if let best {
                if isFull != best.isFull {
                    if isFull { continue }
                } else if found.worth != best.worth {
                    if found.worth > best.worth { continue }
                } else if load >= best.load {
                    continue
                }
            }
            best = (index, found.victim, isFull, found.worth, load)
        }
        return best.map { ($0.backend, $0.victim) }
    }

    /// All slots are in use, and a cold request has waited for long: the adapter that is worth least takes no new requests, so that
    /// its slot comes free.
    private mutating func makeRoom(_ candidates: [Int], _ excluded: Set<Int>, _ now: Int64, _ isLast: Bool) {
        var best: (backend: Int, adapter: Int, worth: Double)?
        for index in candidates where !excluded.contains(index) {
            guard backends[index].isOpen(at: now, isLast: isLast), backends[index].profile.loads > 0,
                !backends[index].residents.values.contains(where: \.isLeaving)
            else { continue }
            for (adapter, residence) in backends[index].residents {
                guard residence.phase == .ready, residence.claim == nil, !residence.isFixed else { continue }
                let worth = worth(adapter, on: index, now)
                if let best, (worth, adapter) >= (best.worth, best.adapter) { continue }
                best = (index, adapter, worth)
            }
        }
        if let best { backends[best.backend].residents[best.adapter]?.isLeaving = true }
    }

    private mutating func begin(_ guest: WaitingRoom.Guest, on backend: Int, _ now: Int64) {
        backends[backend].begin(guest.request.name.base)
        // Wherever else its adapter is being brought in for it, it is needed no more.
        forget(guest)
        if let adapter = guest.adapter {
            if backends[backend].residents[adapter]?.users == 0 { backends[backend].residents[adapter]?.isLeaving = false }
            backends[backend].residents[adapter]?.users += 1
            if guest.isCold { backends[backend].misses += 1 } else { backends[backend].hits += 1 }
        }
        let isProbe = backends[backend].reopens != nil
        if isProbe { backends[backend].probes += 1 }
        running[guest.request.id] = Running(guest: guest, backend: backend, began: now, isProbe: isProbe)
    }

    /// Keeps the bounds on what waits. The greediest gives way first.
    mutating func bound(_ index: Int, _ now: Int64, _ actions: inout [RouterAction]) {
        let principal = room.guests[index].request.principal
        let own = room.ofPrincipal[principal] ?? 0
        if own > options.mostWaitingOfOne {
            refuse(index, .tooManyOfOne(retryAfter: expectedWait), &actions)
        } else if room.count > options.mostWaiting {
            refuse(room.lastOfGreediest(above: own) ?? index, .full(retryAfter: expectedWait), &actions)
        }
    }

    private mutating func refuse(_ index: Int, _ refusal: RouterRefusal, _ actions: inout [RouterAction]) {
        let guest = room.remove(at: index)
        forget(guest)
        actions.append(.refuse(request: guest.request.id, refusal))
    }

    /// Puts a request that failed back to where it was in the order.
    mutating func again(_ guest: WaitingRoom.Guest, excluding backend: Int?, _ actions: inout [RouterAction]) {
        var guest = guest
        guest.tries += 1
        if let backend { guest.excluded.insert(backend) }
        if guest.tries >= options.attempts {
            actions.append(.refuse(request: guest.request.id, .failed))
        } else {
            room.add(guest)
        }
    }

    /// A backend did not do what it was asked.
    mutating func fault(_ backend: Int, _ now: Int64) {
        backends[backend].failures += 1
        guard backends[backend].failures >= options.failures || backends[backend].reopens != nil else { return }
        let closure = min(options.longestClosure, options.closure << Int64(min(backends[backend].closures, 16)))
        backends[backend].reopens = now + closure
        backends[backend].closures += 1
    }
}
