import AgentGatewayService
import AttributionService
import BillingService
import DatanetService
import Events
import IngestService
import RunnerService
import ServiceShell
import TrainingService

/// Every service that the program can run besides the ledger, in the order of the way of the data.
enum ServiceList {
    static let all: [any RunnableService.Type] = [
        IngestService.self, DatanetService.self, TrainingService.self, AttributionService.self, BillingService.self,
        AgentGatewayService.self, RunnerService.self,
    ]

    /// The service of that name.
    static func named(_ name: String) -> (any RunnableService.Type)? { all.first { $0.name == name } }

    /// Where it listens when it runs by itself and nothing else is said. The runner, which works for training, has a port of its own.
    static func port(of type: any RunnableService.Type) -> Int { type.name == type.service.rawValue ? type.service.port : 7408 }
}

extension Service {
    /// The name of its schema and migrations, and the end of its role's name.
    var schema: String { rawValue.split(separator: "-").joined(separator: "_") }

    /// Where it listens when it runs by itself and nothing else is said.
    var port: Int {
        switch self {
        case .ledger: 7401
        case .ingest: 7402
        case .datanet: 7403
        case .training: 7404
        case .attribution: 7405
        case .billing: 7406
        case .agentGateway: 7407
        }
    }

    /// The service's part of the name of a setting: `AGENT_GATEWAY`.
    var setting: String { schema.uppercased() }
}
