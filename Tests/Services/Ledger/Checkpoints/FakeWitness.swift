import Crypto
import EventLog
import HTTP
import HTTPClient
import Synchronization
import Testing
import Threads

/// A witness in this process (C2SP tlog-witness): cosigns what continues what it knows.
final class FakeWitness: Transport, Sendable {
    private struct State {
        var witness = WitnessState()
        var refusal: Int?
        var answers: [Int] = []
        var cosigned: [UInt64] = []
    }

    let key: VerifierKey
    private let signer: NoteSigner
    private let log: @Sendable () -> [VerifierKey]
    private let state = Lock(State())

    /// - Parameter log: the keys of the log that it watches.
    init(log: @escaping @Sendable () -> [VerifierKey]) throws {
        signer = try #require(NoteSigner(name: "witness.example", type: .cosignature, key: try .generate()))
        key = signer.verifier
        self.log = log
    }

    /// The statuses it has answered with.
    var answers: [Int] { state.withLock { $0.answers } }
    /// The sizes it has cosigned, in order.
    var cosigned: [UInt64] { state.withLock { $0.cosigned } }
    /// Answers with this status instead of looking, until set to nil.
    func refuse(with status: Int?) { state.withLock { $0.refusal = status } }
    /// Knows this checkpoint from now on, as if another copy of the log had shown it.
    func know(_ checkpoint: Checkpoint) { state.withLock { $0.witness = WitnessState(size: checkpoint.size, root: checkpoint.root) } }

    func send(_ request: ClientRequest) async throws -> ClientResponse {
        guard request.method == "POST", request.url == "http://witness.example/w/add-checkpoint", case .bytes(let body) = request.body
        else {
            return ClientResponse(status: 404)
        }
        let (status, text) = state.withLock { state -> (Int, String) in
            let answer = answer(String(decoding: body, as: UTF8.self), &state)
            state.answers.append(answer.0)
            return answer
        }
        return ClientResponse(status: status, body: ResponseBody(Array(text.utf8)))
    }

    private func answer(_ body: String, _ state: inout State) -> (Int, String) {
        if let refusal = state.refusal { return (refusal, "not now\n") }
        do {
            let signed = try state.witness.accept(try AddCheckpointRequest(parsing: body), log: log())
            state.cosigned.append(signed.checkpoint.size)
            return (200, try signer.sign(signed.note.text, time: 1_795_000_000).line + "\n")
        } catch WitnessState.Refusal.stale(let size) {
            return (409, "\(size)\n")
        } catch WitnessState.Refusal.badSignature {
            return (403, "")
        } catch WitnessState.Refusal.unknownOrigin {
            return (404, "")
        } catch {
            return (422, "\(error)")
        }
    }
}
