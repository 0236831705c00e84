internal import Blobs
internal import Crypto
internal import DatanetDomain
internal import Decisions
internal import Events
internal import HTTP
internal import JSON
internal import Money
internal import ServiceShell
internal import Telemetry
internal import Web

/// The price of reading a snapshot under a grant: held on the reader's balance before the first byte goes out, and taken by billing when it
/// learns of the reading.
struct SnapshotSale: Sendable {
    let core: DatanetCore
    let snapshot: SnapshotPublished
    let reader: String
    let purpose: String
    /// How many items go out.
    let items: Int

    /// The payer's balance is too small.
    static let noMoney = ProblemType("insufficient-quota", 402, "The payer's balance does not cover it")
    /// How long billing may take to learn of it, in seconds; a reading that came to nothing gives the money back then at the latest.
    private static let time: Int64 = 600

    /// Decides a reading with what it takes to pay for it.
    /// - Parameter isFree: whether nothing is asked of the reader, whatever the grants say.
    func decide(isFree: Bool, _ decide: @Sendable (AccessRules.Sale?) async throws -> Outcome) async throws -> Outcome {
        try await core.prepared {
            isFree ? nil : try await sale()
        } decide: { sale in
            do {
                let outcome = try await decide(sale)
                if let sale, try outcome.first(AccessUsed.self).hold != sale.hold { await release(sale.hold) }
                return outcome
            } catch {
                // Unless it is on the log after all: what billing finds no hold for any more it takes from the balance.
                if let sale { await release(sale.hold) }
                throw error
            }
        }
    }

    private func sale() async throws -> AccessRules.Sale? {
        let (id, reader, purpose, items, now) = (snapshot.snapshot, reader, purpose, items, core.clock())
        let due = try await core.maker.query { AccessRules.due($0, snapshot: id, of: reader, purpose: purpose, items: items, at: now) }
        guard let due else { return nil }
        let (shares, long) = try AccessRules.shares(
            try await core.lists.snapshot(snapshot.list, count: snapshot.items).items, of: snapshot.datanet)
        if let long { _ = try await core.lists.evidence.put(canonical: long) }
        do {
            let placed = try await core.peers.call(
                "POST", .billing, "/v1/holds",
                json: ["account": .string("payer:" + reader), "amount": due.json, "seconds": .int(Self.time)],
                key: "snapshot-" + Hex.encode(Random.bytes(16)))
            guard let hold = placed["events"]?.arrayValue?.first?["data"]?["id"]?.stringValue else {
                throw Problem(.unavailable, "billing gave no hold: try again", headers: ["Retry-After": "1"])
            }
            return AccessRules.Sale(price: due, hold: hold, shares: shares)
        } catch let error as PeerError where [402, 404, 409, 422].contains(error.status) {
            throw Problem(
                Self.noMoney,
                "reading \(snapshot.snapshot) costs \(due), which the balance of payer:\(reader) does not cover: deposit first")
        } catch let error as PeerError {
            core.logger.warning("billing is not available", ["error": .string("\(error)")])
            throw Problem(.unavailable, "billing is not available: try again", headers: ["Retry-After": "1"])
        }
    }

    /// Gives a hold back that nothing came of; one that can't be runs out by itself.
    private func release(_ hold: String) async {
        do {
            _ = try await core.peers.call(
                "POST", .billing, "/v1/holds/\(hold)/release", json: .object(JSONObject()), key: "snapshot-release-" + hold)
        } catch { core.logger.warning("a hold could not be released; it runs out by itself: \(error)", ["hold": .string(hold)]) }
    }
}
