internal import AgentEconomyDomain
internal import Crypto
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import ServiceShell
internal import Telemetry

/// What is done without anybody asking: mandates, authorisations and tasks end when log time has come to their end, and holds of what was
/// stopped are set free. All of it is read from the state, so what a crash left undone is done after it.
struct EconomyKeeper: Sendable {
    let maker: DecisionMaker<EconomyState>
    let peers: Peers
    let clock: @Sendable () -> Timestamp
    let logger: Logger

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await maker.run() }
            group.addTask { await sweepAlways() }
            group.addTask { await freeAlways() }
            group.addTask { await endAlways() }
            await group.waitForAll()
        }
    }

    private func sweepAlways() async {
        while !Task.isCancelled {
            do { while try await sweep() {} } catch { logger.warning("what is due has not ended yet: \(error)") }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// Ends part of what is due.
    /// - Returns: whether there was any.
    func sweep() async throws -> Bool {
        let now = clock()
        let due = try await maker.query { state in
            (
                mandates: state.mandates.values.contains { $0.ended == nil && $0.terms.expires <= now },
                payments: state.authorizations.values.contains { state.isForgotten($0.data, at: now) },
                stopped: !state.stoppedTasks.isEmpty, unpaid: !state.stoppedPayments.isEmpty,
                tasks: state.openTasks.contains { id in state.tasks[id].map { TaskRules.isDue($0, at: now) } ?? false }
            )
        }
        var made = false
        // Tried again in case that failed when it was heard of.
        if due.stopped { made = try await decide(TaskRules.endStopped()) || made }
        if due.unpaid { made = try await decide(PaymentRules.endStopped()) || made }
        if due.payments { made = try await decide(SpendingRules.expire()) || made }
        if due.tasks { made = try await decide(TaskRules.expireAll()) || made }
        if due.mandates { made = try await decide(GrantRules.expire(at: now)) || made }
        return made
    }

    private func decide(_ rule: @escaping DecisionMaker<EconomyState>.Rule) async throws -> Bool {
        let id = "economy-sweep:" + Hex.encode(Random.bytes(16))
        let outcome = try await maker.decide(
            .command(id: id, digest: SHA256.hash(utf8: "sweep")), actor: "agent-gateway", correlation: id, rule)
        return !outcome.facts.isEmpty
    }

    /// Ends the tasks of revoked mandates, and payments that wait for what they buy, as soon as that is known.
    private func endAlways() async {
        for await _ in await maker.changes() {
            do {
                while try await maker.query({ !$0.stoppedTasks.isEmpty }), try await decide(TaskRules.endStopped()) {}
                while try await maker.query({ !$0.stoppedPayments.isEmpty }), try await decide(PaymentRules.endStopped()) {}
            } catch { logger.warning("what a revoked mandate has stopped has not ended yet: \(error)") }
        }
    }

    private func freeAlways() async {
        for await _ in await maker.changes() {
            var pause = Duration.milliseconds(50)
            while !Task.isCancelled, (try? await maker.query({ $0.hasHoldsToFree })) == true {
                await freeAll()
                // What was freed comes back as billing's event; what could not be is tried again.
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(5))
            }
        }
    }

    private func freeAll() async {
        guard let holds = try? await maker.query({ $0.holdsToFree.prefix(200).map(\.hold) }) else { return }
        for hold in holds {
            do {
                _ = try await peers.call(
                    "POST", .billing, "/v1/holds/\(hold)/release", json: .object(JSONObject()), key: "stopped-" + hold)
            } catch let error as PeerError where error.status == 404 {
                // Billing has ended it by itself; its event is on its way.
            } catch { logger.warning("a stopped hold could not be set free yet: \(error)", ["hold": .string(hold)]) }
        }
    }
}
