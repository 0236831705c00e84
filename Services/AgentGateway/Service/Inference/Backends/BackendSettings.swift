internal import AdapterRouter
internal import AgentGatewayDomain
internal import Foundation
internal import JSON
internal import Telemetry

/// Where answers come from.
struct BackendSettings: Sendable {
    let sites: [BackendSite]
    /// The longest silence of a server that is borne.
    let patience: Duration
    /// The longest that an answer may be talked.
    let longest: Duration
    /// Names that stand for models.
    let aliases: [String: String]

    /// `OPENLEDGER_BACKENDS` names a JSON file with a list of servers. Without it there is one: `OPENLEDGER_BACKEND_URL`, the embedded
    /// runner when left out, whose computing `OPENLEDGER_BACKEND_RUNNER` is paid for.
    /// - Throws: `ConfigurationError`, which says what is wrong with the file.
    init(_ settings: Configuration) throws {
        patience = try settings.duration("BACKEND_PATIENCE", in: .milliseconds(100)...(.seconds(3_600)), default: .seconds(120))
        let most = InferenceBounds.answer
        longest = try settings.duration("LONGEST_ANSWER", in: .milliseconds(100)...most, default: most)
        let url = settings.string("BACKEND_URL", default: "http://embedded/runner")
        let runner = settings.string("BACKEND_RUNNER", default: "runner")
        if let path = settings.string("BACKENDS") {
            do { sites = try Self.read(path) } catch {
                throw ConfigurationError(
                    key: "OPENLEDGER_BACKENDS", expected: "a JSON file with a list of backends (\(error))", found: path)
            }
        } else {
            sites = [BackendSite(runnerAt: url, paid: runner)]
        }
        var aliases: [String: String] = [:]
        for line in settings.list("MODEL_ALIASES") {
            let parts = line.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                throw ConfigurationError(key: "OPENLEDGER_MODEL_ALIASES", expected: "alias=model, separated by commas", found: line)
            }
            aliases[parts[0]] = parts[1]
        }
        self.aliases = aliases
    }

    private static func read(_ path: String) throws -> [BackendSite] {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        let document = try JSON.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: path))))
        let sites = try document.object().array("backends", count: 1...1_000).map { field in
            try BackendSite(field.object()) { name in
                let text = try String(contentsOf: URL(fileURLWithPath: name, relativeTo: folder), encoding: .utf8)
                return text.trimmingCharacters(in: .whitespacesAndNewlines)
            }
        }
        guard Set(sites.map(\.profile.name)).count == sites.count else { throw SettingsFault("two backends have one name") }
        return sites
    }

    private struct SettingsFault: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}
