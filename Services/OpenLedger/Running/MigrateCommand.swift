import Events
import Postgres
import Telemetry

/// `openledger migrate`: schema and roles, once per release, by the database's owner.
enum MigrateCommand {
    static let specification = ArgumentSpecification(
        command: "openledger migrate",
        summary: "Brings the database up to date: a role for each service, then its migrations, each once and in order.",
        options: [.init(name: "plan", value: nil, help: "Only say what would be applied.")],
        notes: """
            Settings:
              OPENLEDGER_DATABASE              postgresql://owner@host/name
              OPENLEDGER_DATABASE_PASSWORD     the owner's password; better OPENLEDGER_DATABASE_PASSWORD_FILE
              OPENLEDGER_LEDGER_ROLE_PASSWORD  the password to give the ledger's role; better …_FILE; likewise of
                                               the other services: OPENLEDGER_AGENT_GATEWAY_ROLE_PASSWORD
              OPENLEDGER_MIGRATIONS            the folder of migrations, where it is not beside the program
            """)

    static func run(_ words: [String]) async throws -> Int32 {
        let arguments = try specification.parse(words)
        let settings = try Configuration.ofProcess()
        let owner = try PostgresConfiguration.configured(settings)
        let migrator = Migrator(owner, folder: try Migrations.folder(settings))
        if arguments.has("plan") {
            let planned = try await migrator.plan()
            for migration in planned { Terminal.say("would apply \(migration)") }
            if planned.isEmpty { Terminal.say("nothing to apply: the database is up to date") }
            return 0
        }
        try await Roles(owner).ensure(
            try Service.allCases.map { service in
                try Roles.Login(service: service.schema, password: try settings.secret(service.setting + "_ROLE_PASSWORD"))
            })
        let applied = try await migrator.apply { Terminal.say("applied \($0)") }
        Terminal.say(applied.isEmpty ? "the database was up to date" : "the database is up to date")
        return 0
    }
}
