internal import EventLog
internal import Events
internal import JSON
internal import LedgerDomain
internal import Telemetry

/// A key's word for the one that follows it.
struct KeyWord: Sendable {
    let data: JSONValue
    let next: VerifierKey
}

/// No key that is configured has signed what strangers keep of this log: whoever follows it would see another log begin.
struct UnknownLogKey: Error, CustomStringConvertible {
    let size: UInt64
    let configured: [VerifierKey]

    var description: String {
        """
        the log's last checkpoint, over \(size) events, is signed by none of the keys that are configured \
        (\(configured.map(\.description).joined(separator: ", "))): name the file of the key that signed it in OPENLEDGER_LOG_OLD_KEY_FILES, \
        so that it can vouch for the new one
        """
    }
}

extension LogKeys {
    /// Each key's word for the next newer one, oldest first, from the key that the log names newest on.
    /// - Parameter newest: the key that the last word on the log is for; nil when there is none yet.
    /// - Returns: nil when the log's newest key is not here, so nothing can be said after it.
    func rotations(after newest: VerifierKey?) throws -> [KeyWord]? {
        var first = signers.count - 1
        if let newest {
            guard let known = verifiers.firstIndex(of: newest) else { return nil }
            first = known
        }
        return try stride(from: first, to: 0, by: -1).map { place in
            let (previous, next) = (verifiers[place], verifiers[place - 1])
            let signature = try sign(KeyRotation.statement(origin: origin, next: next), by: place)
            return KeyWord(data: KeyRotation.data(previous: previous, next: next, signature: signature), next: next)
        }
    }

    /// Throws unless one of the keys signed the log's last checkpoint.
    func requireSignature(on note: String) throws {
        do { _ = try SignedCheckpoint(parsing: note, keys: verifiers) } catch {
            throw UnknownLogKey(size: try SignedCheckpoint(unverified: note).checkpoint.size, configured: verifiers)
        }
    }
}

extension Ledger {
    /// Puts the word of each key for the next on the log when this instance leads. The commands' ids make it happen once.
    func announceRotations() async {
        guard keys.signers.count > 1 else { return }
        while !Task.isCancelled {
            do {
                if isLeading {
                    guard let words = try keys.rotations(after: try await rotations().last?.next) else {
                        return logger.warning("the log names a newer key than those configured: their rotation is not put on it")
                    }
                    for word in words {
                        _ = try await append(try KeyRotation.append(data: word.data, next: word.next, time: clock.now()), writer: .ledger)
                    }
                    return
                }
            } catch LogError.conflict(let conflict) {
                // The key was announced before, as the successor of another than the one configured now.
                return logger.warning("the log's key was rotated at position \(conflict.position), from another key than now configured")
            } catch {
                if Task.isCancelled { return }
                logger.warning("the rotation of the log's key is not on the log yet: \(error)")
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    /// What the log has of its keys' words for those that followed them, oldest first.
    func rotations() async throws -> [LogRotation] {
        guard let stream = StreamName(KeyRotation.stream) else { return [] }
        var (words, version) = ([LogRotation](), UInt64(0))
        while true {
            let events = try await reader.read(stream: stream, from: version, limit: LogReader.maximumEvents)
            guard let last = events.last else { return words }
            for event in events {
                let data = try JSON.parse(Array(event.bytes[try EventHeader(parsing: event.bytes).data]))
                if let word = KeyRotation.verify(data, origin: keys.origin) { words.append(word) }
            }
            version = last.version + 1
        }
    }
}
