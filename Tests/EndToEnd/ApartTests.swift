import Events
import Foundation
import Identity
import Postgres
import PrivatePostgres
import TestSupport
import Testing

/// The whole way of the data through services that run apart: each a process with its own role, events over a real Kafka,
/// nginx in front with the configuration that ships, TLS and HTTP/2.
@Suite(.enabled(if: TestKafka.isAvailable && EdgeServer.isAvailable)) struct ApartTests {
    private static let services: [Service] = [.ingest, .datanet, .training, .attribution, .billing, .agentGateway]

    @Test(.timeLimit(.minutes(15))) func `the demo's story comes true at seven services, over Kafka and behind nginx`() async throws {
        let kafka = try await TestKafka.start()
        try await House.with { house in
            try await Roles(try PostgresConfiguration(url: house.cluster.url())).ensure(
                Service.allCases.map { try Roles.Login(service: $0.rawValue.replacingOccurrences(of: "-", with: "_"), password: nil) })
            var ports: [String: Int] = [:]
            for name in [Service.ledger.rawValue, "runner"] + Self.services.map(\.rawValue) { ports[name] = try freePort() }
            let ledger = try await house.startLedger(
                port: ports["ledger"], environment: ["OPENLEDGER_KAFKA": kafka.bootstrap, "OPENLEDGER_SHARED": house.folder.path("shared")])
            var environment = [
                "OPENLEDGER_JWKS": house.folder.path("jwks.json"), "OPENLEDGER_SHARED": house.folder.path("shared"),
                "OPENLEDGER_KAFKA": kafka.bootstrap, "OPENLEDGER_METRICS_FROM_LOOPBACK": "true", "OPENLEDGER_TRUSTED_PROXIES": "127.0.0.1",
                "OPENLEDGER_BACKEND_URL": "http://127.0.0.1:\(ports["runner"] ?? 0)/runner",
            ]
            for service in Service.allCases {
                let setting = service.rawValue.uppercased().replacingOccurrences(of: "-", with: "_")
                environment["OPENLEDGER_\(setting)_URL"] = "http://127.0.0.1:\(ports[service.rawValue] ?? 0)"
            }
            var children: [String: ChildProcess] = [:]
            for (name, service) in Self.services.map({ ($0.rawValue, $0) }) + [("runner", .training)] {
                var own = environment
                own["OPENLEDGER_DATABASE"] = house.cluster.url(
                    user: "openledger_" + service.rawValue.replacingOccurrences(of: "-", with: "_"))
                own["OPENLEDGER_SERVICE_KEY_FILE"] = try house.keyFile(service)
                own["OPENLEDGER_PORT"] = "\(ports[name] ?? 0)"
                own["OPENLEDGER_DATA"] = house.folder.path("files-" + name)
                if name == "runner" { own["OPENLEDGER_KAFKA"] = nil }
                children[name] = try await ChildProcess(["serve", name], environment: own)
            }
            for (name, child) in children { try await child.waitUntilReady("http://127.0.0.1:\(ports[name] ?? 0)/readyz") }

            let door = try await EdgeServer.start(
                in: house.folder.path("edge"),
                ports: Dictionary(
                    uniqueKeysWithValues: ([.ledger] + Self.services).enumerated().map { (7_401 + $0, ports[$1.rawValue] ?? 0) }))
            let token = try house.signer(.agentGateway).mint(
                subject: "administrator", audience: "openledger", kind: .person, scopes: Self.scopes, lifetime: 3_600)
            try token.write(toFile: house.folder.path("administrator"), atomically: true, encoding: .utf8)
            // Real rows in the place of the sample data, where there are some.
            let data = TestInput.datanets.map { ["--data", $0] } ?? []
            let saved = house.folder.path("saved")
            let demo = try await house.run(
                "demo", "--at", door.url, "--administrator", house.folder.path("administrator"), "--key", "\(house.verifier)",
                "--ca", door.certificate, "--save", saved, more: data, limit: .seconds(540))
            let said = children.map { "\($0.key): \($0.value.output.suffix(600))" }.joined(separator: "\n")
            try #require(demo.status.isSuccess, "\(demo.output.suffix(3_000))\n\(said)")
            #expect(demo.output.split(separator: "\n").last == "audit: green")
            if TestInput.python != nil { try await SavedDemo(folder: saved).check() }

            // Kafka did bring what they followed.
            for service in Self.services {
                let metrics = try await house.ask("http://127.0.0.1:\(ports[service.rawValue] ?? 0)/metrics").text
                let line = metrics.split(separator: "\n").first { $0.hasPrefix("openledger_projection_kafka_events_total ") }
                let count = line?.split(separator: " ").last.flatMap { Double($0) } ?? 0
                #expect(count > 0, "\(service.rawValue) got nothing over Kafka")
                #expect(metrics.contains("\nopenledger_kafka_round_trip_seconds "), "\(service.rawValue) tells nothing of its Kafka client")
            }
            await door.stop()
            for child in children.values { #expect(await child.stop().isSuccess) }
            _ = await ledger.child.stop()
        }
    }

    private static let scopes: Set<String> = [
        "log:read", "principals:verify", "rulings:write", "attributions:read", "billing:admin", "billing:read", "billing:deposit",

        "billing:epoch", "billing:payout", "billing:verify", "billing:refund",
    ]
}
