internal import BillingDomain
internal import Crypto
internal import EventLog
internal import Events
internal import HTTP
internal import ServiceShell
internal import Web

/// The checkpoint of a receipt, and the proofs under it: from the ledger, by its public routes.
struct ReceiptProofs: Sendable {
    let peers: Peers
    /// How long a checkpoint is waited for that covers the newest event.
    var patience = Duration.seconds(10)

    /// A note that covers a position, and who vouches for it. Where the log has witnesses theirs is waited for; one that nobody but the log
    /// signed is what there is when they stay away, and says so.
    func checkpoint(covering position: Int) async throws -> (note: String, checkpoint: Checkpoint, voucher: Receipt.Vouching) {
        let start = ContinuousClock.now
        while true {
            let cosigned = try await note("/log/v1/cosigned-checkpoint")
            if let cosigned {
                let checkpoint = try SignedCheckpoint(unverified: cosigned).checkpoint
                if checkpoint.size > UInt64(position) { return (cosigned, checkpoint, .witnesses) }
            }
            if cosigned == nil || ContinuousClock.now - start >= patience / 2, let signed = try await note("/log/checkpoint") {
                let checkpoint = try SignedCheckpoint(unverified: signed).checkpoint
                if checkpoint.size > UInt64(position) { return (signed, checkpoint, .log) }
            }
            guard ContinuousClock.now - start < patience else {
                throw Problem(.unavailable, "no signed checkpoint covers position \(position) yet", headers: ["Retry-After": "5"])
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func note(_ path: String) async throws -> String? {
        do { return String(decoding: try await peers.bytes("GET", .ledger, path, limit: 65_535), as: UTF8.self) } catch let error
            as PeerError
        {
            guard error.status == 404 else { throw Problem(.unavailable, error.description, headers: ["Retry-After": "5"]) }
            return nil
        }
    }

    /// Events with their proofs, by position.
    func prove(_ events: [LoggedEvent], under checkpoint: Checkpoint) async throws -> [ProvenEvent] {
        var tree = TileTree(source: PeerTiles(peers: peers), size: checkpoint.size)
        var proven: [ProvenEvent] = []
        for event in events.sorted(by: { $0.position < $1.position }) {
            let proof = try await tree.inclusionProof(of: event.position)
            proven.append(ProvenEvent(position: Int(event.position), bytes: event.bytes, proof: proof.hashes.map(\.bytes)))
        }
        return proven
    }
}

/// The ledger's tiles.
private struct PeerTiles: TileSource {
    let peers: Peers

    func hashes(of tile: Tile) async throws -> [UInt8] {
        do { return try await peers.bytes("GET", .ledger, "/log/" + tile.path, limit: 65_535) } catch let error as PeerError {
            throw Problem(.unavailable, error.description, headers: ["Retry-After": "5"])
        }
    }
}
