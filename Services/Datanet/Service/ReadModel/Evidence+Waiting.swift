internal import Events
internal import Synchronization
internal import Threads

extension ItemLists {
    /// The entries of a list, for a projection: waits on the connection's own thread, never on the cooperative pool.
    func waitForEntries<Entry: EventPart>(_ list: EvidenceList<Entry>) throws -> [Entry] {
        if case .entries(let entries) = list { return entries }
        let answer = Lock<Result<[Entry], any Error>?>(nil)
        let signal = ThreadSignal()
        Task {
            let result: Result<[Entry], any Error>
            do { result = .success(try await entries(list)) } catch { result = .failure(error) }
            answer.withLock { $0 = result }
            signal.raise()
        }
        while true {
            if let result = answer.withLock({ $0 }) { return try result.get() }
            _ = signal.wait(atMost: .seconds(1))
        }
    }
}
