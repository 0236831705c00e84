import Postgres
import Testing

@Suite struct ConfigurationTests {
    @Test func readsAURI() throws {
        let configuration = try PostgresConfiguration(
            url:
                "postgresql://bob%40x:s%3Acret@db.example:6543/led%20ger?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3&application_name=a"
        )
        #expect(configuration.host == "db.example")
        #expect(configuration.port == 6543)
        #expect(configuration.database == "led ger")
        #expect(configuration.user == "bob@x")
        #expect(configuration.password == "s:cret")
        #expect(configuration.sslMode == .verifyFull)
        #expect(configuration.sslRootCertificate == "/ca.pem")
        #expect(configuration.connectTimeoutSeconds == 3)
        #expect(configuration.applicationName == "a")
    }

    @Test func readsKeysAndValues() throws {
        let configuration = try PostgresConfiguration(
            url: "host=/run/pg port=5433 dbname='my db' user=u password='it\\'s' target_session_attrs=read-write")
        #expect(configuration.host == "/run/pg")
        #expect(configuration.port == 5433)
        #expect(configuration.database == "my db")
        #expect(configuration.password == "it's")
        #expect(configuration.parameters["target_session_attrs"] == "read-write")
    }

    @Test func keepsDefaultsForWhatIsNotSaid() throws {
        let configuration = try PostgresConfiguration(url: "postgresql://u@/d")
        #expect(configuration.port == 5432)
        #expect(configuration.password == nil)
        #expect(configuration.sslMode == .prefer)
    }

    @Test(arguments: [
        "postgresql://u:hunter2@host:port/db", "postgresql://u:hunter2@host:99999/db", "postgresql://u:hunter2@h/db?nonsense=1",
        "host=h password=hunter2 hunter2", "host=h password=a hunter2=b", "postgresql://u:hunter2%zz@h/db", "password='hunter2",
        "host=h password=hunter2 sslmode=maybe", "host=h password=hunter2 connect_timeout=soon", "password=hunter2\0",
    ])
    func refusesAMalformedStringWithoutQuotingIt(_ text: String) {
        do {
            _ = try PostgresConfiguration(url: text)
            Issue.record("accepted")
        } catch {
            #expect(!"\(error)".contains("hunter2"))
            #expect(!String(reflecting: error).contains("hunter2"))
        }
    }

    @Test func neverPrintsThePassword() throws {
        let configuration = try PostgresConfiguration(url: "postgresql://u:hunter2@h/d")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in [
            "\(configuration)", String(reflecting: configuration), dumped, "\(Optional(configuration) as Any)", "\([configuration])",
        ] {
            #expect(!text.contains("hunter2"))
        }
    }

    @Test func aRefusedConnectionNamesTheServerAndNotThePassword() async throws {
        let configuration = try PostgresConfiguration(url: "postgresql://u:hunter2@127.0.0.1:1/d")
        let error = try await postgresError { _ = try await PostgresConnection.connect(configuration) }
        #expect(error.code == .connectionFailed)
        #expect(error.isConnectionLost)
        #expect(error.description.contains("u@127.0.0.1:1/d"))
        #expect(!error.description.contains("hunter2"))
    }
}
