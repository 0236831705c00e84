import EventLog
import Foundation
import PrivatePostgres
import TestSupport
import Testing

/// A house behind a certificate that no public authority vouches for.
@Suite struct OwnTLSTests {
    @Test(.enabled(if: EdgeServer.isAvailable, "nginx is not here"), .timeLimit(.minutes(3)))
    func `an audit, an export and a mirror trust the certificate that they are given, and none of their own accord`() async throws {
        try await House.with { house in
            let ledger = try await house.startLedger()
            let load = Load("tls", at: ledger, callers: 1)
            try await load.advance(by: 5)
            try await load.finish()
            let door = try await EdgeServer.start(
                in: house.folder.path("edge"), ports: Dictionary(uniqueKeysWithValues: (7_401...7_407).map { ($0, ledger.port) }))
            func run(_ words: String...) async throws -> (status: Int32?, said: String) {
                let child = try await ChildProcess(words)
                let ended = await child.process.wait(atMost: .seconds(60))
                guard case .some(.exited(let status)) = ended else { return (nil, child.output) }
                return (status, child.output)
            }
            let (log, key) = (door.url + "/log", house.verifier.description)
            let audited = try await run("audit", "--log-only", log, "--ca", door.certificate, "--key", key)
            #expect(audited.status == 0, "\(audited)")
            let exported = try await run("export", "--log-only", log, house.folder.path("copy"), "--ca", door.certificate, "--key", key)
            #expect(exported.status == 0, "\(exported)")
            let mirrored = try await run(
                "mirror", log, "--folder", house.folder.path("mirror"), "--once", "--ca", door.certificate, "--log-key", key)
            #expect(mirrored.status == 0, "\(mirrored)")
            #expect(try await run("audit", "--log-only", log, "--key", key).status == 2)
            let missing = try await run("audit", "--log-only", log, "--ca", "/nowhere/tls.crt", "--key", key)
            #expect(missing.status == 2 && missing.said.contains("/nowhere/tls.crt"), "\(missing)")
        }
    }
}
