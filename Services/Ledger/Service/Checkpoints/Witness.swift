internal import Crypto
internal import EventLog
internal import HTTPClient
internal import Telemetry
internal import Synchronization
internal import Threads

/// One witness (C2SP tlog-witness): is offered each new checkpoint with the proof from the last one it cosigned.
final class Witness: Sendable {
    /// Who it is and where.
    struct Address: Sendable, Equatable {
        /// The key it cosigns with.
        let key: VerifierKey
        /// The submission prefix; `/add-checkpoint` follows.
        let url: String
    }

    private struct State {
        var offered: (checkpoint: SignedCheckpoint, number: Int64)?
        var waiter: CheckedContinuation<Void, Never>?
    }

    let address: Address
    private let transport: any Transport
    private let reader: LogReader
    private let logger: Logger
    private let state = Lock(State())

    init(address: Address, transport: any Transport, reader: LogReader, logger: Logger) {
        self.address = address
        self.transport = transport
        self.reader = reader
        self.logger = logger
    }

    /// Offers a checkpoint; only the newest counts.
    func offer(_ checkpoint: SignedCheckpoint, number: Int64) {
        let waiter = state.withLock { state in
            state.offered = (checkpoint, number)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Submits what is offered until cancelled; `keep` stores each cosignature.
    func run(keep: @escaping @Sendable (NoteSignature, SignedCheckpoint, Int64) async throws -> Void) async {
        var known: UInt64 = 0
        var failures = 0
        while !Task.isCancelled {
            guard let (checkpoint, number) = await next() else { return }
            do {
                let line = try await submit(checkpoint, known: &known)
                try await keep(line, checkpoint, number)
                failures = 0
            } catch is CancellationError {
                return
            } catch {
                failures = min(failures + 1, 8)
                logger.warning("witness \(address.key.name) did not cosign size \(checkpoint.checkpoint.size): \(error)")
                try? await Task.sleep(for: .milliseconds(250 << failures))
                state.withLock { state in if state.offered == nil { state.offered = (checkpoint, number) } }
            }
        }
    }

    private func next() async -> (SignedCheckpoint, Int64)? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    if state.offered != nil || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if ready { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
        return state.withLock { state in
            defer { state.offered = nil }
            return state.offered
        }
    }

    /// Posts a checkpoint; on 409 once more from the size the witness says it knows.
    private func submit(_ checkpoint: SignedCheckpoint, known: inout UInt64) async throws -> NoteSignature {
        for attempt in 0..<2 {
            var tree = TileTree(source: reader, size: checkpoint.checkpoint.size)
            let proof = try await tree.consistencyProof(from: min(known, checkpoint.checkpoint.size))
            let body = AddCheckpointRequest(oldSize: known, proof: proof.hashes, checkpoint: checkpoint.note.encoded)
            var request = ClientRequest(method: "POST", url: address.url + "/add-checkpoint")
            request.body = .bytes(Array(body.encoded.utf8))
            request.timeout = .seconds(10)
            let response = try await transport.send(request)
            let answer = String(decoding: try await response.body.collect(upTo: 16 << 10), as: UTF8.self)
            switch response.status {
            case 200:
                known = checkpoint.checkpoint.size
                return try cosignature(in: answer, over: checkpoint)
            case 409 where attempt == 0:
                guard let size = UInt64(answer.prefix { $0 != "\n" }), size <= checkpoint.checkpoint.size else {
                    throw WitnessError.refused(
                        status: 409, reason: "it knows size \(answer.prefix(32)), which this checkpoint does not reach")
                }
                known = size
            default: throw WitnessError.refused(status: response.status, reason: String(answer.prefix(200)))
            }
        }
        throw WitnessError.refused(status: 409, reason: "its size changed while it was asked")
    }

    private func cosignature(in answer: String, over checkpoint: SignedCheckpoint) throws -> NoteSignature {
        for line in answer.split(separator: "\n") {
            let signature = try NoteSignature(line: line)
            if signature.isValid(by: address.key, over: checkpoint.note.text) { return signature }
        }
        throw NoteError.unsigned(key: address.key.name)
    }
}

/// What a witness answered instead of a cosignature.
enum WitnessError: Error, CustomStringConvertible {
    case refused(status: Int, reason: String)

    var description: String {
        switch self {
        case .refused(let status, let reason): "it answered \(status): \(reason)"
        }
    }
}
