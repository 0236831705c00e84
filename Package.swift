// swift-tools-version: 6.2
import PackageDescription

/// One set of settings for every target: Swift 6, explicit existentials, imports that do not leak, no warning left standing.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// A room of the house: a library target whose folder carries the room's name.
func room(
    _ name: String, _ path: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [],
    _ extra: [SwiftSetting] = []
) -> Target {
    .target(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: strict + extra)
}

func tests(_ name: String, _ path: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], path: "Tests/" + path, resources: resources,
        swiftSettings: strict)
}

func program(_ name: String, _ path: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: strict)
}

/// What the shell of every service stands on.
let shell: [Target.Dependency] = [
    "ServiceShell", "Decisions", "Projections", "Events", "EventLog", "Postgres", "Web", "HTTP", "HTTPClient", "JSON", "Crypto", "Identity",
    "Telemetry", "Threads", "Money", "Blobs",
]

let package = Package(
    name: "openledger",
    products: [.executable(name: "openledger", targets: ["openledger"])],
    targets: [
        // C libraries of the distribution, each held by one room.
        .systemLibrary(name: "CThreads", path: "Shared/Threads/CThreads"),
        .systemLibrary(
            name: "CCrypto", path: "Shared/Crypto/CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CSecp256k1", path: "Shared/Crypto/CSecp256k1", pkgConfig: "libsecp256k1", providers: [.apt(["libsecp256k1-dev"])]),
        .systemLibrary(name: "CEpoll", path: "Shared/HTTP/CEpoll"),
        .systemLibrary(
            name: "CCurl", path: "Shared/HTTP/CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(
            name: "CPostgres", path: "Shared/Postgres/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CFiles", path: "Shared/Blobs/CFiles"),
        .systemLibrary(
            name: "CDocuments", path: "Services/Ingest/CDocuments", pkgConfig: "libxml-2.0",
            providers: [.apt(["libxml2-dev", "libarchive-dev"])]),
        .systemLibrary(
            name: "CPaper", path: "Shared/Paper/CPaper", pkgConfig: "pangocairo", providers: [.apt(["libpango1.0-dev", "libcairo2-dev"])]),
        .systemLibrary(
            name: "CKafka", path: "Shared/Kafka/CKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(
            name: "CDivSufSort", path: "Services/Attribution/Index/CDivSufSort", pkgConfig: "libdivsufsort",
            providers: [.apt(["libdivsufsort-dev"])]),

        // Shared rooms, from the ground up.
        room("Threads", "Shared/Threads", ["CThreads"], exclude: ["CThreads"]),
        room("JSON", "Shared/JSON"),
        room("Crypto", "Shared/Crypto", ["CCrypto", "CSecp256k1"], exclude: ["CCrypto", "CSecp256k1"]),
        room("EVM", "Shared/EVM", ["Crypto"]),
        room("Telemetry", "Shared/Telemetry", ["Threads", "JSON"]),
        room("Identity", "Shared/Identity", ["Crypto", "JSON", "Threads"]),
        room("HTTP", "Shared/HTTP/Messages", ["Threads"], [.strictMemorySafety()]),
        room("HTTPSignatures", "Shared/HTTP/Signatures", ["HTTP", "Crypto"]),
        room("HTTPServer", "Shared/HTTP/Server", ["HTTP", "Threads", "CEpoll"], [.strictMemorySafety()]),
        room("HTTPClient", "Shared/HTTP/Client", ["HTTP", "Threads", "CCurl"]),
        room("Postgres", "Shared/Postgres", ["Telemetry", "Threads", "CPostgres", "Crypto"], exclude: ["CPostgres"]),
        room("PrivatePostgres", "Shared/PrivatePostgres", ["Threads"]),
        room("Kafka", "Shared/Kafka", ["Telemetry", "Threads", "CKafka"], exclude: ["CKafka"]),
        room("Events", "Shared/Events", ["JSON", "Crypto", "Money"]),
        room("EventLog", "Shared/Log", ["Events", "JSON", "Crypto", "Threads", "HTTP", "HTTPClient"]),
        room("Projections", "Shared/Projections", ["EventLog", "Events", "Postgres", "Kafka", "Telemetry", "Threads"]),
        room(
            "Web", "Shared/Web",
            ["HTTP", "HTTPServer", "HTTPClient", "HTTPSignatures", "JSON", "Identity", "Crypto", "Telemetry", "Threads"]),
        room(
            "ServiceShell", "Shared/ServiceShell",
            [
                "Decisions", "EventLog", "Events", "Postgres", "Projections", "Web", "HTTP", "HTTPClient", "HTTPSignatures", "JSON",
                "Identity", "Telemetry", "Crypto", "Blobs", "Threads",
            ]),

        room(
            "Webhooks", "Shared/Webhooks",
            ["Crypto", "Events", "HTTP", "HTTPClient", "HTTPSignatures", "Identity", "JSON", "Postgres", "Telemetry"]),

        room("Money", "Shared/Money", ["JSON"]),
        room("Licences", "Shared/Licences"),
        room("Paper", "Shared/Paper", ["CPaper"], exclude: ["CPaper"]),
        room("Blobs", "Shared/Blobs", ["Crypto", "JSON", "Threads", "HTTP", "HTTPClient", "CFiles"], exclude: ["CFiles"]),
        room("Decisions", "Shared/Decisions", ["EventLog", "Events", "JSON", "Crypto", "Telemetry", "Threads"]),
        .target(name: "CKernels", path: "Shared/Engine/CKernels", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off"])]),
        room("Replay", "Shared/Replay", ["Decisions", "EventLog", "Events", "JSON", "Crypto", "Threads"]),
        room("Engine", "Shared/Engine", ["CKernels", "JSON", "Crypto", "Threads"], exclude: ["CKernels"]),

        // Services: a pure domain each, and the shell around it.
        room("LedgerDomain", "Services/Ledger/Domain", ["Replay", "Decisions", "Events", "EventLog", "Crypto", "JSON"]),
        room(
            "LedgerService", "Services/Ledger/Service",
            [
                "LedgerDomain", "Events", "EventLog", "Postgres", "Kafka", "Web", "HTTP", "HTTPClient", "JSON", "Crypto",
                "Identity", "Telemetry", "Threads",
            ]),
        .target(
            name: "CText", path: "Services/Ingest/CText", cxxSettings: [.unsafeFlags(["-std=c++17", "-O2"])],
            linkerSettings: [.linkedLibrary("utf8proc"), .linkedLibrary("cld2"), .linkedLibrary("re2")]),
        .target(name: "CConfine", path: "Services/Ingest/CConfine"),
        room("IngestDocuments", "Services/Ingest/Documents", ["CDocuments"]),
        program("openledger-confine", "Services/Ingest/Confine", ["CConfine", "IngestDocuments"]),
        room(
            "IngestDomain", "Services/Ingest/Domain", ["Replay", "Decisions", "Events", "JSON", "Crypto", "Identity", "Licences", "CText"]),
        room(
            "IngestParsing", "Services/Ingest/Parsing", ["IngestDomain", "IngestDocuments", "Blobs", "PrivatePostgres", "JSON", "Threads"]),
        room("IngestService", "Services/Ingest/Service", shell + ["IngestDomain", "IngestParsing", "Licences"]),
        room(
            "DatanetDomain", "Services/Datanet/Domain",
            ["Replay", "Decisions", "Events", "JSON", "Crypto", "EventLog", "Licences", "Money"]),
        room("DatanetService", "Services/Datanet/Service", shell + ["DatanetDomain"]),
        room("TrainingDomain", "Services/Training/Domain", ["Replay", "Decisions", "Events", "JSON", "Crypto", "Money"]),
        room("TrainingService", "Services/Training/Service", shell + ["TrainingDomain"]),
        room("AttributionDomain", "Services/Attribution/Domain", ["Replay", "Decisions", "Events", "JSON", "Crypto", "Money"]),
        .target(name: "CInt8", path: "Services/Attribution/Index/CInt8", cSettings: [.unsafeFlags(["-O3"])]),
        room(
            "CorpusIndex", "Services/Attribution/Index",
            ["AttributionDomain", "CDivSufSort", "CInt8", "JSON", "Crypto", "Threads"], exclude: ["CDivSufSort", "CInt8"]),
        room("AttributionEvaluation", "Services/Attribution/Evaluation", ["AttributionDomain", "CorpusIndex", "Crypto", "Engine"]),
        room("AttributionService", "Services/Attribution/Service", shell + ["AttributionDomain", "CorpusIndex"]),
        room(
            "BillingDomain", "Services/Billing/Domain",
            ["Replay", "Decisions", "Events", "EventLog", "JSON", "Crypto", "EVM", "Identity", "Money"]),
        room("BillingService", "Services/Billing/Service", shell + ["BillingDomain", "EVM", "Paper", "Webhooks", "HTTPSignatures"]),
        room(
            "AgentGatewayDomain", "Services/AgentGateway/Domain", ["Replay", "Decisions", "Events", "JSON", "Crypto", "Identity", "Money"]),
        room("AdapterRouter", "Services/AgentGateway/Router"),
        room(
            "AgentEconomyDomain", "Services/AgentGateway/Economy/Domain",
            ["Replay", "Decisions", "Events", "JSON", "Crypto", "EVM", "Identity", "Money"]),
        room(
            "AgentEconomyService", "Services/AgentGateway/Economy/Service",
            shell + ["AgentEconomyDomain", "EVM", "Webhooks", "HTTPSignatures"]),
        room(
            "AgentGatewayService", "Services/AgentGateway/Service",
            shell + ["AgentGatewayDomain", "AdapterRouter", "AgentEconomyService", "Webhooks"]),
        room("RunnerService", "Services/Runner", shell + ["Engine"]),
        program(
            "openledger", "Services/OpenLedger",
            [
                "Replay", "IngestDomain", "DatanetDomain", "TrainingDomain", "AttributionDomain", "BillingDomain", "AgentGatewayDomain",
                "AgentEconomyDomain",
                "Decisions", "Blobs",
                "LedgerService", "LedgerDomain", "Money", "IngestService", "DatanetService", "TrainingService", "AttributionService",
                "BillingService",
                "AgentGatewayService", "RunnerService", "Engine", "AttributionEvaluation",
                "ServiceShell", "EventLog", "Events", "Projections", "Postgres", "PrivatePostgres",
                "Kafka", "Web", "HTTP", "HTTPServer", "HTTPClient", "JSON", "Crypto", "Identity", "Telemetry", "Threads",
            ]),

        // Tests mirror the rooms.
        .target(
            name: "TestSupport",
            dependencies: ["Postgres", "PrivatePostgres", "Threads", "JSON", "Crypto"],
            path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "ServiceTestSupport",
            dependencies: [
                "TestSupport", "LedgerService", "ServiceShell", "Decisions", "EventLog", "Events", "Postgres", "Web", "HTTP",
                "HTTPServer", "HTTPClient", "JSON", "Crypto", "Identity", "Telemetry", "Threads",
            ],
            path: "Tests/ServiceTestSupport", swiftSettings: strict),
        tests("ThreadsTests", "Shared/Threads", ["Threads"]),
        tests("JSONTests", "Shared/JSON", ["JSON"]),
        tests("CryptoTests", "Shared/Crypto", ["Crypto", "JSON"]),
        tests("EVMTests", "Shared/EVM", ["EVM", "Crypto"]),
        tests("IdentityTests", "Shared/Identity", ["Identity", "Crypto", "JSON"]),
        tests("TelemetryTests", "Shared/Telemetry", ["Telemetry", "JSON"]),
        tests("HTTPServerTests", "Shared/HTTP/Server", ["HTTP", "HTTPServer", "Threads"]),
        tests("HTTPSignaturesTests", "Shared/HTTP/Signatures", ["HTTP", "HTTPSignatures", "Crypto", "Identity"]),
        tests("HTTPClientTests", "Shared/HTTP/Client", ["HTTP", "HTTPClient", "HTTPServer", "Threads"]),
        tests("PostgresTests", "Shared/Postgres", ["Postgres", "PrivatePostgres", "Threads"]),
        tests("PrivatePostgresTests", "Shared/PrivatePostgres", ["Postgres", "PrivatePostgres", "Threads"]),
        tests("KafkaTests", "Shared/Kafka", ["Kafka", "Threads"]),
        tests("EventsTests", "Shared/Events", ["Events", "JSON", "Crypto", "Money"]),
        tests("EventLogTests", "Shared/Log", ["EventLog", "Events", "JSON", "Crypto", "HTTP", "HTTPClient"]),
        tests(
            "ProjectionsTests", "Shared/Projections",
            [
                "Projections", "LedgerService", "EventLog", "Events", "Postgres", "Kafka", "HTTPClient", "JSON", "Crypto",
                "Telemetry", "Threads",
            ]),
        tests(
            "WebTests", "Shared/Web",
            ["Web", "HTTP", "HTTPServer", "HTTPClient", "HTTPSignatures", "JSON", "Identity", "Crypto", "Telemetry"]),
        tests(
            "LedgerTests", "Services/Ledger",
            [
                "LedgerDomain", "LedgerService", "EventLog", "Events", "Postgres", "Kafka", "Web", "HTTP", "HTTPServer", "HTTPClient",
                "Threads", "JSON", "Crypto", "Identity", "Telemetry", "PrivatePostgres",
            ]),
        tests("MoneyTests", "Shared/Money", ["Money", "JSON"]),
        tests("LicencesTests", "Shared/Licences", ["Licences"]),
        tests("PaperTests", "Shared/Paper", ["Paper", "PrivatePostgres"]),
        tests("BlobsTests", "Shared/Blobs", ["Blobs", "PrivatePostgres", "Crypto", "JSON", "HTTP", "HTTPClient", "Threads"]),
        tests("EngineTests", "Shared/Engine", ["Engine", "JSON", "Crypto", "Threads"]),
        tests(
            "DecisionsTests", "Shared/Decisions",
            ["Decisions", "ServiceTestSupport", "LedgerService", "EventLog", "Events", "JSON", "Crypto", "Money", "Telemetry", "Threads"]),
        tests(
            "ReplayTests", "Replay",
            shell + [
                "Replay", "LedgerDomain", "IngestDomain", "DatanetDomain", "TrainingDomain", "AttributionDomain", "BillingDomain",
                "AgentGatewayDomain", "AgentEconomyDomain", "EVM", "IngestService", "DatanetService", "TrainingService",
                "AttributionService", "BillingService", "AgentGatewayService", "LedgerService", "HTTPServer", "ServiceTestSupport",
                "openledger", "openledger-confine",
            ]),
        tests(
            "IngestTests", "Services/Ingest",
            shell + [
                "IngestDomain", "IngestParsing", "IngestService", "LedgerService", "HTTPServer", "ServiceTestSupport", "PrivatePostgres",
                "IngestFuzzing", "openledger-confine", "Replay",
            ]),
        tests(
            "DatanetTests", "Services/Datanet",
            shell + ["DatanetDomain", "DatanetService", "LedgerService", "HTTPServer", "ServiceTestSupport"]),
        tests(
            "TrainingTests", "Services/Training",
            shell + ["TrainingDomain", "TrainingService", "LedgerService", "HTTPServer", "ServiceTestSupport"]),
        tests(
            "AttributionTests", "Services/Attribution",
            shell + [
                "AttributionDomain", "CorpusIndex", "AttributionEvaluation", "AttributionService", "Engine", "LedgerService", "HTTPServer",
                "ServiceTestSupport",
            ]),
        tests(
            "BillingTests", "Services/Billing",
            shell + ["BillingDomain", "BillingService", "EVM", "LedgerService", "HTTPServer", "ServiceTestSupport"]),
        tests(
            "AgentGatewayTests", "Services/AgentGateway",
            shell + [
                "AgentGatewayDomain", "AgentGatewayService", "AdapterRouter", "BillingService", "LedgerService", "HTTPServer",
                "ServiceTestSupport",
            ]),
        tests(
            "AgentEconomyTests", "Services/AgentEconomy",
            shell + [
                "Replay", "AgentEconomyDomain", "AgentEconomyService", "AgentGatewayDomain", "AgentGatewayService", "BillingService",
                "BillingDomain", "Webhooks", "HTTPSignatures", "EVM", "LedgerService",
                "HTTPServer", "ServiceTestSupport",
            ]),
        tests(
            "RunnerTests", "Services/Runner",
            shell + ["RunnerService", "TrainingService", "Engine", "LedgerService", "HTTPServer", "ServiceTestSupport"]),
        tests(
            "CommandTests", "Services/OpenLedger",
            [
                "openledger", "RunnerService", "Engine", "DatanetDomain", "BillingDomain", "Money", "EventLog", "Events", "HTTP",
                "HTTPClient",
                "HTTPServer", "JSON", "Crypto", "Threads",
            ]),
        tests(
            "EndToEndTests", "EndToEnd",
            [
                "BillingDomain", "Decisions", "Money",
                "EventLog", "Events", "Projections", "Postgres", "PrivatePostgres", "Kafka", "HTTP", "HTTPClient", "JSON", "Crypto",
                "Identity", "Threads",
            ]),

        program("http-fuzz", "Tests/Fuzz/HTTP", ["HTTP", "HTTPServer"], exclude: ["LibFuzzer.swift", "differential.py"]),
        room("IngestFuzzing", "Tests/Fuzz/Ingest/Harness", ["IngestDomain", "IngestParsing", "Licences", "Blobs", "JSON"]),
        program("ingest-fuzz", "Tests/Fuzz/Ingest/Program", ["IngestFuzzing", "openledger-confine"]),
        program(
            "benchmarks", "Benchmarks",
            [
                "IngestDomain", "IngestParsing", "IngestService", "Blobs", "CorpusIndex", "AttributionDomain", "BillingService", "CKernels",
                "Engine",
                "LedgerService", "LedgerDomain", "RunnerService", "AgentEconomyDomain", "AgentGatewayDomain", "EVM", "Decisions",
                "EventLog", "Events", "Money", "ServiceShell",
                "Projections", "Postgres", "PrivatePostgres", "Kafka", "Web", "HTTP", "HTTPServer", "HTTPClient", "JSON", "Crypto",
                "Identity",
                "Telemetry", "Threads",
            ], exclude: ["README.md", "engine_peer.py", "Gateway/litellm_requests.py", "Router", "Spans/span_peer.py"]),
        program("router-simulation", "Benchmarks/Router", ["AdapterRouter"]),
    ],
    swiftLanguageModes: [.v6]
)

// OPENLEDGER_TESTS=BillingTests,MoneyTests leaves the other test targets out, so that one room's tests build in a moment.
if let wanted = Context.environment["OPENLEDGER_TESTS"]?.split(separator: ",").map(String.init) {
    package.targets.removeAll { $0.type == .test && !wanted.contains($0.name) }
}
