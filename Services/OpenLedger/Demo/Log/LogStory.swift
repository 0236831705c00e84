import Crypto
import EventLog
import Events
import Foundation
import HTTPClient
import Identity
import JSON
import LedgerService

/// The ledger alone: what can be relied on, each step checked.
struct LogStory: Sendable {
    let home: EmbeddedHome
    let folder: String
    let url: String
    let key: VerifierKey
    let count: Int

    func tell() async throws {
        let transport = try CurlTransport()
        do {
            try await append(transport)
            try await repeatAndContradict(transport)
            try await prove(transport)
            try await audit(transport)
            try await tamper()
            await transport.close()
        } catch {
            await transport.close()
            throw error
        }
        Terminal.say("\nAnyone with the log's key can repeat the last three steps: \(key)")
    }

    /// A service's own client, with its own token.
    private func client(_ service: Service, _ transport: CurlTransport) throws -> HTTPLogClient {
        let signer = TokenSigner(key: try KeyFile.load(home.serviceKey(service)), issuer: service.rawValue)
        let tokens = ServiceTokenSource(signer: signer)
        return HTTPLogClient(transport: transport, base: url + "/log") { try await tokens.token(for: "ledger") }
    }

    private func append(_ transport: CurlTransport) async throws {
        Terminal.say(
            "\n1. Three services append \(DemoText.number(count)) events through REST: a contribution, its admission, what it earned.")
        let clients = try [
            Service.ingest: client(.ingest, transport), .datanet: client(.datanet, transport), .billing: client(.billing, transport),
        ]
        let meter = DemoMeter(total: count)
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<48 {
                group.addTask {
                    for number in stride(from: lane, to: count, by: 48) {
                        let service = [Service.ingest, .datanet, .billing][number % 3]
                        _ = try await clients[service]?.append(try DemoEvents.append(number / 3, service))
                        await meter.step()
                    }
                }
            }
            try await group.waitForAll()
        }
        let seconds = (ContinuousClock.now - start).seconds
        Terminal.say(
            "   \(DemoText.number(count)) events, each durable before it was answered: \(DemoText.number(Int(Double(count) / seconds))) a second."
        )
    }

    private func repeatAndContradict(_ transport: CurlTransport) async throws {
        Terminal.say("\n2. A lost reply does no harm: the same command again has the first answer, another body is refused.")
        let billing = try client(.billing, transport)
        let first = try await billing.append(try DemoEvents.append(7, .billing))
        guard try await billing.append(try DemoEvents.append(7, .billing)) == first else {
            throw CommandError("a repeated command got another answer")
        }
        Terminal.say("   settlement 7 again: still position \(first.position)")
        do {
            _ = try await billing.append(try DemoEvents.append(7, .billing, amount: 999_999))
            throw CommandError("another body was taken under a used command id")
        } catch let error as LogError {
            Terminal.say("   settlement 7 with another amount: \(error)")
        }
    }

    private func prove(_ transport: CurlTransport) async throws {
        Terminal.say("\n3. One event, proven with no server, database or network:")
        let position = count / 2
        try await waitForCheckpoint(transport)
        let response = try await transport.send(ClientRequest(url: "\(url)/log/v1/events/\(position)/proof"))
        let text = String(decoding: try await response.body.collect(upTo: 1 << 20), as: UTF8.self)
        let proof = try TlogProof(parsing: text)
        let signed = try proof.verify(keys: [key])
        Terminal.say(
            "   position \(DemoText.number(position)) of \(DemoText.number(Int(signed.checkpoint.size))): \(proof.hashes.count) hashes, \(text.utf8.count) bytes, signed by \(key.name)"
        )
    }

    private func waitForCheckpoint(_ transport: CurlTransport) async throws {
        let source = HTTPLogSource(transport: transport, url: url + "/log")
        while try SignedCheckpoint(parsing: try await source.checkpoint(), keys: [key]).checkpoint.size < UInt64(count) {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func audit(_ transport: CurlTransport) async throws {
        Terminal.say("\n4. The whole log is copied and audited by a stranger who trusts nothing but that key:")
        let trust = try LogTrust(keys: [key])
        _ = try await LogExport(HTTPLogSource(transport: transport, url: url + "/log"), to: folder + "/bundle", trust: trust).run()
        let start = ContinuousClock.now
        let report = try await LogAudit(FolderLogSource(folder + "/bundle"), trust: trust).run()
        if let fault = report.fault { throw CommandError("the audit failed: \(fault)") }
        let seconds = (ContinuousClock.now - start).seconds
        Terminal.say(
            "   audit: green. \(DemoText.number(Int(report.progress.done))) events in \(String(format: "%.2f", seconds)) s; every entry, every tile, the root, the signature."
        )
    }

    /// Changes one bit of the copy, as an operator could.
    private func tamper() async throws {
        Terminal.say("\n5. One bit of one event is changed in the copy:")
        let bundle = folder + "/bundle/tile/entries/000"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: bundle)))
        bytes[bytes.count / 2] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: bundle))
        let report = try await LogAudit(FolderLogSource(folder + "/bundle"), trust: try LogTrust(keys: [key])).run()
        guard let fault = report.fault else { throw CommandError("the audit did not find an altered bit") }
        Terminal.say("   audit: RED. \(fault)")
    }
}

/// What the demo appends.
enum DemoEvents {
    /// The `number`-th contribution's event of a service; the same every time but for the moment.
    static func append(_ number: Int, _ service: Service, amount: Int? = nil) throws -> AppendRequest {
        let (type, stream, data): (String, String, JSONValue) =
            switch service {
            case .ingest:
                ("contribution.submitted", "contribution/c\(number)", ["items": .int(Int64(number % 90 + 10)), "licence": "CC-BY-4.0"])
            case .datanet:
                ("admission.granted", "admission/c\(number)", ["contribution": .string("c\(number)"), "datanet": .string("river-water")])
            default:
                (
                    "settlement.posted", "settlement/s\(number)",
                    [
                        "amount": ["asset": "USDC/6", "amount": .string(String(amount ?? 1_000 + number % 500))],
                        "contribution": .string("c\(number)"),
                    ]
                )
            }
        let digest = SHA256.hash(try JSON.canonical(data))
        guard let name = StreamName(stream) else { throw CommandError("\(stream) is no stream") }
        let event = Event(
            type: type, stream: name, time: LedgerClock.system.now(), actor: service.rawValue,
            cause: .command(id: "demo-\(service.rawValue)-\(number)", digest: digest), ordinal: 0, correlation: "demo-\(number)", data: data
        )
        return AppendRequest(events: [try event.encoded()])
    }
}

/// Says how far it is, on a terminal.
actor DemoMeter {
    private let total: Int
    private var done = 0

    init(total: Int) { self.total = total }

    func step() {
        done += 1
        guard done % max(1, total / 50) == 0, isatty(2) == 1 else { return }
        FileHandle.standardError.write(Data("\r   \(done * 100 / total) %\(done == total ? "\r        \r" : "")".utf8))
    }
}

extension Duration {
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
