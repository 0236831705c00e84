internal import Glibc
internal import HTTP

extension Loop {
    private static let batch = 64
    private static let pause: UInt64 = 200_000_000

    /// Takes some of those that wait; level-triggered, so the rest is told again.
    func acceptBatch() {
        guard let listener else { return }
        for _ in 0..<Self.batch {
            if open >= common.maxConnections { return pauseAccepting(until: 0) }
            guard let (descriptor, remote) = Sockets.accept(listener) else {
                switch errno {
                case EINTR, ECONNABORTED: continue
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return pauseAccepting(until: now + Self.pause)
                default: return
                }
            }
            meters.connections.add()
            let isProxy = options.trustedProxies.trusts(remote?.address)
            guard isProxy || common.connectionsByPeer.take(remote?.address) else {
                turnAway(descriptor)
                continue
            }
            admit(descriptor, remote, isProxy: isProxy)
        }
    }

    private func admit(_ descriptor: Int32, _ remote: Sockets.Remote?, isProxy: Bool) {
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count {
            slots.append(nil)
            generations.append(0)
        }
        generations[slot] &+= 1
        let connection = Connection(
            descriptor: descriptor, slot: slot, generation: generations[slot], remote: remote, isProxy: isProxy,
            limits: options.limits, deadline: now + options.headTimeout.nanoseconds)
        slots[slot] = connection
        open += 1
        meters.openConnections.add()
        do throws(SystemError) {
            try poller.watchConnection(descriptor, tag: UInt64(connection.generation) << 32 | UInt64(slot))
        } catch {
            shut(connection, reason: "epoll_ctl failed with \(error.code)")
        }
    }

    /// One connection too many of one peer: said once, without waiting for anything.
    private func turnAway(_ descriptor: Int32) {
        meters.connectionsRefused.add()
        Sockets.tell(descriptor, errorReply(429, "too many connections from this address"))
        close(descriptor)
    }

    private func pauseAccepting(until: UInt64) {
        guard isAccepting, let listener else { return }
        isAccepting = false
        acceptAgain = until
        poller.ignore(listener)
    }

    /// Accepts again after a pause; tries later when the system refuses.
    func resumeAccepting() {
        guard !isAccepting, let listener else { return }
        do throws(SystemError) {
            try poller.watch(listener, tag: Self.listenerTag, exclusive: common.sharesListener)
            isAccepting = true
            acceptAgain = 0
        } catch {
            acceptAgain = now + Self.pause
        }
    }
}
