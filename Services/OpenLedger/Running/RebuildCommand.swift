import EventLog
import Projections
import ServiceShell
import Telemetry

/// `openledger rebuild SERVICE`: a service's rows made anew from the log, or compared with what the log says.
enum RebuildCommand {
    static let specification = ArgumentSpecification(
        command: "openledger rebuild",
        summary: "Makes the rows that a service keeps of the log anew, beside the live ones, which are read and moved on meanwhile.",
        operands: ["SERVICE"],
        options: [
            .init(
                name: "only", value: "NAME", help: "This projection, such as billing.journal; all of the service when left out.",
                isRepeated: true),
            .init(name: "compare", value: nil, help: "Leave the live rows, and say where they differ from what the log says."),
        ],
        notes: """
            Services that keep rows: \(names).

            Settings are those of `openledger serve SERVICE`, but OPENLEDGER_DATABASE is the database's owner, as for
            `openledger migrate`. A service that says that its rows are of another version is rebuilt and goes on by itself.

            Exit status: 0 done, 1 rows differ, 2 it could not be done.
            """)

    private static var names: String { "datanet, billing, agent-gateway" }

    static func run(_ words: [String]) async throws -> Int32 {
        let arguments = try specification.parse(words)
        let name = arguments.operands[0]
        guard let type = ServiceList.named(name) else {
            throw UsageError("there is no service \(name) here; openledger serve --help lists them")
        }
        let settings = try Configuration.ofProcess()
        let logger = Logger(level: try settings.logLevel())
        let context = try await RemoteContext.configured(type.service, settings).context(
            logger: logger, metrics: Metrics(), isFollowing: false)
        let models = try type.readModels(context)
        let chosen = try choose(arguments.all("only"), of: models, name)
        var differences = 0
        for model in chosen {
            let label = model.projection.label
            let line = ProgressLine(label, .standard)
            let report = try await ProjectionRebuild(model.projection, client: model.log, database: context.database, logger: logger)
                .run(arguments.has("compare") ? .compare : .swap) { line.show(done: $0.next, total: $0.size, rate: $0.perSecond) }
            line.finish()
            for (table, count) in report.differences.sorted(by: { $0.key < $1.key }) {
                Terminal.say("\(label): \(count) rows of \(table) are not what the log says")
                differences += count
            }
            if report.differences.isEmpty {
                let what = arguments.has("compare") ? "the rows are what the log says" : "the rows are new"
                Terminal.say("\(label): \(what), up to position \(report.next)")
            }
        }
        return differences == 0 ? 0 : 1
    }

    private static func choose(_ wanted: [String], of models: [ReadModel], _ service: String) throws -> [ReadModel] {
        guard !models.isEmpty else { throw UsageError("\(service) keeps no rows of the log; those that do: \(names)") }
        let labels = models.map(\.projection.label)
        for name in wanted where !labels.contains(name) {
            throw UsageError("there is no projection \(name) of \(service); there are \(labels.joined(separator: ", "))")
        }
        return zip(models, labels).filter { wanted.isEmpty || wanted.contains($0.1) }.map(\.0)
    }
}
